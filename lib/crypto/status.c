// SPDX-License-Identifier: MIT
#include "lib/crypto/status.h"

#include "lib/crypto/certificate_private.h"
#include "lib/crypto/crypto_fault.h"
#include "lib/crypto/issuer_private.h"
#include "lib/crypto/openssl_owned.h"
#include "lib/crypto/signature_strength.h"

#include <openssl/err.h>
#include <openssl/ocsp.h>
#include <openssl/x509v3.h>

#define OPENSSL_FREE_OF(type)                           \
    static inline void openssl_free_##type(type **self) \
    {                                                   \
        type##_free(*self);                             \
        *self = NULL;                                   \
    }
OPENSSL_FREE_OF(OCSP_RESPONSE)
OPENSSL_FREE_OF(OCSP_BASICRESP)
OPENSSL_FREE_OF(OCSP_CERTID)
OPENSSL_FREE_OF(OCSP_REQUEST)
OPENSSL_FREE_OF(X509_CRL)

const char *status_verdict_word(enum status_verdict verdict)
{
    static const char *const words[] = {
        [STATUS_GOOD] = "good", [STATUS_REVOKED] = "revoked", [STATUS_UNKNOWN] = "unknown"};
    return words[verdict];
}

const char *status_form_word(enum status_form form)
{
    return form == STATUS_CRL ? "crl" : "ocsp";
}

/* RFC 5280 section 5.3.1; -1: it gave none. */
static const char *reason_word(int reason)
{
    static const char *const words[] = {
        "unspecified",   "keyCompromise",        "cACompromise",    "affiliationChanged",
        "superseded",    "cessationOfOperation", "certificateHold", "unspecified",
        "removeFromCRL", "privilegeWithdrawn",   "aACompromise"};
    bool known = reason >= 0 && (size_t)reason < sizeof words / sizeof words[0];
    return known ? words[reason] : "unspecified";
}

static fault check_size(enum status_form form, struct span der)
{
    size_t most = form == STATUS_CRL ? STATUS_CRL_BYTES_MAX : STATUS_OCSP_BYTES_MAX;
    if (der.size == 0 || der.size > most)
        return RAISE(BAD_FRAME, "an answer of %zu bytes; at most %zu", der.size, most);
    return DONE;
}

/* Is it about at_ms? */
static fault check_time(const struct status *self, int64_t at_ms)
{
    if (self->this_update_ms > at_ms + STATUS_AHEAD_MS)
        return RAISE(FROM_FUTURE, "an answer that is dated %lld s ahead: compare both clocks",
                     (long long)((self->this_update_ms - at_ms) / 1000));
    if (self->until_ms <= at_ms)
        return RAISE(STALE, "an answer that was to be replaced %lld s ago",
                     (long long)((at_ms - self->until_ms) / 1000));
    return DONE;
}

// --- OCSP ---------------------------------------------------------------------------------------

static fault name_it(const struct issuer *issuer, const struct certificate *certificate,
                     OCSP_CERTID **out)
{
    *out = OCSP_cert_to_id(NULL, certificate_x509(certificate), issuer_x509(issuer));
    return *out != NULL ? DONE : crypto_raise(CRYPTO_FAILED, "naming a certificate to a responder");
}

fault status_request(const struct issuer *issuer, const struct certificate *certificate,
                     struct bytes **request_der)
{
    OCSP_CERTID *id = NULL;
    unsigned char *der = NULL;
    OPENSSL_OWNED(OCSP_REQUEST) request = OCSP_REQUEST_new();
    TRY(name_it(issuer, certificate, &id));
    if (request == NULL || OCSP_request_add0_id(request, id) == NULL) {
        OCSP_CERTID_free(id);
        return crypto_raise(CRYPTO_FAILED, "a request for a certificate's status");
    }
    int size = i2d_OCSP_REQUEST(request, &der); /* id is the request's now */
    if (size <= 0)
        return crypto_raise(CRYPTO_FAILED, "encoding a request for a certificate's status");
    fault copied = bytes_copy(span_of(der, (size_t)size), request_der);
    OPENSSL_free(der);
    return copied;
}

static fault open_ocsp(struct span der, OCSP_BASICRESP **out)
{
    const uint8_t *at = der.at;
    OPENSSL_OWNED(OCSP_RESPONSE) response = d2i_OCSP_RESPONSE(NULL, &at, (long)der.size);
    if (response == NULL || at != der.at + der.size)
        return crypto_raise(BAD_FRAME, "not an OCSP response");
    int status = OCSP_response_status(response);
    if (status != OCSP_RESPONSE_STATUS_SUCCESSFUL)
        return RAISE(REFUSED, "the responder says: %s", OCSP_response_status_str(status));
    OPENSSL_OWNED(OCSP_BASICRESP) basic = OCSP_response_get1_basic(response);
    if (basic == NULL)
        return crypto_raise(BAD_FRAME, "an OCSP response of another kind than basic");
    *out = TAKE(basic);
    return DONE;
}

