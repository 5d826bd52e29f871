// SPDX-License-Identifier: MIT
#include "lib/crypto/seal.h"

#include "lib/base/cursor.h"
#include "lib/crypto/algorithms.h"
#include "lib/crypto/crypto_fault.h"
#include "lib/crypto/openssl_owned.h"

#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <stdlib.h>

#define NONCE_BYTES 12

/* One context per direction: between messages only the nonce is set anew. */
struct seal_key {
    EVP_CIPHER_CTX *encrypt;
    EVP_CIPHER_CTX *decrypt;
};

void seal_wipe(void *at, size_t size)
{
    OPENSSL_cleanse(at, size);
}

void seal_key_free(struct seal_key **self)
{
    if (*self == NULL)
        return;
    EVP_CIPHER_CTX_free((*self)->encrypt); /* wipes its key schedule */
    EVP_CIPHER_CTX_free((*self)->decrypt);
    free(*self);
    *self = NULL;
}

fault seal_key_make(const uint8_t key[SEAL_KEY_BYTES], struct seal_key **out)
{
    OWNED(seal_key) self = owned_new(sizeof *self);
    self->encrypt = EVP_CIPHER_CTX_new();
    self->decrypt = EVP_CIPHER_CTX_new();
    const EVP_CIPHER *cipher = algorithms_aes_256_gcm();
    if (self->encrypt == NULL || self->decrypt == NULL ||
        EVP_EncryptInit_ex2(self->encrypt, cipher, key, NULL, NULL) != 1 ||
        EVP_DecryptInit_ex2(self->decrypt, cipher, key, NULL, NULL) != 1)
        return crypto_raise(CRYPTO_FAILED, "preparing a sealing key");
    *out = TAKE(self);
    return DONE;
}

/* ---- agreeing ---- */

/* OSSL_PARAM takes no const: hence the copies, which are wiped. */
static fault expand(const uint8_t shared[32], const uint8_t ephemeral[X25519_PUBLIC_BYTES],
                    const uint8_t receiver[X25519_PUBLIC_BYTES], uint8_t out[SEAL_KEY_BYTES])
{
    char digest[] = "SHA256";
    char info[] = "chaski seal v1";
    uint8_t ikm[32];
    uint8_t salt[2 * X25519_PUBLIC_BYTES];
    memcpy(ikm, shared, sizeof ikm);
    memcpy(salt, ephemeral, X25519_PUBLIC_BYTES);
    memcpy(salt + X25519_PUBLIC_BYTES, receiver, X25519_PUBLIC_BYTES);
    OSSL_PARAM params[] = {
        OSSL_PARAM_construct_utf8_string(OSSL_KDF_PARAM_DIGEST, digest, 0),
        OSSL_PARAM_construct_octet_string(OSSL_KDF_PARAM_KEY, ikm, sizeof ikm),
        OSSL_PARAM_construct_octet_string(OSSL_KDF_PARAM_SALT, salt, sizeof salt),
        OSSL_PARAM_construct_octet_string(OSSL_KDF_PARAM_INFO, info, sizeof info - 1),
        OSSL_PARAM_construct_end(),
    };
    OPENSSL_OWNED(EVP_KDF_CTX) hkdf = EVP_KDF_CTX_new(algorithms_hkdf());
    bool fine = hkdf != NULL && EVP_KDF_derive(hkdf, out, SEAL_KEY_BYTES, params) == 1;
    OPENSSL_cleanse(ikm, sizeof ikm);
    return fine ? DONE : crypto_raise(CRYPTO_FAILED, "deriving a sealing key");
}

static fault public_of(const struct keypair *pair, uint8_t out[X25519_PUBLIC_BYTES])
{
    OWNED(bytes) raw = NULL;
    TRY(keypair_public(pair, &raw));
    memcpy(out, raw->data, X25519_PUBLIC_BYTES);
    return DONE;
}

fault seal_start(const uint8_t receiver[X25519_PUBLIC_BYTES],
                 uint8_t ephemeral_out[X25519_PUBLIC_BYTES], struct seal_key **out)
{
    OWNED(keypair) pair = NULL;
    uint8_t ephemeral[X25519_PUBLIC_BYTES];
    uint8_t shared[32];
    uint8_t key[SEAL_KEY_BYTES];
    TRY(keypair_make(KEY_X25519, &pair));
    TRY(public_of(pair, ephemeral));
    TRY(keypair_agree(pair, receiver, shared));
    fault made = expand(shared, ephemeral, receiver, key);
    if (!failed(made))
        made = seal_key_make(key, out);
    OPENSSL_cleanse(shared, sizeof shared);
    OPENSSL_cleanse(key, sizeof key);
    TRY(made);
    memcpy(ephemeral_out, ephemeral, sizeof ephemeral);
    return DONE;
}

fault seal_derive(struct keypair *receiver, const uint8_t ephemeral[X25519_PUBLIC_BYTES],
                  uint8_t out[SEAL_KEY_BYTES])
{
    uint8_t own[X25519_PUBLIC_BYTES];
    uint8_t shared[32];
    TRY(public_of(receiver, own));
    TRY(keypair_agree(receiver, ephemeral, shared));
    fault made = expand(shared, ephemeral, own, out);
    OPENSSL_cleanse(shared, sizeof shared);
    return made;
}

/* ---- messages ---- */

static void nonce_of(uint64_t counter, uint8_t out[NONCE_BYTES])
{
    put_u32(out, 0);
    put_u64(out + 4, counter);
}

