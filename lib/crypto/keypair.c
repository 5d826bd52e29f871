// SPDX-License-Identifier: MIT
#include "lib/crypto/keypair.h"

#include "lib/crypto/algorithms.h"
#include "lib/crypto/certificate_request.h"
#include "lib/crypto/crypto_fault.h"
#include "lib/crypto/ecdsa.h"
#include "lib/crypto/key_file.h"
#include "lib/crypto/keypair_private.h"
#include "lib/crypto/openssl_owned.h"
#include "lib/crypto/p256.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <openssl/core_names.h>
#include <openssl/pem.h>
#include <stdlib.h>
#include <unistd.h>

struct keypair {
    enum key_kind kind;
    EVP_PKEY *pkey;
    struct keypair_elsewhere elsewhere; /* signer.sign is NULL when the private half is here */
    EVP_PKEY_CTX *prepared; /* signing for P-256, agreement for X25519, NULL for Ed25519 */
};

static const struct {
    const char *algorithm;
    const char *group;
    int id;
    const char *word;
} kinds[] = {
    [KEY_P256] = {"EC", "P-256", EVP_PKEY_EC, "P-256"},
    [KEY_ED25519] = {"ED25519", NULL, EVP_PKEY_ED25519, "Ed25519"},
    [KEY_X25519] = {"X25519", NULL, EVP_PKEY_X25519, "X25519"},
};

void keypair_free(struct keypair **self)
{
    if (*self == NULL)
        return;
    EVP_PKEY_CTX_free((*self)->prepared);
    EVP_PKEY_free((*self)->pkey); /* OpenSSL wipes private parts as it frees them */
    free(*self);
    *self = NULL;
}

EVP_PKEY *keypair_pkey(const struct keypair *self)
{
    return self->pkey;
}

enum key_kind keypair_kind(const struct keypair *self)
{
    return self->kind;
}

bool keypair_is_p256(const EVP_PKEY *pkey)
{
    char group[32] = "";
    int spelled_out = 0;
    return EVP_PKEY_is_a(pkey, "EC") == 1 &&
           EVP_PKEY_get_group_name(pkey, group, sizeof group, NULL) == 1 &&
           strcmp(group, "prime256v1") == 0 &&
           EVP_PKEY_get_int_param(pkey, OSSL_PKEY_PARAM_EC_DECODED_FROM_EXPLICIT_PARAMS,
                                  &spelled_out) == 1 &&
           spelled_out == 0;
}

/* One context per key, made here, so that a signature does not pay for its set-up. */
static fault prepare(struct keypair *self)
{
    if (self->kind == KEY_ED25519)
        return DONE; /* one-shot only, and a context must not be used twice from OpenSSL 3.2 on */
    self->prepared = EVP_PKEY_CTX_new_from_pkey(NULL, self->pkey, NULL);
    bool fine = self->prepared != NULL;
    if (fine && self->kind == KEY_P256)
        fine = EVP_PKEY_sign_init(self->prepared) == 1 &&
               EVP_PKEY_CTX_set_signature_md(self->prepared, algorithms_sha256()) == 1;
    else if (fine)
        fine = EVP_PKEY_derive_init(self->prepared) == 1;
    return fine ? DONE : crypto_raise(CRYPTO_FAILED, "preparing a key");
}

fault keypair_adopt(enum key_kind kind, EVP_PKEY *pkey, const struct keypair_elsewhere *elsewhere,
                    struct keypair **out)
{
    OWNED(keypair) self = owned_new(sizeof *self);
    self->kind = kind;
    self->pkey = pkey;
    if (elsewhere != NULL)
        self->elsewhere = *elsewhere;
    else
        TRY(prepare(self));
    *out = TAKE(self);
    return DONE;
}

fault keypair_make(enum key_kind kind, struct keypair **out)
{
    EVP_PKEY *pkey = kind == KEY_P256
                         ? EVP_PKEY_Q_keygen(NULL, NULL, kinds[kind].algorithm, kinds[kind].group)
                         : EVP_PKEY_Q_keygen(NULL, NULL, kinds[kind].algorithm);
    if (pkey == NULL)
        return crypto_raise(CRYPTO_FAILED, "making a key");
    return keypair_adopt(kind, pkey, NULL, out);
}

