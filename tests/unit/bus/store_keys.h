// SPDX-License-Identifier: MIT
/*
 * store_keys - a store key for tests, the same in one run of a program, and one that is another.
 */
#ifndef TESTS_BUS_STORE_KEYS_H
#define TESTS_BUS_STORE_KEYS_H

#include "lib/bus/store_key.h"
#include "lib/bus/day_key.h"
#include "tests/unit/unit.h"

#include <stdio.h>

struct store_keys {
    struct key_wrap *key;
    struct key_holder holder;
    struct key_ring *ring; /* without a day's key: opened anew for each use */
};

static inline struct store_keys *store_keys_of(uint8_t byte)
{
    static struct store_keys all[2];
    struct store_keys *self = &all[byte & 1];
    uint8_t raw[KEY_WRAP_BYTES];
    if (self->key == NULL) {
        memset(raw, byte, sizeof raw);
        MUST(key_wrap_make(raw, &self->key));
        self->holder = key_holder_of(self->key);
    }
    return self;
}

static inline const struct key_holder *a_holder(void)
{
    return &store_keys_of(2)->holder;
}

static inline const struct key_holder *another_holder(void)
{
    return &store_keys_of(3)->holder;
}

static inline struct key_ring *ring_of(struct store_keys *keys)
{
    key_ring_free(&keys->ring);
    keys->ring = key_ring_new(&keys->holder);
    return keys->ring;
}

/* An auditor's ring with the store key; fresh, so that each use reads the key files. */
static inline struct key_ring *a_ring(void)
{
    return ring_of(store_keys_of(2));
}

static inline struct key_ring *another_ring(void)
{
    return ring_of(store_keys_of(3));
}

#endif
