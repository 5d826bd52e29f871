// SPDX-License-Identifier: MIT
#include "lib/base/map.h"

#include <assert.h>
#include <stdlib.h>
#include <sys/random.h>

#define ROOM_LEAST 16

/* Empty: no key, no value. Dead (a removed one that later ones were pushed past): no key, value
 * &grave. */
struct map_slot {
    uint64_t hash;
    uint8_t *key;
    size_t key_size;
    void *value;
};

static char grave;

static bool slot_lives(const struct map_slot *slot)
{
    return slot->key != NULL;
}

static uint64_t fold(uint64_t a, uint64_t b)
{
    __extension__ unsigned __int128 product = (unsigned __int128)a * b;
    return (uint64_t)product ^ (uint64_t)(product >> 64);
}

static uint64_t word_at(const uint8_t *at, size_t size)
{
    uint64_t word = 0;
    memcpy(&word, at, size < 8 ? size : 8);
    return word;
}

/* Both factors of every product hold the secret seed: with a public constant in one of them, a
 * stranger could choose bytes that make the product zero and so make all keys collide. */
uint64_t map_hash(struct span key, uint64_t seed)
{
    uint64_t other = seed * 0x9e3779b97f4a7c15u ^ 0xd1b54a32d192ed03u;
    uint64_t state = fold(seed ^ key.size, other);
    for (size_t i = 0; i < key.size; i += 16) {
        uint64_t low = word_at(key.at + i, key.size - i);
        uint64_t high = key.size - i > 8 ? word_at(key.at + i + 8, key.size - i - 8) : 0;
        state = fold(low ^ other, high ^ state ^ seed) + (state << 1 | state >> 63);
    }
    return fold(state ^ seed, other | 1);
}

/* Where the key stands, or else where it would be put. */
static struct map_slot *find(const struct map *self, struct span key, uint64_t hash)
{
    struct map_slot *free_slot = NULL;
    for (size_t i = hash & (self->room - 1);; i = (i + 1) & (self->room - 1)) {
        struct map_slot *slot = &self->slot[i];
        if (!slot_lives(slot)) {
            if (free_slot == NULL)
                free_slot = slot;
            if (slot->value == NULL)
                return free_slot;
        } else if (slot->hash == hash && span_equal(span_of(slot->key, slot->key_size), key)) {
            return slot;
        }
    }
}

/* Into a table with as many slots as the living ones need; the dead ones stay behind. */
static void rebuild(struct map *self)
{
    size_t room = ROOM_LEAST;
    while (room < 2 * (self->count + 1))
        room *= 2;
    struct map_slot *old = self->slot;
    size_t old_room = self->room;
    self->slot = owned_array(room, sizeof *self->slot);
    self->room = room;
    self->dead = 0;
    for (size_t i = 0; i < old_room; i++) {
        if (!slot_lives(&old[i]))
            continue;
        size_t place = old[i].hash & (room - 1);
        while (slot_lives(&self->slot[place]))
            place = (place + 1) & (room - 1);
        self->slot[place] = old[i];
    }
    free(old);
}

static void make_room(struct map *self)
{
    if (self->room == 0) {
        ssize_t got = getrandom(&self->seed, sizeof self->seed, 0);
        assert(got == (ssize_t)sizeof self->seed);
        rebuild(self);
    } else if ((self->count + self->dead + 1) * 4 > self->room * 3) {
        rebuild(self);
    }
}

void map_clear(struct map *self)
{
    for (size_t i = 0; i < self->room; i++)
        free(self->slot[i].key);
    free(self->slot);
    *self = (struct map){0};
}

void *map_get(const struct map *self, struct span key)
{
    if (self->count == 0)
        return NULL;
    struct map_slot *slot = find(self, key, map_hash(key, self->seed));
    return slot_lives(slot) ? slot->value : NULL;
}

void *map_set(struct map *self, struct span key, void *value)
{
    assert(value != NULL);
    make_room(self);
    uint64_t hash = map_hash(key, self->seed);
    struct map_slot *slot = find(self, key, hash);
    if (slot_lives(slot)) {
        void *before = slot->value;
        slot->value = value;
        return before;
    }
    if (slot->value != NULL)
        self->dead--;
    slot->key = owned_array(key.size, 1);
    if (key.size > 0)
        memcpy(slot->key, key.at, key.size);
    slot->key_size = key.size;
    slot->hash = hash;
    slot->value = value;
    self->count++;
    return NULL;
}

void *map_remove(struct map *self, struct span key)
{
    if (self->count == 0)
        return NULL;
    struct map_slot *slot = find(self, key, map_hash(key, self->seed));
    if (!slot_lives(slot))
        return NULL;
    void *value = slot->value;
    free(slot->key);
    *slot = (struct map_slot){.value = &grave};
    self->count--;
    self->dead++;
    return value;
}

void *map_next(const struct map *self, size_t *step, struct span *key)
{
    while (*step < self->room) {
        const struct map_slot *slot = &self->slot[(*step)++];
        if (!slot_lives(slot))
            continue;
        if (key != NULL)
            *key = span_of(slot->key, slot->key_size);
        return slot->value;
    }
    return NULL;
}
