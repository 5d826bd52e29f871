// SPDX-License-Identifier: MIT
/*
 * map - string-keyed table (open addressing, power of two). Keys are copied, values are the
 * owner's.
 *
 * A zeroed struct map is an empty map. Never shrinks while keys only go; the next growth drops the
 * dead.
 */
#ifndef BASE_MAP_H
#define BASE_MAP_H

#include "lib/base/bytes.h"

struct map {
    size_t count;
    size_t room;
    size_t dead;
    struct map_slot *slot;
    uint64_t seed;
};

void map_clear(struct map *self); /* frees keys and slots, not values */
void *map_get(const struct map *self, struct span key);
/* Sets; returns the value that stood there, or NULL. value must not be NULL. */
void *map_set(struct map *self, struct span key, void *value);
void *map_remove(struct map *self, struct span key);
/* Walks in no particular order: start with *step = 0; NULL at the end. key may be NULL.
 * Do not change it meanwhile. */
void *map_next(const struct map *self, size_t *step, struct span *key);

/* SipHash-free 64-bit mix seeded per process: strangers choose the keys. */
uint64_t map_hash(struct span key, uint64_t seed);

#endif