fault keypair_from_raw(enum key_kind kind, const uint8_t raw[32], struct keypair **out)
{
    if (kind == KEY_P256)
        return RAISE(BAD_KEY, "a raw P-256 key is not taken");
    EVP_PKEY *pkey =
        EVP_PKEY_new_raw_private_key_ex(NULL, kinds[kind].algorithm, NULL, raw, KEY_SEED_BYTES);
    if (pkey == NULL)
        return crypto_raise(BAD_KEY, "a raw key");
    return keypair_adopt(kind, pkey, NULL, out);
}

/* Unencrypted PKCS#8 only (key_file has opened it), so that OpenSSL never asks a terminal for a
 * passphrase. */
static EVP_PKEY *decode_private(const uint8_t *pem, size_t size)
{
    OPENSSL_OWNED(BIO) in = BIO_new_mem_buf(pem, (int)size);
    if (in == NULL)
        return NULL;
    OPENSSL_OWNED(PKCS8_PRIV_KEY_INFO)
    info = PEM_read_bio_PKCS8_PRIV_KEY_INFO(in, NULL, NULL, NULL);
    return info == NULL ? NULL : EVP_PKCS82PKEY(info);
}

static bool is_of_kind(EVP_PKEY *pkey, enum key_kind kind)
{
    if (kind != KEY_P256)
        return EVP_PKEY_get_id(pkey) == kinds[kind].id;
    /* A damaged file may hold a public point of another key: every signature would be refused. */
    OPENSSL_OWNED(EVP_PKEY_CTX) check = EVP_PKEY_CTX_new_from_pkey(NULL, pkey, NULL);
    return keypair_is_p256(pkey) && check != NULL && EVP_PKEY_pairwise_check(check) == 1 &&
           EVP_PKEY_set_utf8_string_param(pkey, OSSL_PKEY_PARAM_EC_POINT_CONVERSION_FORMAT,
                                          "uncompressed") == 1;
}

fault keypair_load(const char *path, enum key_kind kind, struct keypair **out)
{
    return keypair_load_sealed(path, kind, NULL, out);
}

fault keypair_load_sealed(const char *path, enum key_kind kind, struct key_opener *opener,
                          struct keypair **out)
{
    OWNED(secret) content = NULL;
    TRY(key_file_read(path, opener, &content));
    OPENSSL_OWNED(EVP_PKEY) pkey = decode_private(content->data, content->size);
    if (pkey == NULL) {
        ignore(crypto_raise(BAD_KEY, "PEM")); /* only to empty the queue: its reason misleads */
        return RAISE(BAD_KEY, "key file %s is not a PKCS#8 PEM key", path);
    }
    if (!is_of_kind(pkey, kind)) {
        ignore(crypto_raise(BAD_KEY, "kind")); /* the same */
        return RAISE(BAD_KEY, "key file %s does not hold a sound %s key", path, kinds[kind].word);
    }
    return keypair_adopt(kind, TAKE(pkey), NULL, out);
}

fault keypair_save(const struct keypair *self, const char *path)
{
    return keypair_save_sealed(self, path, (struct span){0});
}

fault keypair_save_sealed(const struct keypair *self, const char *path, struct span passphrase)
{
    OPENSSL_OWNED(BIO) pem = BIO_new(BIO_s_mem()); /* wiped as it is freed */
    if (pem == NULL ||
        PEM_write_bio_PKCS8PrivateKey(pem, self->pkey, NULL, NULL, 0, NULL, NULL) != 1)
        return crypto_raise(CRYPTO_FAILED, "encoding a key");
    char *text = NULL;
    long size = BIO_get_mem_data(pem, &text);
    return key_file_make(path, span_of(text, (size_t)size), passphrase);
}

fault keypair_public(const struct keypair *self, struct bytes **out)
{
    uint8_t raw[P256_POINT_BYTES];
    size_t size = sizeof raw;
    size_t expected = self->kind == KEY_P256 ? P256_POINT_BYTES : ED25519_PUBLIC_BYTES;
    if (self->elsewhere.signer.sign != NULL)
        return bytes_copy(span_of(self->elsewhere.point, P256_POINT_BYTES), out);
    bool fine = self->kind == KEY_P256
                    ? EVP_PKEY_get_octet_string_param(self->pkey, OSSL_PKEY_PARAM_PUB_KEY, raw,
                                                      sizeof raw, &size) == 1
                    : EVP_PKEY_get_raw_public_key(self->pkey, raw, &size) == 1;
    if (!fine || size != expected)
        return crypto_raise(CRYPTO_FAILED, "a public key");
    return bytes_copy(span_of(raw, size), out);
}

