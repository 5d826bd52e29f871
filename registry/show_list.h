// SPDX-License-Identifier: MIT
/*
 * show_list - for `show`: all things of one kind, in the order of their ids.
 */
#ifndef REGISTRY_SHOW_LIST_H
#define REGISTRY_SHOW_LIST_H

#include "lib/bus/directory.h"

struct show_list {
    size_t count;
    const void **at; /* each begins with const char *id */
};

/* A walk as directory_next_member is one; what it gives begins with const char *id. */
typedef const void *show_next(const struct directory *directory, size_t *step);

struct show_list *show_list_of(const struct directory *directory, show_next *next);
void show_list_free(struct show_list **self);
/* Of the longest id, at most 60. */
int show_width(const struct show_list *self);

#endif
