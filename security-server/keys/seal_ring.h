// SPDX-License-Identifier: MIT
/*
 * seal_ring - sealing keys that were made while the server runs. They live in this process's memory
 * and nowhere else, so that one that is forgotten, or a process that ends, leaves nothing that
 * opens what was sealed to it. Reasons: docs/decisions/0028.
 */
#ifndef KEYS_SEAL_RING_H
#define KEYS_SEAL_RING_H

#include "lib/bus/letter.h"
#include "lib/bus/limits.h"
#include "lib/crypto/keypair.h"

/* A zeroed one is empty. */
struct seal_ring {
    size_t count;
    struct {
        struct keypair *key;
        uint8_t id[SEAL_KEY_ID_BYTES];
    } made[SEAL_MADE_MAX]; /* oldest first */
};

/* A new key; with SEAL_MADE_MAX of them the oldest is destroyed. CRYPTO_FAILED. */
fault seal_ring_make(struct seal_ring *self, uint8_t public_out[X25519_PUBLIC_BYTES]);
/* Lent; NULL when there is none with this id. */
struct keypair *seal_ring_find(const struct seal_ring *self, const uint8_t id[SEAL_KEY_ID_BYTES]);
/* Destroys it, if it is there. */
void seal_ring_forget(struct seal_ring *self, const uint8_t id[SEAL_KEY_ID_BYTES]);
/* Destroys all. */
void seal_ring_clear(struct seal_ring *self);

#endif
