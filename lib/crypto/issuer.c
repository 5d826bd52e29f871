// SPDX-License-Identifier: MIT
#include "lib/crypto/issuer.h"

#include "lib/crypto/certificate_private.h"
#include "lib/crypto/crypto_fault.h"
#include "lib/crypto/issuer_private.h"
#include "lib/crypto/openssl_owned.h"

#include <openssl/pem.h>
#include <openssl/x509v3.h>
#include <stdlib.h>

struct issuer {
    X509 *x509;
    X509 *above[ISSUER_CHAIN_MAX];
    struct bytes *above_der[ISSUER_CHAIN_MAX];
    size_t count;
    X509_STORE *store; /* of x509 alone */
    struct bytes *der;
    struct sha256 hash;
    int64_t not_after_ms;
};

void issuer_free(struct issuer **self)
{
    if (*self == NULL)
        return;
    X509_free((*self)->x509);
    for (size_t i = 0; i < (*self)->count; i++) {
        X509_free((*self)->above[i]);
        bytes_free(&(*self)->above_der[i]);
    }
    X509_STORE_free((*self)->store);
    bytes_free(&(*self)->der);
    free(*self);
    *self = NULL;
}

X509 *issuer_x509(const struct issuer *self)
{
    return self->x509;
}

X509_STORE *issuer_store(const struct issuer *self)
{
    return self->store;
}

struct span issuer_der(const struct issuer *self)
{
    return bytes_span(self->der);
}

struct span issuer_above(const struct issuer *self, size_t i)
{
    return i < self->count ? bytes_span(self->above_der[i]) : span_of(NULL, 0);
}

struct sha256 issuer_hash(const struct issuer *self)
{
    return self->hash;
}

int64_t issuer_not_after_ms(const struct issuer *self)
{
    return self->not_after_ms;
}

void issuer_words(const struct issuer *self, char *out, size_t room)
{
    OPENSSL_OWNED(BIO) text = BIO_new(BIO_s_mem());
    char *at = NULL;
    out[0] = '\0';
    if (text == NULL ||
        X509_NAME_print_ex(text, X509_get_subject_name(self->x509), 0, XN_FLAG_RFC2253) < 0)
        return;
    size_t size = (size_t)BIO_get_mem_data(text, &at);
    if (size >= room)
        size = room - 1;
    memcpy(out, at, size);
    out[size] = '\0';
}

// --- making -------------------------------------------------------------------------------------

/* A v3 CA certificate that says so and, if it names usages, may sign certificates. */
static fault check_ca(X509 *x509)
{
    if ((X509_get_extension_flags(x509) & EXFLAG_INVALID) != 0 || X509_check_ca(x509) != 1)
        return RAISE(CERTIFICATE_BAD, "a certificate that is not a CA's");
    return DONE;
}

static fault read_all(struct issuer *self, struct span certificate, const struct span *chain,
                      size_t count)
{
    if (count > ISSUER_CHAIN_MAX)
        return RAISE(CERTIFICATE_BAD, "a chain of more than %d", ISSUER_CHAIN_MAX);
    TRY(certificate_decode(certificate, &self->x509));
    TRY(check_ca(self->x509));
    for (size_t i = 0; i < count; i++) {
        TRY(certificate_decode(chain[i], &self->above[i]));
        self->count++;
        TRY(check_ca(self->above[i]));
        TRY(bytes_copy(chain[i], &self->above_der[i]));
    }
    TRY(certificate_time(X509_get0_notAfter(self->x509), &self->not_after_ms));
    self->hash = SHA256_OF(certificate);
    return bytes_copy(certificate, &self->der);
}

/* Each in the chain has signed the one before it, and the last one itself: what is shown to
 * auditors is the way to the root and nothing else. */
static fault check_links(const struct issuer *self)
{
    X509 *below = self->x509;
    for (size_t i = 0; i < self->count; i++) {
        if (X509_check_issued(self->above[i], below) != X509_V_OK)
            return RAISE(CERTIFICATE_BAD,
                         "certificate %zu of the chain did not issue the one before", i + 1);
        below = self->above[i];
    }
    if (X509_check_issued(below, below) != X509_V_OK)
        return RAISE(CERTIFICATE_BAD, "the chain does not end with a root that signed itself");
    return DONE;
}

static fault check_with(X509_STORE_CTX *check, X509_STORE *root, X509 *x509,
                        STACK_OF(X509) * between, int64_t at_ms)
{
    if (check == NULL || X509_STORE_CTX_init(check, root, x509, between) != 1)
        return crypto_raise(CRYPTO_FAILED, "preparing a chain check");
    return trust_verify(check, at_ms);
}

static fault check_chain(const struct issuer *self, int64_t at_ms)
{
    X509_STORE *made = NULL;
    OPENSSL_OWNED(X509_STORE_CTX) check = X509_STORE_CTX_new();
    TRY(check_links(self));
    TRY(trust_store_new(&made));
    OPENSSL_OWNED(X509_STORE) root = made;
    STACK_OF(X509) *between = sk_X509_new_null();
    X509 *last = self->count == 0 ? self->x509 : self->above[self->count - 1];
    fault f = between != NULL && X509_STORE_add_cert(root, last) == 1
                  ? DONE
                  : crypto_raise(CRYPTO_FAILED, "keeping a root");
    for (size_t i = 0; !failed(f) && i + 1 < self->count; i++)
        if (sk_X509_push(between, self->above[i]) <= 0)
            f = crypto_raise(CRYPTO_FAILED, "keeping a chain");
    if (!failed(f))
        f = check_with(check, root, self->x509, between, at_ms);
    sk_X509_free(between);
    return f;
}

fault issuer_new(struct span certificate, const struct span *chain, size_t count, int64_t at_ms,
                 struct issuer **out)
{
    OWNED(issuer) self = owned_new(sizeof *self);
    TRY(read_all(self, certificate, chain, count));
    TRY(check_chain(self, at_ms));
    TRY(trust_store_new(&self->store));
    if (X509_STORE_add_cert(self->store, self->x509) != 1)
        return crypto_raise(CRYPTO_FAILED, "keeping a trust anchor");
    *out = TAKE(self);
    return DONE;
}

// --- using --------------------------------------------------------------------------------------

fault issuer_pem(const struct issuer *self, bool above, struct bytes **out)
{
    OPENSSL_OWNED(BIO) pem = BIO_new(BIO_s_mem());
    char *text = NULL;
    bool written = pem != NULL && PEM_write_bio_X509(pem, self->x509) == 1;
    for (size_t i = 0; above && written && i < self->count; i++)
        written = PEM_write_bio_X509(pem, self->above[i]) == 1;
    if (!written)
        return crypto_raise(CRYPTO_FAILED, "writing a chain");
    long size = BIO_get_mem_data(pem, &text);
    return bytes_copy(span_of(text, (size_t)size), out);
}

fault issuer_check(struct issuer *self, const struct certificate *certificate, int64_t at_ms)
{
    OPENSSL_OWNED(X509_STORE_CTX) check = X509_STORE_CTX_new();
    if (X509_check_issued(self->x509, certificate_x509(certificate)) != X509_V_OK)
        return RAISE(CERTIFICATE_BAD, "a certificate of another authority");
    return check_with(check, self->store, certificate_x509(certificate), NULL, at_ms);
}
