// SPDX-License-Identifier: MIT
#include "lib/crypto/certificate_private.h"

#include "lib/crypto/crypto_fault.h"
#include "lib/crypto/openssl_owned.h"

#include <limits.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>
#include <stdlib.h>

#define STRENGTH_LEVEL 2 /* OpenSSL's security level of 112 bits: no SHA-1, no RSA below 2048 */

struct trust {
    X509_STORE *store;
};

void trust_free(struct trust **self)
{
    if (*self == NULL)
        return;
    X509_STORE_free((*self)->store);
    free(*self);
    *self = NULL;
}

/* PARTIAL_CHAIN: each certificate of the store is an anchor, also one that a root outside it has
 * signed. */
fault trust_store_new(X509_STORE **out)
{
    OPENSSL_OWNED(X509_STORE) store = X509_STORE_new();
    if (store == NULL || X509_STORE_set_flags(store, X509_V_FLAG_PARTIAL_CHAIN) != 1)
        return crypto_raise(CRYPTO_FAILED, "a trust store");
    X509_VERIFY_PARAM_set_auth_level(X509_STORE_get0_param(store), STRENGTH_LEVEL);
    *out = TAKE(store);
    return DONE;
}

/* Only CA certificates: with partial chains allowed, a member's own certificate in this file would
 * vouch for itself. */
static fault add_anchor(struct trust *self, struct span der, const char *path)
{
    X509 *decoded = NULL;
    TRY(certificate_decode(der, &decoded));
    OPENSSL_OWNED(X509) anchor = decoded;
    if (X509_check_ca(anchor) != 1)
        return RAISE(CERTIFICATE_BAD, "%s holds a certificate that is not a CA's", path);
    if (X509_STORE_add_cert(self->store, anchor) != 1)
        return crypto_raise(CRYPTO_FAILED, "keeping a trust anchor");
    return DONE;
}

/* `name`: how the text is called in what is said about it. */
static fault read_anchors(BIO *in, const char *name, struct trust **out)
{
    OWNED(trust) self = owned_new(sizeof *self);
    TRY(trust_store_new(&self->store));
    size_t count = 0;
    fault found = DONE;
    for (; !failed(found); count++) {
        OWNED(bytes) der = NULL;
        found = certificate_next_of_pem(in, name, &der);
        if (!failed(found))
            TRY(add_anchor(self, bytes_span(der), name));
    }
    if (found.code != NOT_FOUND)
        return found;
    if (count == 1)
        return RAISE(CERTIFICATE_BAD, "%s holds no certificate", name);
    *out = TAKE(self);
    return DONE;
}

fault trust_load(const char *path, struct trust **out)
{
    BIO *opened = NULL;
    TRY(certificate_open_pem(path, &opened));
    OPENSSL_OWNED(BIO) in = opened;
    return read_anchors(in, path, out);
}

fault trust_read(struct span pem, struct trust **out)
{
    OPENSSL_OWNED(BIO) in = pem.size > INT_MAX ? NULL : BIO_new_mem_buf(pem.at, (int)pem.size);
    if (in == NULL)
        return crypto_raise(CRYPTO_FAILED, "reading certificates");
    return read_anchors(in, "the anchor", out);
}

fault trust_verify(X509_STORE_CTX *prepared, int64_t at_ms)
{
    X509_VERIFY_PARAM *rules = X509_STORE_CTX_get0_param(prepared);
    X509_VERIFY_PARAM_set_time(rules, certificate_seconds(at_ms));
    if (X509_VERIFY_PARAM_set_purpose(rules, X509_PURPOSE_ANY) != 1)
        return crypto_raise(CRYPTO_FAILED, "preparing a chain check");
    int verdict = X509_verify_cert(prepared);
    ERR_clear_error(); /* the reason stands in the context */
    if (verdict != 1)
        return RAISE(CERTIFICATE_BAD, "%s",
                     X509_verify_cert_error_string(X509_STORE_CTX_get_error(prepared)));
    return DONE;
}

static fault check_chain(X509_STORE_CTX *check, struct trust *self,
                         const struct certificate *certificate, int64_t at_ms)
{
    if (check == NULL ||
        X509_STORE_CTX_init(check, self->store, certificate_x509(certificate), NULL) != 1)
        return crypto_raise(CRYPTO_FAILED, "preparing a chain check");
    return trust_verify(check, at_ms);
}

fault trust_check(struct trust *self, const struct certificate *certificate, int64_t at_ms)
{
    OPENSSL_OWNED(X509_STORE_CTX) check = X509_STORE_CTX_new();
    return check_chain(check, self, certificate, at_ms);
}

fault trust_chain(struct trust *self, const struct certificate *certificate, int64_t at_ms,
                  struct bytes **out)
{
    OPENSSL_OWNED(X509_STORE_CTX) check = X509_STORE_CTX_new();
    TRY(check_chain(check, self, certificate, at_ms));
    STACK_OF(X509) *chain = X509_STORE_CTX_get0_chain(check);
    OPENSSL_OWNED(BIO) pem = BIO_new(BIO_s_mem());
    if (pem == NULL)
        return crypto_raise(CRYPTO_FAILED, "writing a chain");
    for (int i = 1; i < sk_X509_num(chain); i++)
        if (PEM_write_bio_X509(pem, sk_X509_value(chain, i)) != 1)
            return crypto_raise(CRYPTO_FAILED, "writing a chain");
    char *text = NULL;
    long size = BIO_get_mem_data(pem, &text);
    return bytes_copy(span_of(text, (size_t)size), out);
}

static fault add_anchors_of(const struct trust *self, X509_STORE *store)
{
    const STACK_OF(X509_OBJECT) *anchors = X509_STORE_get0_objects(self->store);
    for (int i = 0; i < sk_X509_OBJECT_num(anchors); i++) {
        X509 *anchor = X509_OBJECT_get0_X509(sk_X509_OBJECT_value(anchors, i));
        if (anchor != NULL && X509_STORE_add_cert(store, anchor) != 1)
            return crypto_raise(CRYPTO_FAILED, "keeping a trust anchor");
    }
    return DONE;
}

fault trust_store_at(const struct trust *self, int64_t at_ms, X509_STORE **out)
{
    X509_STORE *made = NULL;
    TRY(trust_store_new(&made));
    OPENSSL_OWNED(X509_STORE) store = made;
    X509_VERIFY_PARAM_set_time(X509_STORE_get0_param(store), certificate_seconds(at_ms));
    TRY(add_anchors_of(self, store));
    *out = TAKE(store);
    return DONE;
}
