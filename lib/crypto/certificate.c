// SPDX-License-Identifier: MIT
#include "lib/crypto/certificate.h"

#include "lib/crypto/algorithms.h"
#include "lib/crypto/certificate_private.h"
#include "lib/crypto/crypto_fault.h"
#include "lib/crypto/ecdsa.h"
#include "lib/crypto/keypair_private.h"
#include "lib/crypto/openssl_owned.h"
#include "lib/crypto/subject.h"

#include <assert.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509_vfy.h>
#include <openssl/x509v3.h>
#include <stdlib.h>
#include <time.h>

struct certificate {
    struct certificate_place *parsed;
    struct bytes *der;
    struct certificate_subject subject;
    struct sha256 hash;
    uint8_t ski[SKI_BYTES];
    int64_t not_before_ms;
    int64_t not_after_ms;
    bool may_sign;
};

void certificate_free(struct certificate **self)
{
    if (*self == NULL)
        return;
    certificate_place_leave((*self)->parsed);
    certificate_fold((*self)->parsed);
    free((*self)->parsed);
    bytes_free(&(*self)->der);
    free(*self);
    *self = NULL;
}

struct span certificate_der(const struct certificate *self)
{
    return bytes_span(self->der);
}

const uint8_t *certificate_ski(const struct certificate *self)
{
    return self->ski;
}

struct sha256 certificate_hash(const struct certificate *self)
{
    return self->hash;
}

const struct certificate_subject *certificate_subject(const struct certificate *self)
{
    return &self->subject;
}

int64_t certificate_not_before_ms(const struct certificate *self)
{
    return self->not_before_ms;
}

int64_t certificate_not_after_ms(const struct certificate *self)
{
    return self->not_after_ms;
}

bool certificate_may_sign(const struct certificate *self)
{
    return self->may_sign;
}

/* ---- reading ---- */

/* Refuses any second form of the same certificate: leaves name it by the hash of its bytes, and
 * stock tools hash what they would encode. */
fault certificate_decode(struct span der, X509 **out)
{
    if (der.size == 0 || der.size > CERTIFICATE_BYTES_MAX)
        return RAISE(CERTIFICATE_BAD, "a certificate of %zu bytes", der.size);
    const uint8_t *at = der.at;
    OPENSSL_OWNED(X509) x509 = d2i_X509(NULL, &at, (long)der.size);
    if (x509 == NULL)
        return crypto_raise(CERTIFICATE_BAD, "not a certificate");
    unsigned char *again = NULL;
    int size = i2d_X509(x509, &again);
    bool same = size > 0 && span_equal(span_of(again, (size_t)size), der);
    OPENSSL_free(again);
    if (!same)
        return crypto_raise(CERTIFICATE_BAD, "a certificate that is not in DER form");
    *out = TAKE(x509);
    return DONE;
}

fault certificate_time(const ASN1_TIME *from, int64_t *out_ms)
{
    struct tm parts;
    if (ASN1_TIME_to_tm(from, &parts) != 1)
        return crypto_raise(CERTIFICATE_BAD, "a certificate's validity");
    *out_ms = (int64_t)timegm(&parts) * 1000;
    return DONE;
}

/* None, as ours have; or one that outside authorities give to who signs documents. A certificate of
 * a web server or a responder signs no messages. */
static bool is_for_documents(X509 *x509)
{
    static const char *const fit[] = {"1.3.6.1.5.5.7.3.36",      /* documentSigning, RFC 9336 */
                                      "1.3.6.1.5.5.7.3.4",       /* emailProtection: S/MIME, CMS */
                                      "1.3.6.1.4.1.311.10.3.12", /* Microsoft's documentSigning */
                                      "2.5.29.37.0"};            /* any */
    bool found = (X509_get_extension_flags(x509) & EXFLAG_XKUSAGE) == 0;
    EXTENDED_KEY_USAGE *usages = X509_get_ext_d2i(x509, NID_ext_key_usage, NULL, NULL);
    for (int i = 0; !found && i < sk_ASN1_OBJECT_num(usages); i++) {
        char oid[80];
        OBJ_obj2txt(oid, sizeof oid, sk_ASN1_OBJECT_value(usages, i), 1);
        for (size_t k = 0; k < sizeof fit / sizeof fit[0]; k++)
            found = found || strcmp(oid, fit[k]) == 0;
    }
    EXTENDED_KEY_USAGE_free(usages);
    return found;
}

