// SPDX-License-Identifier: MIT
#include "lib/crypto/cms.h"

#include "lib/base/file.h"
#include "lib/crypto/algorithms.h"
#include "lib/crypto/crypto_fault.h"
#include "lib/crypto/openssl_owned.h"

#include <openssl/cms.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <stdlib.h>

static void free_cms(CMS_ContentInfo **self)
{
    CMS_ContentInfo_free(*self);
}
#define OWNED_CMS __attribute__((cleanup(free_cms))) CMS_ContentInfo *

static fault encode(CMS_ContentInfo *cms, struct bytes **out)
{
    unsigned char *der = NULL;
    int size = i2d_CMS_ContentInfo(cms, &der);
    if (size <= 0)
        return crypto_raise(CRYPTO_FAILED, "encoding a CMS signature");
    fault f = bytes_copy(span_of(der, (size_t)size), out);
    OPENSSL_free(der);
    return f;
}

fault cms_detach(struct span leaf, const struct certificate *signer, struct bytes **out)
{
    const unsigned char *at = leaf.at;
    struct span der = certificate_der(signer);
    const unsigned char *certificate = der.at;
    OWNED_CMS cms = d2i_CMS_ContentInfo(NULL, &at, (long)leaf.size);
    if (cms == NULL || at != leaf.at + leaf.size)
        return crypto_raise(BAD_FRAME, "a leaf that is no CMS signature");
    OPENSSL_OWNED(X509) x509 = d2i_X509(NULL, &certificate, (long)der.size);
    if (x509 == NULL || CMS_set_detached(cms, 1) != 1 || CMS_add1_cert(cms, x509) != 1)
        return crypto_raise(CRYPTO_FAILED, "taking the content out of a signature");
    return encode(cms, out);
}

// --- sealing ------------------------------------------------------------------------------------

struct cms_sealer {
    EVP_PKEY *key;
    X509 *certificate;
    STACK_OF(X509) * chain;
};

void cms_sealer_free(struct cms_sealer **self)
{
    if (*self == NULL)
        return;
    EVP_PKEY_free((*self)->key);
    X509_free((*self)->certificate);
    sk_X509_pop_free((*self)->chain, X509_free);
    free(*self);
    *self = NULL;
}

/* Nobody sits at a terminal: an encrypted key is refused instead of asked about. */
static int no_passphrase(char *out, int room, int writing, void *owner)
{
    (void)out, (void)room, (void)writing, (void)owner;
    return -1;
}

static fault open_pem(const char *path, BIO **out, struct bytes **memory)
{
    TRY(file_read(path, CMS_PEM_BYTES_MAX, memory));
    *out = BIO_new_mem_buf((*memory)->data, (int)(*memory)->size);
    return *out != NULL ? DONE : crypto_raise(CRYPTO_FAILED, "reading a PEM file");
}

static fault load_key(struct cms_sealer *self, const char *path)
{
    OWNED(bytes) memory = NULL;
    OPENSSL_OWNED(BIO) in = NULL;
    TRY(open_pem(path, &in, &memory));
    self->key = PEM_read_bio_PrivateKey(in, NULL, no_passphrase, NULL);
    OPENSSL_cleanse(memory->data, memory->size);
    if (self->key == NULL)
        return crypto_raise(BAD_KEY, "no private key without a passphrase in this file");
    return DONE;
}

static fault load_certificates(struct cms_sealer *self, const char *path)
{
    OWNED(bytes) memory = NULL;
    OPENSSL_OWNED(BIO) in = NULL;
    TRY(open_pem(path, &in, &memory));
    self->certificate = PEM_read_bio_X509(in, NULL, no_passphrase, NULL);
    self->chain = sk_X509_new_null();
    if (self->certificate == NULL || self->chain == NULL)
        return crypto_raise(CERTIFICATE_BAD, "no certificate in this file");
    for (X509 *next; (next = PEM_read_bio_X509(in, NULL, no_passphrase, NULL)) != NULL;)
        if (sk_X509_push(self->chain, next) == 0) {
            X509_free(next);
            return crypto_raise(CRYPTO_FAILED, "keeping a certificate");
        }
    ERR_clear_error(); /* the end of the file is one */
    return DONE;
}

fault cms_sealer_load(const char *key_path, const char *certificate_path, struct cms_sealer **out)
{
    OWNED(cms_sealer) self = owned_new(sizeof *self);
    TRY(load_key(self, key_path));
    TRY(load_certificates(self, certificate_path));
    if (X509_check_private_key(self->certificate, self->key) != 1)
        return crypto_raise(BAD_KEY, "key and certificate do not belong together");
    *out = TAKE(self);
    return DONE;
}

fault cms_sealer_sign(struct cms_sealer *self, struct span content, struct bytes **out)
{
    static const unsigned flags =
        CMS_DETACHED | CMS_BINARY | CMS_CADES | CMS_NOSMIMECAP | CMS_PARTIAL;
    OPENSSL_OWNED(BIO) in = BIO_new_mem_buf(content.at, (int)content.size);
    if (in == NULL)
        return crypto_raise(CRYPTO_FAILED, "reading what is to be sealed");
    OWNED_CMS cms = CMS_sign(NULL, NULL, self->chain, NULL, flags);
    if (cms == NULL ||
        CMS_add1_signer(cms, self->certificate, self->key, algorithms_sha256(), flags) == NULL ||
        CMS_final(cms, in, NULL, flags) != 1)
        return crypto_raise(CRYPTO_FAILED, "sealing");
    return encode(cms, out);
}
