// SPDX-License-Identifier: MIT
#include "lib/crypto/key_wrap.h"

#include "lib/base/cursor.h"
#include "lib/crypto/algorithms.h"
#include "lib/crypto/crypto_fault.h"
#include "lib/crypto/openssl_owned.h"

#include <openssl/crypto.h>
#include <stdlib.h>

/* RFC 3394, section 2.2, with AES-256. OpenSSL 3.0's own key wrap does not use the processor's AES
 * instructions and takes ten times as long, for each record that is written and for each that an
 * auditor reads; so the steps are here, over OpenSSL's block cipher. */
#define HALF_BYTES 8 /* of a block: the check value's, and a part's */
#define BLOCK_BYTES 16
#define PARTS (KEY_WRAP_BYTES / HALF_BYTES)
#define ROUNDS 6

static const uint8_t check_value[HALF_BYTES] = {0xa6, 0xa6, 0xa6, 0xa6, 0xa6, 0xa6, 0xa6, 0xa6};

struct key_wrap {
    EVP_CIPHER_CTX *wrap;
    EVP_CIPHER_CTX *unwrap;
};

void key_wrap_free(struct key_wrap **self)
{
    if (*self == NULL)
        return;
    EVP_CIPHER_CTX_free((*self)->wrap); /* wipes its key schedule */
    EVP_CIPHER_CTX_free((*self)->unwrap);
    free(*self);
    *self = NULL;
}

fault key_wrap_make(const uint8_t key[KEY_WRAP_BYTES], struct key_wrap **out)
{
    OWNED(key_wrap) self = owned_new(sizeof *self);
    self->wrap = EVP_CIPHER_CTX_new();
    self->unwrap = EVP_CIPHER_CTX_new();
    const EVP_CIPHER *cipher = algorithms_aes_256_ecb();
    if (self->wrap == NULL || self->unwrap == NULL ||
        EVP_EncryptInit_ex2(self->wrap, cipher, key, NULL, NULL) != 1 ||
        EVP_DecryptInit_ex2(self->unwrap, cipher, key, NULL, NULL) != 1 ||
        EVP_CIPHER_CTX_set_padding(self->wrap, 0) != 1 ||
        EVP_CIPHER_CTX_set_padding(self->unwrap, 0) != 1)
        return crypto_raise(CRYPTO_FAILED, "preparing a wrapping key");
    *out = TAKE(self);
    return DONE;
}

static void mix_count(uint8_t half[HALF_BYTES], uint64_t count)
{
    put_u64(half, get_u64(half) ^ count);
}

/* reg: the check value's half, then the parts; a wrapped key when it is done. */
static bool wrap_all(EVP_CIPHER_CTX *cipher, uint8_t reg[KEY_WRAPPED_BYTES])
{
    uint8_t block[BLOCK_BYTES];
    bool fine = true;
    for (unsigned count = 1; fine && count <= ROUNDS * PARTS; count++) {
        uint8_t *part = reg + HALF_BYTES * (1 + (count - 1) % PARTS);
        int size = 0;
        memcpy(block, reg, HALF_BYTES);
        memcpy(block + HALF_BYTES, part, HALF_BYTES);
        fine =
            EVP_EncryptUpdate(cipher, block, &size, block, BLOCK_BYTES) == 1 && size == BLOCK_BYTES;
        mix_count(block, count);
        memcpy(reg, block, HALF_BYTES);
        memcpy(part, block + HALF_BYTES, HALF_BYTES);
    }
    OPENSSL_cleanse(block, sizeof block);
    return fine;
}

static bool unwrap_all(EVP_CIPHER_CTX *cipher, uint8_t reg[KEY_WRAPPED_BYTES])
{
    uint8_t block[BLOCK_BYTES];
    bool fine = true;
    for (unsigned count = ROUNDS * PARTS; fine && count > 0; count--) {
        uint8_t *part = reg + HALF_BYTES * (1 + (count - 1) % PARTS);
        int size = 0;
        memcpy(block, reg, HALF_BYTES);
        mix_count(block, count);
        memcpy(block + HALF_BYTES, part, HALF_BYTES);
        fine =
            EVP_DecryptUpdate(cipher, block, &size, block, BLOCK_BYTES) == 1 && size == BLOCK_BYTES;
        memcpy(reg, block, HALF_BYTES);
        memcpy(part, block + HALF_BYTES, HALF_BYTES);
    }
    OPENSSL_cleanse(block, sizeof block);
    return fine;
}

fault key_wrap_wrap(struct key_wrap *self, const uint8_t key[KEY_WRAP_BYTES],
                    uint8_t out[KEY_WRAPPED_BYTES])
{
    uint8_t reg[KEY_WRAPPED_BYTES];
    memcpy(reg, check_value, HALF_BYTES);
    memcpy(reg + HALF_BYTES, key, KEY_WRAP_BYTES);
    bool fine = wrap_all(self->wrap, reg);
    if (fine)
        memcpy(out, reg, KEY_WRAPPED_BYTES);
    OPENSSL_cleanse(reg, sizeof reg);
    return fine ? DONE : crypto_raise(CRYPTO_FAILED, "wrapping a key");
}

fault key_wrap_unwrap(struct key_wrap *self, const uint8_t wrapped[KEY_WRAPPED_BYTES],
                      uint8_t out[KEY_WRAP_BYTES])
{
    uint8_t reg[KEY_WRAPPED_BYTES];
    memcpy(reg, wrapped, KEY_WRAPPED_BYTES);
    bool fine = unwrap_all(self->unwrap, reg) && CRYPTO_memcmp(reg, check_value, HALF_BYTES) == 0;
    if (fine)
        memcpy(out, reg + HALF_BYTES, KEY_WRAP_BYTES);
    else
        OPENSSL_cleanse(out, KEY_WRAP_BYTES);
    OPENSSL_cleanse(reg, sizeof reg);
    return fine ? DONE : crypto_raise(SEAL_BROKEN, "unwrapping a key");
}