/* OpenSSL gives all bits when the extension is missing: not here. */
static bool reads_as_signer(X509 *x509)
{
    uint32_t wanted = KU_DIGITAL_SIGNATURE | KU_NON_REPUDIATION;
    return (X509_get_extension_flags(x509) & EXFLAG_KUSAGE) != 0 &&
           (X509_get_key_usage(x509) & wanted) == wanted && X509_check_ca(x509) == 0 &&
           is_for_documents(x509);
}

static fault read_facts(struct certificate *self)
{
    X509 *x509 = self->parsed->x509;
    if ((X509_get_extension_flags(x509) & EXFLAG_INVALID) != 0)
        return crypto_raise(CERTIFICATE_BAD, "a certificate with broken extensions");
    const ASN1_OCTET_STRING *ski = X509_get0_subject_key_id(x509);
    if (ski == NULL || ASN1_STRING_length(ski) != SKI_BYTES)
        return RAISE(CERTIFICATE_BAD, "a certificate without a subject key id of 20 bytes");
    memcpy(self->ski, ASN1_STRING_get0_data(ski), SKI_BYTES);
    self->may_sign = reads_as_signer(x509);
    TRY(certificate_time(X509_get0_notBefore(x509), &self->not_before_ms));
    TRY(certificate_time(X509_get0_notAfter(x509), &self->not_after_ms));
    return subject_decode(X509_get_subject_name(x509), &self->subject);
}

static fault prepare_verify(struct certificate_place *self)
{
    EVP_PKEY *pkey = X509_get0_pubkey(self->x509);
    if (pkey == NULL || !keypair_is_p256(pkey))
        return crypto_raise(CERTIFICATE_BAD, "a certificate whose key is not P-256");
    self->verify = EVP_PKEY_CTX_new_from_pkey(NULL, pkey, NULL);
    if (self->verify == NULL || EVP_PKEY_verify_init(self->verify) != 1 ||
        EVP_PKEY_CTX_set_signature_md(self->verify, algorithms_sha256()) != 1)
        return crypto_raise(CRYPTO_FAILED, "preparing a certificate's key");
    return DONE;
}

static fault unfold(struct certificate_place *self, struct span der)
{
    TRY(certificate_decode(der, &self->x509));
    return prepare_verify(self);
}

fault certificate_parse(struct span der, struct certificate **out)
{
    OWNED(certificate) self = owned_new(sizeof *self);
    self->parsed = owned_new(sizeof *self->parsed);
    TRY(unfold(self->parsed, der));
    TRY(read_facts(self));
    TRY(bytes_copy(der, &self->der));
    self->hash = SHA256_OF(der);
    *out = TAKE(self);
    return DONE;
}

/* ---- on a shelf ---- */

struct certificate_place *certificate_place(struct certificate *self)
{
    return self->parsed;
}

void certificate_fold(struct certificate_place *self)
{
    EVP_PKEY_CTX_free(self->verify);
    X509_free(self->x509);
    self->verify = NULL;
    self->x509 = NULL;
}

/* These bytes were parsed once: only memory can be short now, and that ends a process elsewhere
 * too. */
static struct certificate_place *parsed_of(const struct certificate *self)
{
    if (self->parsed->x509 == NULL) {
        fault f = unfold(self->parsed, bytes_span(self->der));
        assert(!failed(f));
    }
    certificate_place_use(self->parsed);
    return self->parsed;
}

X509 *certificate_x509(const struct certificate *self)
{
    return parsed_of(self)->x509;
}

time_t certificate_seconds(int64_t ms)
{
    return (time_t)(ms / 1000 - (ms % 1000 < 0));
}

fault certificate_pem(const struct certificate *self, struct bytes **out)
{
    OPENSSL_OWNED(BIO) pem = BIO_new(BIO_s_mem());
    if (pem == NULL || PEM_write_bio_X509(pem, certificate_x509(self)) != 1)
        return crypto_raise(CRYPTO_FAILED, "writing a certificate");
    char *text = NULL;
    long size = BIO_get_mem_data(pem, &text);
    return bytes_copy(span_of(text, (size_t)size), out);
}

fault certificate_verify_digest(struct certificate *self, const uint8_t digest[32],
                                struct span signature)
{
    if (!ecdsa_is_canonical(signature))
        return RAISE(SIGNATURE_BAD, "a signature of %zu bytes is not in minimal DER with low S",
                     signature.size);
    if (EVP_PKEY_verify(parsed_of(self)->verify, signature.at, signature.size, digest,
                        SHA256_BYTES) != 1)
        return crypto_raise(SIGNATURE_BAD, "an ECDSA signature");
    return DONE;
}
