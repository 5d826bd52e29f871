// SPDX-License-Identifier: MIT
#include "security-server/exchange/directory_cosign.h"

#include "lib/base/clock.h"
#include "lib/base/event.h"
#include "lib/base/file.h"
#include "lib/base/text.h"
#include "security-server/exchange/directory_feed.h"
#include "security-server/exchange/keys_line.h"

#include <stdlib.h>

#define PATH_BYTES 512
#define LINE_ROOM 512
#define LOOK_MS 1000
#define AGAIN_MS 10000

struct directory_cosign {
    struct node *node;
    struct loop_timer timer;
    char path[PATH_BYTES];
    uint64_t size; /* of the head that was cosigned last */
    /* the work under way */
    bool busy;
    uint64_t next_size;
    struct note_key key; /* as the directory had it when it was asked for */
    uint64_t time_s;
};

static void again(struct directory_cosign *self, int64_t wait_ms)
{
    loop_set_timer(self->node->loop, &self->timer, wait_ms);
}

static void signed_by_keys(void *owner, fault f, struct span signature)
{
    struct directory_cosign *self = owner;
    OWNED(bytes) line = bytes_empty(LINE_ROOM);
    self->busy = false;
    if (!failed(f) && signature.size != ED25519_SIGNATURE_BYTES)
        f = RAISE(INTERNAL, "a cosignature of %zu bytes", signature.size);
    if (!failed(f))
        f = cosignature_append(line, &self->key, self->time_s, signature.at);
    if (!failed(f))
        f = file_replace(self->path, bytes_span(line), 0644);
    if (failed(f)) {
        EVENT(WARN, "directory.not_cosigned", E_NUMBER("epoch", self->next_size), E_FAULT(f));
        again(self, AGAIN_MS);
        return;
    }
    self->size = self->next_size;
    EVENT(DEBUG, "directory.cosigned", E_NUMBER("epoch", self->size));
}

/* Are we to cosign the directory, and with which key? */
static const struct note_key *own_key(const struct node *node)
{
    const struct directory_server *witness[DIRECTORY_WITNESSES_MAX];
    const struct directory_server *own = node_self(node);
    unsigned quorum = 0;
    size_t count = directory_witnesses(node->directory, witness, &quorum);
    for (size_t i = 0; i < count; i++)
        if (witness[i] == own && own->is_witness)
            return &own->witness_key;
    return NULL;
}

static void look(struct directory_cosign *self)
{
    const struct node *node = self->node;
    const struct note_key *key = own_key(node);
    struct checkpoint head = {.size = directory_epoch(node->directory),
                              .root = directory_root(node->directory)};
    if (self->busy || key == NULL || head.size <= self->size ||
        directory_feed_kept(node->feed) < head.size)
        return;
    text_format(head.origin, sizeof head.origin, "%s", directory_feed_key(node->feed)->name);
    self->busy = true;
    self->key = *key;
    self->next_size = head.size;
    self->time_s = (uint64_t)(clock_wall_ms() / 1000);
    keys_line_sign_cosignature(node->keys, &head, self->time_s, signed_by_keys, self);
}

static void on_timer(struct loop_timer *timer)
{
    struct directory_cosign *self = timer->owner;
    again(self, LOOK_MS);
    look(self);
}

struct directory_cosign *directory_cosign_new(struct node *node)
{
    struct directory_cosign *self = owned_new(sizeof *self);
    self->node = node;
    text_format(self->path, sizeof self->path, "%s/cosignature", directory_feed_copy(node->feed));
    self->timer = (struct loop_timer){.fire = on_timer, .owner = self};
    again(self, 0);
    return self;
}

void directory_cosign_free(struct directory_cosign **self)
{
    if (*self == NULL)
        return;
    loop_stop_timer((*self)->node->loop, &(*self)->timer);
    free(*self);
    *self = NULL;
}
