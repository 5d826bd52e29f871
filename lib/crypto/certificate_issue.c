// SPDX-License-Identifier: MIT
#include "lib/crypto/certificate_private.h"

#include "lib/base/text.h"
#include "lib/crypto/algorithms.h"
#include "lib/crypto/crypto_fault.h"
#include "lib/crypto/keypair_private.h"
#include "lib/crypto/openssl_owned.h"
#include "lib/crypto/random.h"
#include "lib/crypto/subject.h"

#include <openssl/err.h>
#include <openssl/x509v3.h>
#include <stdlib.h>

#define SERIAL_BYTES 16

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
