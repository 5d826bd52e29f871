// SPDX-License-Identifier: MIT
/*
 * server_list - the servers of the directory that have subsystems, in order, each with its first
 * one: whom the view of a person is asked of.
 */
#ifndef EXCHANGE_SERVER_LIST_H
#define EXCHANGE_SERVER_LIST_H

#include "lib/bus/directory.h"

struct server_list;

struct server_line {
    const char *server, *subsystem, *name; /* the member's; all are the directory's */
};

struct server_list *server_list_new(void);
void server_list_free(struct server_list **self);

/* Made anew when the directory has changed. Returns how many there are. */
size_t server_list_look(struct server_list *self, struct directory *directory);
/* Until the next look. */
const struct server_line *server_list_at(const struct server_list *self, size_t at);

#endif