/* OpenSSL counts in int. */
static bool sizes_fit(struct span associated, struct span text)
{
    return associated.size <= SEAL_BYTES_MAX && text.size <= SEAL_BYTES_MAX;
}

/* `key`: NULL for the one that the context has. */
static fault encrypt(EVP_CIPHER_CTX *gcm, const uint8_t *key, uint64_t counter,
                     struct span associated, struct span plain, uint8_t *out)
{
    if (!sizes_fit(associated, plain))
        return RAISE(CRYPTO_FAILED, "sealing %zu bytes at once", plain.size);
    uint8_t nonce[NONCE_BYTES];
    nonce_of(counter, nonce);
    int size = 0;
    if (EVP_EncryptInit_ex2(gcm, NULL, key, nonce, NULL) != 1 ||
        (associated.size > 0 &&
         EVP_EncryptUpdate(gcm, NULL, &size, associated.at, (int)associated.size) != 1) ||
        (plain.size > 0 && EVP_EncryptUpdate(gcm, out, &size, plain.at, (int)plain.size) != 1) ||
        EVP_EncryptFinal_ex(gcm, out + plain.size, &size) != 1 ||
        EVP_CIPHER_CTX_ctrl(gcm, EVP_CTRL_AEAD_GET_TAG, SEAL_TAG_BYTES, out + plain.size) != 1)
        return crypto_raise(CRYPTO_FAILED, "sealing");
    return DONE;
}

fault seal_encrypt(struct seal_key *self, uint64_t counter, struct span associated,
                   struct span plain, uint8_t *out)
{
    return encrypt(self->encrypt, NULL, counter, associated, plain, out);
}

/* `key` as above. */
static bool decrypt(EVP_CIPHER_CTX *gcm, const uint8_t *key, uint64_t counter,
                    struct span associated, struct span sealed, uint8_t *out)
{
    uint8_t nonce[NONCE_BYTES];
    uint8_t tag[SEAL_TAG_BYTES];
    uint8_t none[SEAL_TAG_BYTES];
    struct span secret = span_of(sealed.at, sealed.size - SEAL_TAG_BYTES);
    nonce_of(counter, nonce);
    memcpy(tag, sealed.at + secret.size,
           sizeof tag); /* before `out`, which may be the same place */
    int size = 0;
    return EVP_DecryptInit_ex2(gcm, NULL, key, nonce, NULL) == 1 &&
           (associated.size == 0 ||
            EVP_DecryptUpdate(gcm, NULL, &size, associated.at, (int)associated.size) == 1) &&
           (secret.size == 0 ||
            EVP_DecryptUpdate(gcm, out, &size, secret.at, (int)secret.size) == 1) &&
           EVP_CIPHER_CTX_ctrl(gcm, EVP_CTRL_AEAD_SET_TAG, SEAL_TAG_BYTES, tag) == 1 &&
           EVP_DecryptFinal_ex(gcm, none, &size) == 1;
}

static fault open_text(EVP_CIPHER_CTX *gcm, const uint8_t *key, uint64_t counter,
                       struct span associated, struct span sealed, uint8_t *out)
{
    if (sealed.size < SEAL_TAG_BYTES || !sizes_fit(associated, sealed))
        return RAISE(SEAL_BROKEN, "a sealed text of %zu bytes", sealed.size);
    if (decrypt(gcm, key, counter, associated, sealed, out))
        return DONE;
    if (sealed.size > SEAL_TAG_BYTES)
        OPENSSL_cleanse(out, sealed.size - SEAL_TAG_BYTES); /* nobody acts on unproven text */
    return crypto_raise(SEAL_BROKEN, "opening");
}

fault seal_decrypt(struct seal_key *self, uint64_t counter, struct span associated,
                   struct span sealed, uint8_t *out)
{
    return open_text(self->decrypt, NULL, counter, associated, sealed, out);
}

/* ---- keys that are used once ---- */

struct seal_once {
    EVP_CIPHER_CTX *encrypt, *decrypt;
};

void seal_once_free(struct seal_once **self)
{
    if (*self == NULL)
        return;
    EVP_CIPHER_CTX_free((*self)->encrypt); /* wipes its key schedule */
    EVP_CIPHER_CTX_free((*self)->decrypt);
    free(*self);
    *self = NULL;
}

fault seal_once_new(struct seal_once **out)
{
    OWNED(seal_once) self = owned_new(sizeof *self);
    self->encrypt = EVP_CIPHER_CTX_new();
    self->decrypt = EVP_CIPHER_CTX_new();
    const EVP_CIPHER *cipher = algorithms_aes_256_gcm();
    if (self->encrypt == NULL || self->decrypt == NULL ||
        EVP_EncryptInit_ex2(self->encrypt, cipher, NULL, NULL, NULL) != 1 ||
        EVP_DecryptInit_ex2(self->decrypt, cipher, NULL, NULL, NULL) != 1)
        return crypto_raise(CRYPTO_FAILED, "preparing to seal");
    *out = TAKE(self);
    return DONE;
}

fault seal_once_encrypt(struct seal_once *self, const uint8_t key[SEAL_KEY_BYTES],
                        struct span associated, struct span plain, uint8_t *out)
{
    return encrypt(self->encrypt, key, 0, associated, plain, out);
}

fault seal_once_decrypt(struct seal_once *self, const uint8_t key[SEAL_KEY_BYTES],
                        struct span associated, struct span sealed, uint8_t *out)
{
    return open_text(self->decrypt, key, 0, associated, sealed, out);
}
