// SPDX-License-Identifier: MIT
#include "lib/crypto/certificate.h"

#include "lib/base/file.h"
#include "lib/base/text.h"
#include "lib/crypto/algorithms.h"
#include "lib/crypto/certificate_private.h"
#include "lib/crypto/crypto_fault.h"
#include "lib/crypto/ecdsa.h"
#include "lib/crypto/keypair_private.h"
#include "lib/crypto/openssl_owned.h"
#include "lib/crypto/random.h"
#include "lib/crypto/subject.h"

#include <assert.h>
#include <limits.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509_vfy.h>
#include <openssl/x509v3.h>
#include <stdlib.h>
#include <time.h>

#define SERIAL_BYTES 16
#define PEM_BYTES_MAX (1u << 20) /* of a file of certificates */
#define STRENGTH_LEVEL 2 /* OpenSSL's security level of 112 bits: no SHA-1, no RSA below 2048 */

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

struct trust {
    X509_STORE *store;
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

/* ---- files ---- */

/* The next certificate's DER; NOT_FOUND at the end of the file. */
static fault next_of_pem(BIO *in, const char *path, struct bytes **out)
{
    unsigned char *der = NULL;
    long size = 0;
    ERR_clear_error();
    if (PEM_bytes_read_bio(&der, &size, NULL, PEM_STRING_X509, in, NULL, NULL) != 1) {
        bool ended = ERR_GET_REASON(ERR_peek_last_error()) == PEM_R_NO_START_LINE;
        ERR_clear_error();
        return ended ? RAISE(NOT_FOUND, "%s holds no further certificate", path)
                     : RAISE(CERTIFICATE_BAD, "%s is not sound PEM", path);
    }
    fault copied = bytes_copy(span_of(der, (size_t)size), out);
    OPENSSL_free(der);
    return copied;
}

/* The whole file at once: it may come from a stranger's folder, be a pipe, or have no end. */
static fault open_pem(const char *path, BIO **out)
{
    OWNED(bytes) whole = NULL;
    if (failed(file_read(path, PEM_BYTES_MAX, &whole)))
        return RAISE(IO_FAILED, "opening %s: %s", path, fault_detail());
    OPENSSL_OWNED(BIO) in = BIO_new(BIO_s_mem());
    if (in == NULL ||
        (whole->size > 0 && BIO_write(in, whole->data, (int)whole->size) != (int)whole->size))
        return crypto_raise(CRYPTO_FAILED, "reading a PEM file");
    *out = TAKE(in);
    return DONE;
}

static fault read_first(BIO *in, const char *name, struct certificate **out)
{
    OWNED(bytes) der = NULL;
    fault found = next_of_pem(in, name, &der);
    if (found.code == NOT_FOUND)
        return RAISE(CERTIFICATE_BAD, "%s holds no certificate", name);
    TRY(found);
    return certificate_parse(bytes_span(der), out);
}

fault certificate_load(const char *path, struct certificate **out)
{
    BIO *opened = NULL;
    TRY(open_pem(path, &opened));
    OPENSSL_OWNED(BIO) in = opened;
    return read_first(in, path, out);
}

fault certificate_read(struct span pem, struct certificate **out)
{
    OPENSSL_OWNED(BIO) in = pem.size > INT_MAX ? NULL : BIO_new_mem_buf(pem.at, (int)pem.size);
    if (in == NULL)
        return crypto_raise(CRYPTO_FAILED, "reading a certificate");
    return read_first(in, "the PEM text", out);
}

fault certificate_load_all(const char *path, struct bytes **out, size_t room, size_t *count)
{
    BIO *opened = NULL;
    TRY(open_pem(path, &opened));
    OPENSSL_OWNED(BIO) in = opened;
    fault found = DONE;
    for (*count = 0; !failed(found) && *count < room;)
        if (!failed(found = next_of_pem(in, path, &out[*count])))
            ++*count;
    if (*count > 0 && (!failed(found) || found.code == NOT_FOUND)) {
        OWNED(bytes) more = NULL;
        if (failed(next_of_pem(in, path, &more)))
            return DONE;
        found = RAISE(CERTIFICATE_BAD, "%s holds more than %zu certificates", path, room);
    }
    while (*count > 0)
        bytes_free(&out[--*count]);
    return found.code == NOT_FOUND ? RAISE(CERTIFICATE_BAD, "%s holds no certificate", path)
                                   : found;
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

/* ---- trust ---- */

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
        found = next_of_pem(in, name, &der);
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
    TRY(open_pem(path, &opened));
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

time_t certificate_seconds(int64_t ms)
{
    return (time_t)(ms / 1000 - (ms % 1000 < 0));
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

/* ---- issuing ---- */

struct extension {
    int nid;
    const char *value;
};

/* The subject key id stands first: in a CA's own certificate the authority key id copies it. */
static const struct extension member_extensions[] = {
    {NID_subject_key_identifier, "hash"},
    {NID_authority_key_identifier, "keyid:always"},
    {NID_basic_constraints, "critical,CA:FALSE"},
    {NID_key_usage, "critical,digitalSignature,nonRepudiation"},
    {0, NULL},
};
static const struct extension stamper_extensions[] = {
    {NID_subject_key_identifier, "hash"},         {NID_authority_key_identifier, "keyid:always"},
    {NID_basic_constraints, "critical,CA:FALSE"}, {NID_key_usage, "critical,digitalSignature"},
    {NID_ext_key_usage, "critical,timeStamping"}, {0, NULL},
};
static const struct extension host_extensions[] = {
    {NID_subject_key_identifier, "hash"},
    {NID_authority_key_identifier, "keyid:always"},
    {NID_basic_constraints, "critical,CA:FALSE"},
    {NID_key_usage, "critical,digitalSignature"},
    {NID_ext_key_usage, "serverAuth"},
    {0, NULL},
};
static const struct extension client_extensions[] = {
    {NID_subject_key_identifier, "hash"},
    {NID_basic_constraints, "critical,CA:FALSE"},
    {NID_key_usage, "critical,digitalSignature"},
    {NID_ext_key_usage, "clientAuth"},
    {0, NULL},
};
static const struct extension ca_extensions[] = {
    {NID_subject_key_identifier, "hash"},
    {NID_authority_key_identifier, "keyid:always"},
    {NID_basic_constraints, "critical,CA:TRUE,pathlen:0"},
    {NID_key_usage, "critical,keyCertSign,cRLSign"},
    {0, NULL},
};

struct plan {
    X509 *issuer; /* NULL: itself */
    EVP_PKEY *issuer_key;
    EVP_PKEY *subject_key;
    const struct certificate_subject *subject;
    int64_t not_before_ms;
    int64_t not_after_ms;
    const struct extension *extensions;
    const char *hosts; /* subjectAltName as OpenSSL writes it, or NULL */
};

/* Positive, and always of full length: 126 random bits. */
static fault set_serial(X509 *x509)
{
    uint8_t serial[SERIAL_BYTES];
    random_fill(serial, sizeof serial);
    serial[0] = (uint8_t)((serial[0] & 0x3f) | 0x40);
    BIGNUM *number = BN_bin2bn(serial, sizeof serial, NULL);
    bool fine = number != NULL && BN_to_ASN1_INTEGER(number, X509_get_serialNumber(x509)) != NULL;
    BN_free(number);
    return fine ? DONE : crypto_raise(CRYPTO_FAILED, "a serial number");
}

static fault set_names(X509 *x509, const struct plan *plan)
{
    X509_NAME *encoded = NULL;
    TRY(subject_encode(plan->subject, &encoded));
    OPENSSL_OWNED(X509_NAME) subject = encoded;
    const X509_NAME *issuer = plan->issuer == NULL ? subject : X509_get_subject_name(plan->issuer);
    if (X509_set_subject_name(x509, subject) != 1 || X509_set_issuer_name(x509, issuer) != 1)
        return crypto_raise(CRYPTO_FAILED, "a certificate's names");
    return DONE;
}

static fault set_extensions(X509 *x509, const struct plan *plan)
{
    X509V3_CTX context;
    X509V3_set_ctx(&context, plan->issuer == NULL ? x509 : plan->issuer, x509, NULL, NULL, 0);
    for (const struct extension *e = plan->extensions; e->value != NULL; e++) {
        OPENSSL_OWNED(X509_EXTENSION)
        made = X509V3_EXT_conf_nid(NULL, &context, e->nid, e->value);
        if (made == NULL || X509_add_ext(x509, made, -1) != 1)
            return crypto_raise(CRYPTO_FAILED, "a certificate's extension");
    }
    if (plan->hosts == NULL)
        return DONE;
    OPENSSL_OWNED(X509_EXTENSION)
    hosts = X509V3_EXT_conf_nid(NULL, &context, NID_subject_alt_name, plan->hosts);
    if (hosts == NULL || X509_add_ext(x509, hosts, -1) != 1)
        return crypto_raise(REFUSED, "a certificate's names of hosts");
    return DONE;
}

static fault build(const struct plan *plan, struct certificate **out)
{
    if (plan->not_before_ms >= plan->not_after_ms)
        return RAISE(REFUSED, "a certificate that ends before it begins");
    OPENSSL_OWNED(X509) x509 = X509_new();
    if (x509 == NULL || X509_set_version(x509, X509_VERSION_3) != 1 ||
        ASN1_TIME_set(X509_getm_notBefore(x509), certificate_seconds(plan->not_before_ms)) ==
            NULL ||
        ASN1_TIME_set(X509_getm_notAfter(x509), certificate_seconds(plan->not_after_ms)) == NULL ||
        X509_set_pubkey(x509, plan->subject_key) != 1)
        return crypto_raise(CRYPTO_FAILED, "filling a certificate");
    TRY(set_serial(x509));
    TRY(set_names(x509, plan));
    TRY(set_extensions(x509, plan));
    if (X509_sign(x509, plan->issuer_key, algorithms_sha256()) <= 0)
        return crypto_raise(CRYPTO_FAILED, "signing a certificate");
    unsigned char *der = NULL;
    int size = i2d_X509(x509, &der);
    if (size <= 0)
        return crypto_raise(CRYPTO_FAILED, "encoding a certificate");
    fault parsed = certificate_parse(span_of(der, (size_t)size), out);
    OPENSSL_free(der);
    return parsed;
}

/* Gives the requested key after its proof of possession. */
static fault open_request(struct span der, X509_REQ **out)
{
    if (der.size == 0 || der.size > CERTIFICATE_BYTES_MAX)
        return RAISE(REFUSED, "a certificate request of %zu bytes", der.size);
    const uint8_t *at = der.at;
    OPENSSL_OWNED(X509_REQ) request = d2i_X509_REQ(NULL, &at, (long)der.size);
    if (request == NULL || at != der.at + der.size)
        return crypto_raise(REFUSED, "not a certificate request");
    EVP_PKEY *pkey = X509_REQ_get0_pubkey(request);
    if (pkey == NULL || !keypair_is_p256(pkey))
        return crypto_raise(REFUSED, "the key of the certificate request is not P-256");
    if (X509_REQ_verify(request, pkey) != 1)
        return crypto_raise(REFUSED, "the certificate request is not signed with its own key");
    *out = TAKE(request);
    return DONE;
}

fault certificate_check_request(const struct certificate *self, struct span request)
{
    X509_REQ *opened = NULL;
    TRY(open_request(request, &opened));
    OPENSSL_OWNED(X509_REQ) checked = opened;
    if (EVP_PKEY_eq(X509_REQ_get0_pubkey(checked), X509_get0_pubkey(certificate_x509(self))) != 1)
        return crypto_raise(REFUSED, "the certificate is not of the key in the request");
    return DONE;
}

static fault check_issuer(const struct keypair *ca_key, const struct certificate *ca)
{
    if (X509_check_ca(certificate_x509(ca)) != 1)
        return RAISE(REFUSED, "the issuing certificate is not a CA's");
    if (X509_check_private_key(certificate_x509(ca), keypair_pkey(ca_key)) != 1)
        return crypto_raise(REFUSED, "the issuing key is not that of the CA certificate");
    return DONE;
}

/* The issuer and the subject's key are put into the plan here. */
static fault issue(struct keypair *ca_key, const struct certificate *ca, struct span request,
                   struct plan plan, struct certificate **out)
{
    if (plan.subject->member[0] == '\0' || plan.subject->server[0] == '\0')
        return RAISE(BAD_NAME, "a member certificate needs a member and a server code");
    TRY(check_issuer(ca_key, ca));
    X509_REQ *opened = NULL;
    TRY(open_request(request, &opened));
    OPENSSL_OWNED(X509_REQ) checked = opened;
    plan.issuer = certificate_x509(ca);
    plan.issuer_key = keypair_pkey(ca_key);
    plan.subject_key = X509_REQ_get0_pubkey(checked);
    return build(&plan, out);
}

fault certificate_issue(struct keypair *ca_key, const struct certificate *ca, struct span request,
                        const struct certificate_subject *subject, int64_t not_before_ms,
                        int64_t not_after_ms, struct certificate **out)
{
    return issue(ca_key, ca, request,
                 (struct plan){.subject = subject,
                               .not_before_ms = not_before_ms,
                               .not_after_ms = not_after_ms,
                               .extensions = member_extensions},
                 out);
}

fault certificate_issue_stamper(struct keypair *ca_key, const struct certificate *ca,
                                struct span request, const struct certificate_subject *subject,
                                int64_t not_before_ms, int64_t not_after_ms,
                                struct certificate **out)
{
    return issue(ca_key, ca, request,
                 (struct plan){.subject = subject,
                               .not_before_ms = not_before_ms,
                               .not_after_ms = not_after_ms,
                               .extensions = stamper_extensions},
                 out);
}

/* Nothing that could end one name and begin another in what OpenSSL reads. */
static bool is_host(const char *text)
{
    size_t size = strlen(text);
    for (size_t i = 0; i < size; i++)
        if (strchr("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.-:", text[i]) ==
            NULL)
            return false;
    return size > 0 && size < 254;
}

static bool is_ip(const char *text)
{
    ASN1_OCTET_STRING *address = a2i_IPADDRESS(text);
    ASN1_OCTET_STRING_free(address);
    ERR_clear_error();
    return address != NULL;
}

static fault write_hosts(const char *const *hosts, size_t count, char *out, size_t room)
{
    size_t used = 0;
    if (count == 0)
        return RAISE(REFUSED, "a host's certificate without a name");
    for (size_t i = 0; i < count; i++) {
        if (!is_host(hosts[i]) || (strchr(hosts[i], ':') != NULL && !is_ip(hosts[i])))
            return RAISE(REFUSED, "'%.100s' is neither a host's name nor an IP address", hosts[i]);
        if (!text_format(out + used, room - used, "%s%s:%s", i == 0 ? "" : ",",
                         is_ip(hosts[i]) ? "IP" : "DNS", hosts[i]))
            return RAISE(REFUSED, "too many names for a certificate");
        used += strlen(out + used);
    }
    return DONE;
}

fault certificate_issue_host(struct keypair *ca_key, const struct certificate *ca,
                             struct span request, const struct certificate_subject *subject,
                             const char *const *hosts, size_t count, int64_t not_before_ms,
                             int64_t not_after_ms, struct certificate **out)
{
    char names[2048];
    TRY(write_hosts(hosts, count, names, sizeof names));
    return issue(ca_key, ca, request,
                 (struct plan){.subject = subject,
                               .not_before_ms = not_before_ms,
                               .not_after_ms = not_after_ms,
                               .extensions = host_extensions,
                               .hosts = names},
                 out);
}

fault certificate_make_client(struct keypair *key, const struct certificate_subject *subject,
                              int64_t not_before_ms, int64_t not_after_ms, struct certificate **out)
{
    if (keypair_kind(key) != KEY_P256)
        return RAISE(BAD_KEY, "a client's certificate needs a P-256 key");
    return build(&(struct plan){.issuer_key = keypair_pkey(key),
                                .subject_key = keypair_pkey(key),
                                .subject = subject,
                                .not_before_ms = not_before_ms,
                                .not_after_ms = not_after_ms,
                                .extensions = client_extensions},
                 out);
}

fault certificate_make_ca(struct keypair *ca_key, const struct certificate_subject *subject,
                          int64_t not_before_ms, int64_t not_after_ms, struct certificate **out)
{
    if (keypair_kind(ca_key) != KEY_P256)
        return RAISE(BAD_KEY, "a CA needs a P-256 key");
    return build(&(struct plan){.issuer = NULL,
                                .issuer_key = keypair_pkey(ca_key),
                                .subject_key = keypair_pkey(ca_key),
                                .subject = subject,
                                .not_before_ms = not_before_ms,
                                .not_after_ms = not_after_ms,
                                .extensions = ca_extensions},
                 out);
}
