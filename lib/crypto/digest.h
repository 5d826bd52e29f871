// SPDX-License-Identifier: MIT
/*
 * digest - SHA-256 and SHA-512 over several pieces, with algorithms fetched once per process and a
 * context kept per thread.
 */
#ifndef CRYPTO_DIGEST_H
#define CRYPTO_DIGEST_H

#include "lib/base/bytes.h"

#define SHA256_BYTES 32
#define SHA512_BYTES 64

struct sha256 {
    uint8_t at[SHA256_BYTES];
};

/* Digest of the pieces one after another. Cannot fail: a broken libcrypto ends the process. */
struct sha256 digest_sha256(const struct span *pieces, size_t count);
void digest_sha512(const struct span *pieces, size_t count, uint8_t out[SHA512_BYTES]);

/* HMAC (RFC 2104) with a key of at most 64 bytes. */
struct sha256 digest_hmac_sha256(struct span key, struct span message);

/* SHA-256 of what comes bit by bit. `end` gives the digest and begins anew. */
struct sha256_stream;
struct sha256_stream *sha256_stream_new(void);
void sha256_stream_free(struct sha256_stream **self);
void sha256_stream_add(struct sha256_stream *self, struct span bytes);
struct sha256 sha256_stream_end(struct sha256_stream *self);

#define SHA256_OF(...)                                \
    digest_sha256((const struct span[]){__VA_ARGS__}, \
                  sizeof((const struct span[]){__VA_ARGS__}) / sizeof(struct span))

static inline struct span sha256_span(const struct sha256 *hash)
{
    return span_of(hash->at, SHA256_BYTES);
}

static inline bool sha256_equal(const struct sha256 *a, const struct sha256 *b)
{
    return memcmp(a->at, b->at, SHA256_BYTES) == 0;
}

#endif