/* OpenSSL takes the time for chains from the store, which is the issuer's own. NOEXPLICIT: nobody
 * but the issuer, and whom it delegates to, speaks for it. */
static fault check_ocsp_signature(OCSP_BASICRESP *basic, struct issuer *issuer, int64_t at_ms)
{
    X509_STORE *store = issuer_store(issuer);
    if (!signature_is_strong(OCSP_resp_get0_tbs_sigalg(basic)))
        return RAISE(SIGNATURE_BAD, "an answer signed with an algorithm that is too weak");
    STACK_OF(X509) *known = sk_X509_new_null();
    if (known == NULL || sk_X509_push(known, issuer_x509(issuer)) <= 0) {
        sk_X509_free(known);
        return crypto_raise(CRYPTO_FAILED, "preparing to verify an answer");
    }
    X509_VERIFY_PARAM_set_time(X509_STORE_get0_param(store), certificate_seconds(at_ms));
    int verdict = OCSP_basic_verify(basic, known, store, OCSP_PARTIAL_CHAIN | OCSP_NOEXPLICIT);
    sk_X509_free(known);
    int reason = ERR_GET_REASON(ERR_peek_error());
    if (verdict == 1)
        return DONE;
    return reason == OCSP_R_SIGNATURE_FAILURE
               ? crypto_raise(SIGNATURE_BAD, "an OCSP response")
               : crypto_raise(CERTIFICATE_BAD, "who signed an OCSP response");
}

static fault read_times(const ASN1_GENERALIZEDTIME *this_update,
                        const ASN1_GENERALIZEDTIME *next_update, struct status *out)
{
    if (failed(certificate_time(this_update, &out->this_update_ms)))
        return RAISE(BAD_FRAME, "an answer without a time");
    out->until_ms = out->this_update_ms + STATUS_AGE_MS_MAX;
    if (next_update != NULL && failed(certificate_time(next_update, &out->until_ms)))
        return RAISE(BAD_FRAME, "an answer whose end cannot be read");
    return DONE;
}

static fault read_single(OCSP_BASICRESP *basic, OCSP_CERTID *id, struct status *out)
{
    int status = 0, reason = -1;
    ASN1_GENERALIZEDTIME *revoked = NULL, *this_update = NULL, *next_update = NULL;
    if (OCSP_resp_find_status(basic, id, &status, &reason, &revoked, &this_update, &next_update) !=
        1)
        return crypto_raise(NOT_FOUND, "the OCSP response is about other certificates");
    TRY(read_times(this_update, next_update, out));
    out->verdict = status == V_OCSP_CERTSTATUS_GOOD      ? STATUS_GOOD
                   : status == V_OCSP_CERTSTATUS_REVOKED ? STATUS_REVOKED
                                                         : STATUS_UNKNOWN;
    if (out->verdict != STATUS_REVOKED)
        return DONE;
    out->reason = reason_word(reason);
    return failed(certificate_time(revoked, &out->revoked_ms))
               ? RAISE(BAD_FRAME, "a revocation without a time")
               : DONE;
}

static fault read_ocsp(struct span der, struct issuer *issuer,
                       const struct certificate *certificate, int64_t at_ms, struct status *out)
{
    OCSP_BASICRESP *opened = NULL;
    OCSP_CERTID *named = NULL;
    TRY(open_ocsp(der, &opened));
    OPENSSL_OWNED(OCSP_BASICRESP) basic = opened;
    TRY(check_ocsp_signature(basic, issuer, at_ms));
    TRY(name_it(issuer, certificate, &named));
    OPENSSL_OWNED(OCSP_CERTID) id = named;
    TRY(read_single(basic, id, out));
    return check_time(out, at_ms);
}

// --- CRL ----------------------------------------------------------------------------------------

