// SPDX-License-Identifier: MIT
#include "security-server/exchange/seen.h"

#include "lib/crypto/random.h"

#include <stdlib.h>

#define NO_ANSWER UINT64_MAX
#define LOST_ANSWER (UINT64_MAX - 1)
#define KEEP_MS_MAX (DEADLINE_MS_MAX + FRESH_FUTURE_MS)
#define FIRST_ROOM 1024

/* 48 bytes: there may be millions. The identity of a request is 128 bits of keyed hash over id and
 * server, so that a stranger cannot choose two that collide. */
struct entry {
    uint64_t key[2]; /* both 0: free */
    uint64_t leaf;   /* first bytes of the request's leaf hash */
    uint64_t answer_index;
    int64_t until_ms;  /* wall time of its sender */
    int64_t forget_ms; /* steady */
};

struct seen {
    size_t count, room;
    struct entry *entry;
    uint64_t seed[2];
    int64_t over_until_ms; /* what was to be remembered until then may be forgotten */
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
static void tidy(struct seen *self, int64_t steady_ms)
{
    struct seen old = *self;
    size_t live = 0;
    for (size_t i = 0; i < old.room; i++)
        live += !is_free(&old.entry[i]) && old.entry[i].forget_ms > steady_ms;
    self->room = FIRST_ROOM;
    while (self->room < 4 * live)
        self->room *= 2;
    self->entry = owned_array(self->room, sizeof *self->entry);
    self->count = live;
    for (size_t i = 0; i < old.room; i++) {
        if (is_free(&old.entry[i]))
            continue;
        if (old.entry[i].forget_ms > steady_ms)
            *place_of(self, old.entry[i].key) = old.entry[i];
        else
            seen_was_over(self, old.entry[i].until_ms);
    }
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
    if (entry->answer_index == LOST_ANSWER)
        return SEEN_LOST;
    *answer_index = entry->answer_index;
    return SEEN_ANSWERED;
}

void seen_was_over(struct seen *self, int64_t until_ms)
{
    if (until_ms > self->over_until_ms)
        self->over_until_ms = until_ms;
}

void seen_shift(struct seen *self, int64_t steady_ahead_ms)
{
    for (size_t i = 0; i < self->room; i++)
        self->entry[i].forget_ms += steady_ahead_ms;
}

static int64_t time_to_keep(int64_t until_ms, int64_t wall_ms)
{
    int64_t left_ms = until_ms - wall_ms;
    return left_ms < 0 ? 0 : left_ms > KEEP_MS_MAX ? KEEP_MS_MAX : left_ms;
}

fault seen_begin(struct seen *self, const uint8_t id[EXCHANGE_ID_BYTES], struct span sender_server,
                 const struct sha256 *request_leaf, int64_t until_ms, int64_t wall_ms,
                 int64_t steady_ms)
{
    uint64_t key[2];
    if (2 * (self->count + 1) > self->room)
        tidy(self, steady_ms);
    if (self->count >= SEEN_MAX)
        return RAISE(OVERLOADED, "%d requests are remembered already", SEEN_MAX);
    if (until_ms <= self->over_until_ms)
        return RAISE(STALE, "requests of its time are not remembered any more");
    key_of(self, id, sender_server, key);
    struct entry *entry = place_of(self, key);
    self->count += is_free(entry);
    *entry = (struct entry){{key[0], key[1]},
                            leaf_mark(request_leaf),
                            NO_ANSWER,
                            until_ms,
                            steady_ms + time_to_keep(until_ms, wall_ms)};
    return DONE;
}

static struct entry *entry_of(const struct seen *self, const uint8_t id[EXCHANGE_ID_BYTES],
                              struct span sender_server)
{
    uint64_t key[2];
    key_of(self, id, sender_server, key);
    struct entry *entry = place_of(self, key);
    return is_free(entry) ? NULL : entry;
}

void seen_answer(struct seen *self, const uint8_t id[EXCHANGE_ID_BYTES], struct span sender_server,
                 uint64_t answer_index)
{
    struct entry *entry = entry_of(self, id, sender_server);
    if (entry != NULL)
        entry->answer_index = answer_index;
}

void seen_lose(struct seen *self, const uint8_t id[EXCHANGE_ID_BYTES], struct span sender_server)
{
    seen_answer(self, id, sender_server, LOST_ANSWER);
}

/* The place cannot be freed, others may stand behind it: it is left as one that never matches. */
void seen_forget(struct seen *self, const uint8_t id[EXCHANGE_ID_BYTES], struct span sender_server)
{
    struct entry *entry = entry_of(self, id, sender_server);
    if (entry == NULL)
        return;
    random_fill((uint8_t *)entry->key, sizeof entry->key);
    entry->forget_ms = entry->until_ms = 0;
}

size_t seen_count(const struct seen *self)
{
    return self->count;
}
