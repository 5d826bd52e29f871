// SPDX-License-Identifier: MIT
#include "security-server/exchange/seen.h"

#include "lib/crypto/random.h"

#include <stdlib.h>

#define NO_ANSWER UINT64_MAX
#define FIRST_ROOM 1024

/* 40 bytes: there may be millions. The identity of a request is 128 bits of keyed hash over id and
 * server, so that a stranger cannot choose two that collide. */
struct entry {
    uint64_t key[2]; /* both 0: free */
    uint64_t leaf;   /* first bytes of the request's leaf hash */
    uint64_t answer_index;
    int64_t forget_ms;
};

struct seen {
    size_t count, room;
    struct entry *entry;
    uint64_t seed[2];
};

int64_t seen_until_ms(const struct header *request)
{
    int64_t young_until = request->time_ms + FRESH_PAST_MS;
    return request->deadline_ms > young_until ? request->deadline_ms : young_until;
}

struct seen *seen_new(void)
{
    struct seen *self = owned_new(sizeof *self);
    self->room = FIRST_ROOM;
    self->entry = owned_array(self->room, sizeof *self->entry);
    random_fill((uint8_t *)self->seed, sizeof self->seed);
    return self;
}

void seen_free(struct seen **self)
{
    if (*self == NULL)
        return;
    free((*self)->entry);
    free(*self);
    *self = NULL;
}

static void key_of(const struct seen *self, const uint8_t id[EXCHANGE_ID_BYTES],
                   struct span sender_server, uint64_t key[2])
{
    struct sha256 hash = SHA256_OF(span_of(self->seed, sizeof self->seed),
                                   span_of(id, EXCHANGE_ID_BYTES), sender_server);
    memcpy(key, hash.at, 2 * sizeof key[0]);
    if (key[0] == 0 && key[1] == 0)
        key[0] = 1;
}

static uint64_t leaf_mark(const struct sha256 *leaf)
{
    uint64_t mark;
    memcpy(&mark, leaf->at, sizeof mark);
    return mark;
}

static bool is_free(const struct entry *entry)
{
    return entry->key[0] == 0 && entry->key[1] == 0;
}

/* The entry of this key, or the free one where it would go. */
static struct entry *place_of(const struct seen *self, const uint64_t key[2])
{
    for (size_t at = key[0] & (self->room - 1);; at = (at + 1) & (self->room - 1)) {
        struct entry *entry = &self->entry[at];
        if (is_free(entry) || (entry->key[0] == key[0] && entry->key[1] == key[1]))
            return entry;
    }
}

/* Builds the table anew without what may be forgotten; twice as large when it is still half full.
 */
static void tidy(struct seen *self, int64_t now_ms)
{
    struct seen old = *self;
    size_t live = 0;
    for (size_t i = 0; i < old.room; i++)
        live += !is_free(&old.entry[i]) && old.entry[i].forget_ms > now_ms;
    self->room = FIRST_ROOM;
    while (self->room < 4 * live)
        self->room *= 2;
    self->entry = owned_array(self->room, sizeof *self->entry);
    self->count = live;
    for (size_t i = 0; i < old.room; i++)
        if (!is_free(&old.entry[i]) && old.entry[i].forget_ms > now_ms)
            *place_of(self, old.entry[i].key) = old.entry[i];
    free(old.entry);
}

enum seen_state seen_look(const struct seen *self, const uint8_t id[EXCHANGE_ID_BYTES],
                          struct span sender_server, const struct sha256 *request_leaf,
                          uint64_t *answer_index)
{
    uint64_t key[2];
    key_of(self, id, sender_server, key);
    const struct entry *entry = place_of(self, key);
    if (is_free(entry))
        return SEEN_NEVER;
    if (entry->leaf != leaf_mark(request_leaf))
        return SEEN_DIFFERENT;
    if (entry->answer_index == NO_ANSWER)
        return SEEN_RUNNING;
    *answer_index = entry->answer_index;
    return SEEN_ANSWERED;
}

fault seen_begin(struct seen *self, const uint8_t id[EXCHANGE_ID_BYTES], struct span sender_server,
                 const struct sha256 *request_leaf, int64_t forget_ms, int64_t now_ms)
{
    uint64_t key[2];
    if (2 * (self->count + 1) > self->room)
        tidy(self, now_ms);
    if (self->count >= SEEN_MAX)
        return RAISE(OVERLOADED, "%d requests are remembered already", SEEN_MAX);
    key_of(self, id, sender_server, key);
    struct entry *entry = place_of(self, key);
    self->count += is_free(entry);
    *entry = (struct entry){{key[0], key[1]}, leaf_mark(request_leaf), NO_ANSWER, forget_ms};
    return DONE;
}

void seen_answer(struct seen *self, const uint8_t id[EXCHANGE_ID_BYTES], struct span sender_server,
                 uint64_t answer_index)
{
    uint64_t key[2];
    key_of(self, id, sender_server, key);
    struct entry *entry = place_of(self, key);
    if (!is_free(entry))
        entry->answer_index = answer_index;
}

size_t seen_count(const struct seen *self)
{
    return self->count;
}
