// SPDX-License-Identifier: MIT
#include "security-server/keys/seal_ring.h"

static void drop(struct seal_ring *self, size_t at)
{
    keypair_free(&self->made[at].key);
    self->count--;
    memmove(&self->made[at], &self->made[at + 1], (self->count - at) * sizeof self->made[0]);
    self->made[self->count].key = NULL;
}

fault seal_ring_make(struct seal_ring *self, uint8_t public_out[X25519_PUBLIC_BYTES])
{
    OWNED(keypair) key = NULL;
    OWNED(bytes) public_key = NULL;
    TRY(keypair_make(KEY_X25519, &key));
    TRY(keypair_public(key, &public_key));
    if (self->count == SEAL_MADE_MAX)
        drop(self, 0);
    seal_key_id(public_key->data, self->made[self->count].id);
    memcpy(public_out, public_key->data, X25519_PUBLIC_BYTES);
    self->made[self->count++].key = TAKE(key);
    return DONE;
}

static size_t place_of(const struct seal_ring *self, const uint8_t id[SEAL_KEY_ID_BYTES])
{
    size_t at = 0;
    while (at < self->count && memcmp(self->made[at].id, id, SEAL_KEY_ID_BYTES) != 0)
        at++;
    return at;
}

struct keypair *seal_ring_find(const struct seal_ring *self, const uint8_t id[SEAL_KEY_ID_BYTES])
{
    size_t at = place_of(self, id);
    return at < self->count ? self->made[at].key : NULL;
}

void seal_ring_forget(struct seal_ring *self, const uint8_t id[SEAL_KEY_ID_BYTES])
{
    size_t at = place_of(self, id);
    if (at < self->count)
        drop(self, at);
}

void seal_ring_clear(struct seal_ring *self)
{
    while (self->count > 0)
        drop(self, self->count - 1);
}
