// SPDX-License-Identifier: MIT
#include "lib/crypto/digest.h"

#include "lib/crypto/algorithms.h"
#include "lib/crypto/crypto_fault.h"

#include <assert.h>
#include <openssl/crypto.h>
#include <stdlib.h>

static void digest(const EVP_MD *algorithm, const struct span *pieces, size_t count, uint8_t *out)
{
    EVP_MD_CTX *context = algorithms_digest_context();
    bool fine = EVP_DigestInit_ex2(context, algorithm, NULL) == 1;
    for (size_t i = 0; fine && i < count; i++)
        fine = pieces[i].size == 0 || EVP_DigestUpdate(context, pieces[i].at, pieces[i].size) == 1;
    if (!fine || EVP_DigestFinal_ex(context, out, NULL) != 1)
        crypto_fault_die("a digest");
}

struct sha256 digest_sha256(const struct span *pieces, size_t count)
{
    struct sha256 out;
    digest(algorithms_sha256(), pieces, count, out.at);
    return out;
}

void digest_sha512(const struct span *pieces, size_t count, uint8_t out[SHA512_BYTES])
{
    digest(algorithms_sha512(), pieces, count, out);
}

// --- bit by bit ---------------------------------------------------------------------------------

struct sha256_stream {
    EVP_MD_CTX *context;
};

static void begin(struct sha256_stream *self)
{
    if (self->context == NULL || EVP_DigestInit_ex2(self->context, algorithms_sha256(), NULL) != 1)
        crypto_fault_die("a digest");
}

struct sha256_stream *sha256_stream_new(void)
{
    struct sha256_stream *self = owned_new(sizeof *self);
    self->context = EVP_MD_CTX_new();
    begin(self);
    return self;
}

void sha256_stream_free(struct sha256_stream **self)
{
    if (*self == NULL)
        return;
    EVP_MD_CTX_free((*self)->context);
    free(*self);
    *self = NULL;
}

void sha256_stream_add(struct sha256_stream *self, struct span bytes)
{
    if (bytes.size > 0 && EVP_DigestUpdate(self->context, bytes.at, bytes.size) != 1)
        crypto_fault_die("a digest");
}

struct sha256 sha256_stream_end(struct sha256_stream *self)
{
    struct sha256 out;
    if (EVP_DigestFinal_ex(self->context, out.at, NULL) != 1)
        crypto_fault_die("a digest");
    begin(self);
    return out;
}

#define BLOCK_BYTES 64

struct sha256 digest_hmac_sha256(struct span key, struct span message)
{
    uint8_t inner[BLOCK_BYTES] = {0}, outer[BLOCK_BYTES] = {0};
    assert(key.size <= BLOCK_BYTES);
    memcpy(inner, key.at, key.size);
    memcpy(outer, key.at, key.size);
    for (size_t i = 0; i < BLOCK_BYTES; i++) {
        inner[i] ^= 0x36;
        outer[i] ^= 0x5c;
    }
    struct sha256 hash = SHA256_OF(span_of(inner, sizeof inner), message);
    hash = SHA256_OF(span_of(outer, sizeof outer), sha256_span(&hash));
    OPENSSL_cleanse(inner, sizeof inner);
    OPENSSL_cleanse(outer, sizeof outer);
    return hash;
}