static fault sign_own(void *owner, const uint8_t digest[32], uint8_t out[P256_SIGNATURE_BYTES_MAX],
                      size_t *out_size)
{
    return keypair_sign_digest(owner, digest, out, out_size);
}

fault keypair_request(struct keypair *self, const struct certificate_subject *subject,
                      struct bytes **out)
{
    OWNED(bytes) point = NULL;
    const struct digest_signer signer = {sign_own, self};
    if (self->kind != KEY_P256)
        return RAISE(BAD_KEY, "a certificate request needs a P-256 key");
    TRY(keypair_public(self, &point));
    return certificate_request_make(point->data, subject, &signer, out);
}

fault keypair_sign_digest(struct keypair *self, const uint8_t digest[32],
                          uint8_t out[P256_SIGNATURE_BYTES_MAX], size_t *out_size)
{
    assert(self->kind == KEY_P256);
    uint8_t signature[P256_SIGNATURE_BYTES_MAX];
    size_t size = sizeof signature;
    if (self->elsewhere.signer.sign != NULL)
        return self->elsewhere.signer.sign(self->elsewhere.signer.owner, digest, out, out_size);
    if (EVP_PKEY_sign(self->prepared, signature, &size, digest, 32) != 1)
        return crypto_raise(CRYPTO_FAILED, "signing a digest");
    TRY(ecdsa_make_low_s(signature, &size));
    memcpy(out, signature, size);
    *out_size = size;
    return DONE;
}

fault keypair_sign_message(struct keypair *self, struct span message,
                           uint8_t out[ED25519_SIGNATURE_BYTES])
{
    assert(self->kind == KEY_ED25519);
    OPENSSL_OWNED(EVP_MD_CTX) context = EVP_MD_CTX_new();
    uint8_t signature[ED25519_SIGNATURE_BYTES];
    size_t size = sizeof signature;
    if (context == NULL ||
        EVP_DigestSignInit_ex(context, NULL, NULL, NULL, NULL, self->pkey, NULL) != 1 ||
        EVP_DigestSign(context, signature, &size, message.at, message.size) != 1 ||
        size != sizeof signature)
        return crypto_raise(CRYPTO_FAILED, "signing a message");
    memcpy(out, signature, size);
    return DONE;
}

/* OpenSSL refuses an all-zero result, which is what every low-order point leads to. */
fault keypair_agree(struct keypair *self, const uint8_t peer[X25519_PUBLIC_BYTES], uint8_t out[32])
{
    assert(self->kind == KEY_X25519);
    OPENSSL_OWNED(EVP_PKEY)
    other = EVP_PKEY_new_raw_public_key_ex(NULL, "X25519", NULL, peer, X25519_PUBLIC_BYTES);
    if (other == NULL || EVP_PKEY_derive_set_peer(self->prepared, other) != 1)
        return crypto_raise(SEAL_BROKEN, "a peer's X25519 key");
    uint8_t shared[32];
    size_t size = sizeof shared;
    bool fine = EVP_PKEY_derive(self->prepared, shared, &size) == 1 && size == sizeof shared;
    if (fine)
        memcpy(out, shared, sizeof shared);
    OPENSSL_cleanse(shared, sizeof shared);
    return fine ? DONE : crypto_raise(SEAL_BROKEN, "agreeing with a peer's X25519 key");
}

fault ed25519_verify(const uint8_t public_key[ED25519_PUBLIC_BYTES], struct span message,
                     struct span signature)
{
    if (signature.size != ED25519_SIGNATURE_BYTES)
        return RAISE(SIGNATURE_BAD, "an Ed25519 signature of %zu bytes", signature.size);
    OPENSSL_OWNED(EVP_PKEY)
    signer =
        EVP_PKEY_new_raw_public_key_ex(NULL, "ED25519", NULL, public_key, ED25519_PUBLIC_BYTES);
    OPENSSL_OWNED(EVP_MD_CTX) context = EVP_MD_CTX_new();
    if (signer == NULL || context == NULL ||
        EVP_DigestVerifyInit_ex(context, NULL, NULL, NULL, NULL, signer, NULL) != 1)
        return crypto_raise(CRYPTO_FAILED, "preparing an Ed25519 check");
    if (EVP_DigestVerify(context, signature.at, signature.size, message.at, message.size) != 1)
        return crypto_raise(SIGNATURE_BAD, "an Ed25519 signature");
    return DONE;
}
