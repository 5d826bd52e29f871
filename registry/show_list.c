// SPDX-License-Identifier: MIT
#include "registry/show_list.h"

#include <stdlib.h>

static const char *id_of(const void *thing)
{
    const char *id = NULL;
    memcpy(&id, thing, sizeof id);
    return id;
}

static int by_id(const void *left, const void *right)
{
    const void *const *a = left;
    const void *const *b = right;
    return strcmp(id_of(*a), id_of(*b));
}

struct show_list *show_list_of(const struct directory *directory, show_next *next)
{
    struct show_list *self = owned_new(sizeof *self);
    size_t step = 0;
    for (const void *thing; (thing = next(directory, &step)) != NULL;) {
        self->at = owned_grow(self->at, self->count + 1, sizeof *self->at);
        self->at[self->count++] = thing;
    }
    if (self->count > 1)
        qsort(self->at, self->count, sizeof *self->at, by_id);
    return self;
}

void show_list_free(struct show_list **self)
{
    if (*self == NULL)
        return;
    free((*self)->at);
    free(*self);
    *self = NULL;
}

int show_width(const struct show_list *self)
{
    size_t width = 0;
    for (size_t i = 0; i < self->count; i++)
        if (strlen(id_of(self->at[i])) > width)
            width = strlen(id_of(self->at[i]));
    return (int)(width < 60 ? width : 60);
}
