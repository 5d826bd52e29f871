// SPDX-License-Identifier: MIT
#include "lib/crypto/verified_heads.h"

#include "lib/crypto/keypair.h"

#include <assert.h>
#include <stdlib.h>

#define SLOTS 1024 /* a power of two; about 110 KB */

struct slot {
    struct sha256 digest;
    size_t size; /* of the signature; 0: empty */
    uint8_t signature[P256_SIGNATURE_BYTES_MAX];
};

struct verified_heads {
    struct slot slot[SLOTS];
};

struct verified_heads *verified_heads_new(void)
{
    return owned_new(sizeof(struct verified_heads));
}

void verified_heads_free(struct verified_heads **self)
{
    free(*self);
    *self = NULL;
}

static size_t slot_of(const struct sha256 *digest)
{
    return ((size_t)digest->at[0] << 8 | digest->at[1]) % SLOTS;
}

bool verified_heads_has(const struct verified_heads *self, const struct sha256 *signed_digest,
                        struct span signature)
{
    const struct slot *slot = &self->slot[slot_of(signed_digest)];
    return slot->size > 0 && sha256_equal(&slot->digest, signed_digest) &&
           span_equal(span_of(slot->signature, slot->size), signature);
}

void verified_heads_add(struct verified_heads *self, const struct sha256 *signed_digest,
                        struct span signature)
{
    assert(signature.size <= P256_SIGNATURE_BYTES_MAX);
    struct slot *slot = &self->slot[slot_of(signed_digest)];
    slot->digest = *signed_digest;
    slot->size = signature.size;
    memcpy(slot->signature, signature.at, signature.size);
}
