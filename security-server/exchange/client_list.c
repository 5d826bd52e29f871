// SPDX-License-Identifier: MIT
#include "security-server/exchange/client_list.h"

#include <stdlib.h>

struct client {
    const char *id;
    const struct directory_member *member;
    const struct directory_subsystem *subsystem; /* NULL: the member itself */
};

struct client_list {
    struct directory *directory; /* held; NULL: nothing was asked yet */
    uint64_t epoch;              /* of the order: a state goes on in place */
    size_t count;
    struct client *client;
};

struct client_list *client_list_new(void)
{
    return owned_new(sizeof(struct client_list));
}

static void forget(struct client_list *self)
{
    free(self->client);
    directory_release(&self->directory);
    *self = (struct client_list){0};
}

void client_list_free(struct client_list **self)
{
    if (*self == NULL)
        return;
    forget(*self);
    free(*self);
    *self = NULL;
}

/* A slash before all else: a member's subsystems follow it. */
static int compare(const void *left, const void *right)
{
    const char *a = ((const struct client *)left)->id;
    const char *b = ((const struct client *)right)->id;
    while (*a == *b && *a != '\0')
        a++, b++;
    int x = *a == '/' ? 1 : (uint8_t)*a, y = *b == '/' ? 1 : (uint8_t)*b;
    return x - y;
}

static void add(struct client_list *self, size_t *room, struct client client)
{
    if (self->count == *room) {
        *room = *room == 0 ? 256 : 2 * *room;
        self->client = owned_grow(self->client, *room, sizeof *self->client);
    }
    self->client[self->count++] = client;
}

static void gather(struct client_list *self, struct directory *directory)
{
    size_t step = 0, room = 0;
    forget(self);
    self->directory = directory_hold(directory);
    self->epoch = directory_epoch(directory);
    for (const struct directory_member *at; (at = directory_next_member(directory, &step)) != NULL;)
        add(self, &room, (struct client){at->id, at, NULL});
    step = 0;
    for (const struct directory_subsystem *at;
         (at = directory_next_subsystem(directory, &step)) != NULL;)
        add(self, &room, (struct client){at->id, at->member, at});
    if (self->count > 1)
        qsort(self->client, self->count, sizeof *self->client, compare);
}

static size_t fill(const struct client *client, struct client_entry *out)
{
    *out = (struct client_entry){client->id, client->member->name,
                                 client->subsystem == NULL ? "" : client->subsystem->name};
    return strlen(out->id) + strlen(out->name) + strlen(out->subsystem_name) + 16;
}

void client_list_page(struct client_list *self, struct directory *directory, uint64_t epoch,
                      uint32_t from, struct client_page *out)
{
    size_t bytes = 0;
    if (self->directory != directory || self->epoch != directory_epoch(directory))
        gather(self, directory);
    out->epoch = directory_epoch(directory);
    out->from = epoch == out->epoch ? from : 0;
    out->total = (uint32_t)self->count;
    out->count = 0;
    for (size_t at = out->from; at < self->count && out->count < CLIENTS_PAGE_MAX; at++) {
        bytes += fill(&self->client[at], &out->client[out->count]);
        if (bytes > CLIENTS_PAGE_BYTES_MAX && out->count > 0)
            return;
        out->count++;
    }
}