static fault open_crl(struct span der, X509_CRL **out)
{
    const uint8_t *at = der.at;
    const X509_ALGOR *algorithm = NULL;
    OPENSSL_OWNED(X509_CRL) crl = d2i_X509_CRL(NULL, &at, (long)der.size);
    if (crl == NULL || at != der.at + der.size)
        return crypto_raise(BAD_FRAME, "not a CRL in DER");
    X509_CRL_get0_signature(crl, NULL, &algorithm);
    if (!signature_is_strong(algorithm))
        return RAISE(SIGNATURE_BAD, "a CRL signed with an algorithm that is too weak");
    if (X509_CRL_get_ext_by_NID(crl, NID_delta_crl, -1) >= 0) /* OpenSSL takes it for a whole one */
        return RAISE(CERTIFICATE_BAD, "a delta CRL: it says nothing of what did not change");
    *out = TAKE(crl);
    return DONE;
}

/* Everything that OpenSSL knows of CRLs: the issuer's name and right to sign them, the signature,
 * critical extensions, and whether it is whole for this certificate. */
static fault check_crl(X509_CRL *crl, struct issuer *issuer, const struct certificate *certificate,
                       int64_t at_ms, int *verdict)
{
    OPENSSL_OWNED(X509_STORE_CTX) check = X509_STORE_CTX_new();
    STACK_OF(X509_CRL) *crls = sk_X509_CRL_new_null();
    *verdict = X509_V_ERR_UNSPECIFIED;
    fault f = DONE;
    if (check == NULL || crls == NULL || sk_X509_CRL_push(crls, crl) <= 0 ||
        X509_STORE_CTX_init(check, issuer_store(issuer), certificate_x509(certificate), NULL) != 1)
        f = crypto_raise(CRYPTO_FAILED, "preparing to check a CRL");
    if (!failed(f)) {
        X509_STORE_CTX_set0_crls(check, crls);
        X509_VERIFY_PARAM_set_flags(X509_STORE_CTX_get0_param(check), X509_V_FLAG_CRL_CHECK);
        f = trust_verify(check, at_ms);
        *verdict = X509_STORE_CTX_get_error(check);
    }
    sk_X509_CRL_free(crls);
    return f;
}

static fault read_revoked(const X509_REVOKED *entry, struct status *out)
{
    ASN1_ENUMERATED *reason = X509_REVOKED_get_ext_d2i(entry, NID_crl_reason, NULL, NULL);
    out->verdict = STATUS_REVOKED;
    out->reason = reason_word(reason == NULL ? -1 : (int)ASN1_ENUMERATED_get(reason));
    ASN1_ENUMERATED_free(reason);
    return failed(certificate_time(X509_REVOKED_get0_revocationDate(entry), &out->revoked_ms))
               ? RAISE(BAD_FRAME, "a revocation without a time")
               : DONE;
}

static fault read_crl(struct span der, struct issuer *issuer, const struct certificate *certificate,
                      int64_t at_ms, struct status *out)
{
    X509_CRL *opened = NULL;
    X509_REVOKED *entry = NULL;
    int verdict = 0;
    TRY(open_crl(der, &opened));
    OPENSSL_OWNED(X509_CRL) crl = opened;
    if (X509_CRL_get0_nextUpdate(crl) == NULL)
        return RAISE(BAD_FRAME, "a CRL that does not say when the next one comes");
    TRY(read_times(X509_CRL_get0_lastUpdate(crl), X509_CRL_get0_nextUpdate(crl), out));
    TRY(check_time(out, at_ms));
    /* a clock that is behind, by what check_time lets pass, must not make it one of the future */
    int64_t then_ms = at_ms > out->this_update_ms ? at_ms : out->this_update_ms;
    fault f = check_crl(crl, issuer, certificate, then_ms, &verdict);
    if (verdict == X509_V_ERR_CRL_SIGNATURE_FAILURE)
        return RAISE(SIGNATURE_BAD, "%s", fault_detail());
    if (failed(f) && verdict != X509_V_ERR_CERT_REVOKED)
        return f;
    out->verdict = STATUS_GOOD;
    if (X509_CRL_get0_by_cert(crl, &entry, certificate_x509(certificate)) != 1)
        return verdict == X509_V_OK ? DONE
                                    : RAISE(INTERNAL, "a CRL that revokes and does not say when");
    return read_revoked(entry, out);
}

fault status_read(enum status_form form, struct span der, struct issuer *issuer,
                  const struct certificate *certificate, int64_t at_ms, struct status *out)
{
    struct status made = {.verdict = STATUS_UNKNOWN, .reason = ""};
    TRY(check_size(form, der));
    TRY(issuer_check(issuer, certificate, at_ms));
    TRY(form == STATUS_CRL ? read_crl(der, issuer, certificate, at_ms, &made)
                           : read_ocsp(der, issuer, certificate, at_ms, &made));
    *out = made;
    return DONE;
}
