// SPDX-License-Identifier: MIT
/*
 * letter - what travels over the mesh: an Envelope frame in the clear and a sealed Letter
 * (proto/mesh.proto). The letter holds the signed header, the signature, salt and payload.
 */
#ifndef BUS_LETTER_H
#define BUS_LETTER_H

#include "lib/base/bytes.h"
#include "lib/bus/limits.h"
#include "lib/crypto/batch.h"
#include "lib/crypto/certificate.h"
#include "lib/crypto/digest.h"
#include "lib/crypto/seal.h"

#define SEAL_KEY_ID_BYTES 8

enum letter_direction { LETTER_QUESTION = 1, LETTER_ANSWER = 2 };

struct envelope {
    uint8_t ephemeral[X25519_PUBLIC_BYTES];
    uint64_t counter;
    uint8_t seal_key_id[SEAL_KEY_ID_BYTES];
    enum letter_direction direction;
    bool batches; /* its sender takes letters with a place */
};

/* First bytes of SHA-256 of a sealing public key. */
void seal_key_id(const uint8_t public_key[X25519_PUBLIC_BYTES], uint8_t out[SEAL_KEY_ID_BYTES]);

/* Packed; at most MESH_ENVELOPE_BYTES_MAX. Returns the size. */
size_t envelope_encode(const struct envelope *self, uint8_t out[MESH_ENVELOPE_BYTES_MAX]);
/* BAD_FRAME unless version 1, right sizes and a known direction. */
fault envelope_decode(struct span bytes, struct envelope *out);

/* Spans point into `memory`, or to the maker's bytes. */
struct letter {
    struct span header;
    struct span ski;       /* SKI_BYTES */
    struct span signature; /* DER */
    struct span blob;      /* salt (SALT_BYTES) || payload */
    struct span place;     /* in a batch; empty: the header was signed alone */
};

/* Seals a letter: `out` is the second frame. bytes_free() it. */
fault letter_seal(const struct letter *letter, struct seal_key *key, uint64_t counter,
                  struct span envelope, struct bytes **out);
/* Opens one. The spans of `out` point into *memory, which the caller bytes_free()s.
 * SEAL_BROKEN, or BAD_FRAME when what was sealed is not a letter. */
fault letter_open(struct span sealed, struct seal_key *key, uint64_t counter, struct span envelope,
                  struct bytes **memory, struct letter *out);

/* SHA-256(salt || payload), which is of the blob as it stands. */
struct sha256 letter_commitment(struct span blob);
static inline struct span letter_payload(struct span blob)
{
    return span_of(blob.at + SALT_BYTES, blob.size - SALT_BYTES);
}
/* A new blob for a payload: fresh salt in front. */
fault letter_blob(struct span payload, struct bytes **out);

#endif
