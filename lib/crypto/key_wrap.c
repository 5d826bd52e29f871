// SPDX-License-Identifier: MIT
#include "lib/crypto/key_wrap.h"

#include "lib/crypto/algorithms.h"
#include "lib/crypto/crypto_fault.h"
#include "lib/crypto/openssl_owned.h"

#include <openssl/crypto.h>
#include <stdlib.h>

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
    if (self->wrap == NULL || self->unwrap == NULL)
        return crypto_raise(CRYPTO_FAILED, "preparing a wrapping key");
    EVP_CIPHER_CTX_set_flags(self->wrap, EVP_CIPHER_CTX_FLAG_WRAP_ALLOW);
    EVP_CIPHER_CTX_set_flags(self->unwrap, EVP_CIPHER_CTX_FLAG_WRAP_ALLOW);
    const EVP_CIPHER *cipher = algorithms_aes_256_wrap();
    if (EVP_EncryptInit_ex2(self->wrap, cipher, key, NULL, NULL) != 1 ||
        EVP_DecryptInit_ex2(self->unwrap, cipher, key, NULL, NULL) != 1)
        return crypto_raise(CRYPTO_FAILED, "preparing a wrapping key");
    *out = TAKE(self);
    return DONE;
}

fault key_wrap_wrap(struct key_wrap *self, const uint8_t key[KEY_WRAP_BYTES],
                    uint8_t out[KEY_WRAPPED_BYTES])
{
    int size = 0;
    if (EVP_EncryptUpdate(self->wrap, out, &size, key, KEY_WRAP_BYTES) != 1 ||
        size != KEY_WRAPPED_BYTES)
        return crypto_raise(CRYPTO_FAILED, "wrapping a key");
    return DONE;
}

fault key_wrap_unwrap(struct key_wrap *self, const uint8_t wrapped[KEY_WRAPPED_BYTES],
                      uint8_t out[KEY_WRAP_BYTES])
{
    uint8_t room[KEY_WRAPPED_BYTES]; /* OpenSSL may use what it was given room for */
    int size = 0;
    bool fine = EVP_DecryptUpdate(self->unwrap, room, &size, wrapped, KEY_WRAPPED_BYTES) == 1 &&
                size == KEY_WRAP_BYTES;
    memcpy(out, room, KEY_WRAP_BYTES);
    OPENSSL_cleanse(room, sizeof room);
    if (fine)
        return DONE;
    OPENSSL_cleanse(out, KEY_WRAP_BYTES);
    return crypto_raise(SEAL_BROKEN, "unwrapping a key");
}
