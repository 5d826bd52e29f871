// SPDX-License-Identifier: MIT
#include "security-server/exchange/server_list.h"

#include <stdlib.h>

struct server_list {
    struct directory *directory; /* held: texts are its own */
    uint64_t epoch;
    size_t count, room;
    struct server_line *line;
};

struct server_list *server_list_new(void)
{
    return owned_new(sizeof(struct server_list));
}

void server_list_free(struct server_list **self)
{
    if (*self == NULL)
        return;
    directory_release(&(*self)->directory);
    free((*self)->line);
    free(*self);
    *self = NULL;
}

static int compare(const void *left, const void *right)
{
    const struct server_line *a = left;
    const struct server_line *b = right;
    int by_server = strcmp(a->server, b->server);
    return by_server != 0 ? by_server : strcmp(a->subsystem, b->subsystem);
}

static void add(struct server_list *self, const struct directory_server *server,
                const struct directory_subsystem *subsystem)
{
    if (self->count == self->room) {
        self->room = self->room == 0 ? 64 : 2 * self->room;
        self->line = owned_grow(self->line, self->room, sizeof *self->line);
    }
    self->line[self->count++] =
        (struct server_line){server->id, subsystem->id, server->member->name};
}

static void make(struct server_list *self)
{
    size_t step = 0, kept = 0;
    self->count = 0;
    for (const struct directory_subsystem *at;
         (at = directory_next_subsystem(self->directory, &step)) != NULL;)
        for (size_t i = 0; i < at->servers; i++)
            add(self, at->server[i], at);
    if (self->count == 0)
        return;
    qsort(self->line, self->count, sizeof *self->line, compare);
    for (size_t i = 0; i < self->count; i++)
        if (kept == 0 || strcmp(self->line[kept - 1].server, self->line[i].server) != 0)
            self->line[kept++] = self->line[i];
    self->count = kept;
}

size_t server_list_look(struct server_list *self, struct directory *directory)
{
    if (self->directory == directory && self->epoch == directory_epoch(directory))
        return self->count;
    struct directory *before = self->directory;
    self->directory = directory_hold(directory);
    directory_release(&before);
    self->epoch = directory_epoch(directory);
    make(self);
    return self->count;
}

const struct server_line *server_list_at(const struct server_list *self, size_t at)
{
    return &self->line[at];
}
