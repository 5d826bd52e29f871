// SPDX-License-Identifier: MIT
#include "lib/crypto/stamp.h"

#include "lib/crypto/algorithms.h"
#include "lib/crypto/certificate_private.h"
#include "lib/crypto/crypto_fault.h"
#include "lib/crypto/keypair_private.h"
#include "lib/crypto/openssl_owned.h"
#include "lib/crypto/random.h"

#include <openssl/err.h>
#include <openssl/ess.h>
#include <openssl/objects.h>
#include <openssl/ts.h>
#include <stdlib.h>
#include <time.h>

#define SECOND_DIGITS 14 /* YYYYMMDDhhmmss */
#define FRACTION_DIGITS_MAX 9

/* ---- encoding ---- */

/* i2d of any type into owned bytes. */
#define ENCODE(TYPE, object, out)                                                             \
    __extension__({                                                                           \
        unsigned char *encoded_ = NULL;                                                       \
        int size_ = i2d_##TYPE((object), &encoded_);                                          \
        fault encode_fault_ = size_ > 0 ? bytes_copy(span_of(encoded_, (size_t)size_), (out)) \
                                        : crypto_raise(CRYPTO_FAILED, "encoding " #TYPE);     \
        OPENSSL_free(encoded_);                                                               \
        encode_fault_;                                                                        \
    })

static fault make_imprint(const struct sha256 *digest, TS_REQ *request)
{
    fault made = DONE;
    TS_MSG_IMPRINT *imprint = TS_MSG_IMPRINT_new();
    X509_ALGOR *algorithm = X509_ALGOR_new();
    if (imprint == NULL || algorithm == NULL ||
        X509_ALGOR_set0(algorithm, OBJ_nid2obj(NID_sha256), V_ASN1_NULL, NULL) != 1 ||
        TS_MSG_IMPRINT_set_algo(imprint, algorithm) != 1 ||
        TS_MSG_IMPRINT_set_msg(imprint, (unsigned char *)(uintptr_t)digest->at, SHA256_BYTES) !=
            1 ||
        TS_REQ_set_msg_imprint(request, imprint) != 1)
        made = crypto_raise(CRYPTO_FAILED, "a time stamp request");
    X509_ALGOR_free(algorithm);
    TS_MSG_IMPRINT_free(imprint);
    return made;
}

static fault set_nonce(TS_REQ *request, uint64_t nonce)
{
    ASN1_INTEGER *number = ASN1_INTEGER_new();
    bool set = number != NULL && ASN1_INTEGER_set_uint64(number, nonce) == 1 &&
               TS_REQ_set_nonce(request, number) == 1;
    ASN1_INTEGER_free(number);
    return set ? DONE : crypto_raise(CRYPTO_FAILED, "a time stamp request");
}

/* nonce may be NULL. */
static fault make_request(const struct sha256 *digest, const uint64_t *nonce, TS_REQ **out)
{
    OPENSSL_OWNED(TS_REQ) request = TS_REQ_new();
    if (request == NULL || TS_REQ_set_version(request, 1) != 1 ||
        TS_REQ_set_cert_req(request, 1) != 1)
        return crypto_raise(CRYPTO_FAILED, "a time stamp request");
    TRY(make_imprint(digest, request));
    if (nonce != NULL)
        TRY(set_nonce(request, *nonce));
    *out = TAKE(request);
    return DONE;
}

fault stamp_request(const struct sha256 *digest, struct bytes **request_der, uint64_t *nonce)
{
    uint64_t made_up = 0;
    TS_REQ *made = NULL;
    random_fill((uint8_t *)&made_up, sizeof made_up);
    TRY(make_request(digest, &made_up, &made));
    OPENSSL_OWNED(TS_REQ) request = made;
    TRY(ENCODE(TS_REQ, request, request_der));
    *nonce = made_up;
    return DONE;
}

/* ---- what a token says ---- */

/* The shortest way to hold a certificate's purpose, a signature and a chain together is OpenSSL's
 * own verification, which comes last and looks at everything once more; what comes before it here
 * is what it does not look at, and what gives a fault its right name. */
struct token {
    PKCS7 *cms;
    TS_TST_INFO *info;
    int64_t time_ms;
};

static void token_free(struct token **self)
{
    if (*self == NULL)
        return;
    TS_TST_INFO_free((*self)->info);
    PKCS7_free((*self)->cms);
    free(*self);
    *self = NULL;
}

static fault decode(struct span der, PKCS7 **out)
{
    if (der.size == 0 || der.size > STAMP_RESPONSE_BYTES_MAX)
        return RAISE(BAD_FRAME, "a time stamp of %zu bytes", der.size);
    const uint8_t *at = der.at;
    OPENSSL_OWNED(PKCS7) cms = d2i_PKCS7(NULL, &at, (long)der.size);
    if (cms == NULL || !PKCS7_type_is_signed(cms) || cms->d.sign == NULL)
        return crypto_raise(BAD_FRAME, "not a time stamp");
    OWNED(bytes) again = NULL;
    TRY(ENCODE(PKCS7, cms, &again));
    if (!span_equal(bytes_span(again), der))
        return RAISE(BAD_FRAME, "a time stamp that is not in DER form");
    *out = TAKE(cms);
    return DONE;
}

/* A stranger chose what is signed, so a digest with collisions would be no digest. */
static bool is_strong(const X509_ALGOR *algorithm)
{
    const ASN1_OBJECT *name = NULL;
    X509_ALGOR_get0(&name, NULL, NULL, algorithm);
    int nid = OBJ_obj2nid(name);
    return nid == NID_sha256 || nid == NID_sha384 || nid == NID_sha512;
}

/* Fields of a SignerInfo that no signature covers and that OpenSSL does not look at: one form each,
 * so that no byte of a token can be changed unseen. RFC 5652 section 5.3. */
static bool has_plain_fields(PKCS7_SIGNER_INFO *signer)
{
    X509_ALGOR *digest = NULL, *signature = NULL;
    const ASN1_OBJECT *digest_name = NULL, *signature_name = NULL;
    int parameters = 0, md = NID_undef, key = NID_undef;
    PKCS7_SIGNER_INFO_get0_algs(signer, NULL, &digest, &signature);
    X509_ALGOR_get0(&digest_name, &parameters, NULL, digest);
    X509_ALGOR_get0(&signature_name, NULL, NULL, signature);
    int nid = OBJ_obj2nid(signature_name);
    bool names_digest = OBJ_find_sigid_algs(nid, &md, &key) == 1 &&
                        (md == OBJ_obj2nid(digest_name) || md == NID_undef); /* undef: PSS, EdDSA */
    return ASN1_INTEGER_get(signer->version) == 1 &&
           (parameters == V_ASN1_UNDEF || parameters == V_ASN1_NULL) &&
           (names_digest || nid == NID_rsaEncryption);
}

static fault check_signer_info(PKCS7 *cms)
{
    STACK_OF(PKCS7_SIGNER_INFO) *signers = PKCS7_get_signer_info(cms);
    if (signers == NULL || sk_PKCS7_SIGNER_INFO_num(signers) != 1)
        return RAISE(BAD_FRAME, "a time stamp that is not signed by one");
    PKCS7_SIGNER_INFO *signer = sk_PKCS7_SIGNER_INFO_value(signers, 0);
    X509_ALGOR *digest = NULL;
    if (!has_plain_fields(signer))
        return RAISE(SIGNATURE_BAD, "a signer's version or algorithms are not what they must be");
    PKCS7_SIGNER_INFO_get0_algs(signer, NULL, &digest, NULL);
    if (digest == NULL || !is_strong(digest))
        return RAISE(SIGNATURE_BAD, "a time stamp signed over a weak digest");
    if (PKCS7_get_signed_attribute(signer, NID_id_smime_aa_signingCertificateV2) == NULL)
        return RAISE(CERTIFICATE_BAD, "a time stamp that does not name its certificate by SHA-2");
    return DONE;
}

static bool are_digits(const uint8_t *at, int count)
{
    for (int i = 0; i < count; i++)
        if (at[i] < '0' || at[i] > '9')
            return false;
    return true;
}

/* YYYYMMDDhhmmss[.f...]Z and nothing else (RFC 3161, 2.4.2). */
static fault read_time(const ASN1_GENERALIZEDTIME *time, int64_t *out_ms)
{
    const uint8_t *at = ASN1_STRING_get0_data(time);
    int size = ASN1_STRING_length(time);
    int fraction = size - SECOND_DIGITS - 2; /* digits between the point and the Z */
    struct tm parts;
    bool sound = (size == SECOND_DIGITS + 1 ||
                  (fraction >= 1 && fraction <= FRACTION_DIGITS_MAX && at[SECOND_DIGITS] == '.' &&
                   are_digits(at + SECOND_DIGITS + 1, fraction))) &&
                 are_digits(at, SECOND_DIGITS) && at[size - 1] == 'Z' &&
                 ASN1_TIME_to_tm(time, &parts) == 1;
    if (!sound)
        return crypto_raise(BAD_FRAME, "a time stamp without a sound time");
    int64_t ms = (int64_t)timegm(&parts) * 1000;
    for (int i = 0, unit = 100; i < 3 && i < fraction; i++, unit /= 10)
        ms += (at[SECOND_DIGITS + 1 + i] - '0') * unit;
    *out_ms = ms;
    return DONE;
}

static fault open_token(struct span der, struct token **out)
{
    OWNED(token) self = owned_new(sizeof *self);
    TRY(decode(der, &self->cms));
    TRY(check_signer_info(self->cms));
    self->info = PKCS7_to_TS_TST_INFO(self->cms);
    if (self->info == NULL)
        return crypto_raise(BAD_FRAME, "not a time stamp");
    TRY(read_time(TS_TST_INFO_get_time(self->info), &self->time_ms));
    *out = TAKE(self);
    return DONE;
}

static fault check_imprint(const struct token *self, const struct sha256 *digest)
{
    TS_MSG_IMPRINT *imprint = TS_TST_INFO_get_msg_imprint(self->info);
    const ASN1_OBJECT *name = NULL;
    X509_ALGOR_get0(&name, NULL, NULL, TS_MSG_IMPRINT_get_algo(imprint));
    const ASN1_OCTET_STRING *found = TS_MSG_IMPRINT_get_msg(imprint);
    struct span stamped = span_of(ASN1_STRING_get0_data(found), (size_t)ASN1_STRING_length(found));
    if (OBJ_obj2nid(name) != NID_sha256 || !span_equal(stamped, sha256_span(digest)))
        return RAISE(COMMITMENT_BAD, "the time stamp is of other bytes");
    return DONE;
}

static fault check_nonce(const struct token *self, uint64_t nonce)
{
    const ASN1_INTEGER *number = TS_TST_INFO_get_nonce(self->info);
    uint64_t found = 0;
    bool same = number != NULL && ASN1_INTEGER_get_uint64(&found, number) == 1 && found == nonce;
    ERR_clear_error();
    return same ? DONE : RAISE(INCONSISTENT, "the time stamp answers another request");
}

/* ---- whether it is true ---- */

static fault raise_verdict(void)
{
    const char *data = NULL;
    int flags = 0;
    unsigned long first = ERR_peek_error_data(&data, &flags);
    bool of_certificate = (ERR_GET_LIB(first) == ERR_LIB_TS &&
                           ERR_GET_REASON(first) == TS_R_CERTIFICATE_VERIFY_ERROR) ||
                          ERR_GET_LIB(first) == ERR_LIB_ESS;
    if (of_certificate && (flags & ERR_TXT_STRING) != 0 && data != NULL && data[0] != '\0') {
        fault f = RAISE(CERTIFICATE_BAD, "the signer of a time stamp: %s", data);
        ERR_clear_error();
        return f;
    }
    return of_certificate ? crypto_raise(CERTIFICATE_BAD, "the signer of a time stamp")
                          : crypto_raise(SIGNATURE_BAD, "a time stamp");
}

/* Signature, ESSCertIDv2, chain with its purpose to an anchor of the store; imprint and nonce
 * again. Takes the store. */
static fault verify(const struct token *self, const struct sha256 *digest, const uint64_t *nonce,
                    X509_STORE **store)
{
    OPENSSL_OWNED(X509_STORE) anchors = TAKE(*store);
    TS_REQ *made = NULL;
    TRY(make_request(digest, nonce, &made));
    OPENSSL_OWNED(TS_REQ) request = made;
    OPENSSL_OWNED(TS_VERIFY_CTX) rules = TS_REQ_to_TS_VERIFY_CTX(request, NULL);
    if (rules == NULL)
        return crypto_raise(CRYPTO_FAILED, "preparing to check a time stamp");
    TS_VERIFY_CTX_set_store(rules, TAKE(anchors)); /* it is the context's from here on */
    TS_VERIFY_CTX_add_flags(rules, TS_VFY_SIGNATURE);
    ERR_clear_error();
    if (TS_RESP_verify_token(rules, self->cms) != 1)
        return raise_verdict();
    ERR_clear_error();
    return DONE;
}

static fault verify_at(const struct token *self, const struct sha256 *digest, const uint64_t *nonce,
                       const struct trust *trust, int64_t chain_at_ms)
{
    X509_STORE *store = NULL;
    TRY(trust_store_at(trust, chain_at_ms, &store));
    return verify(self, digest, nonce, &store);
}

fault stamp_check(struct span token_der, const struct sha256 *digest, struct trust *trust,
                  int64_t at_ms, int64_t *time_ms)
{
    OWNED(token) token = NULL;
    TRY(open_token(token_der, &token));
    TRY(check_imprint(token, digest));
    if (token->time_ms - STAMP_AHEAD_MS > at_ms)
        return RAISE(FROM_FUTURE, "a time stamp of a time that is still to come");
    TRY(verify_at(token, digest, NULL, trust, token->time_ms));
    *time_ms = token->time_ms;
    return DONE;
}

fault stamp_check_certificate(struct span token_der, const struct sha256 *digest,
                              struct trust *trust, int64_t at_ms)
{
    OWNED(token) token = NULL;
    TRY(open_token(token_der, &token));
    return verify_at(token, digest, NULL, trust, at_ms);
}

/* The certificates that the token carries, each an anchor, as of the token's time. */
static fault own_anchors(const struct token *self, X509_STORE **out)
{
    OPENSSL_OWNED(X509_STORE) store = X509_STORE_new();
    STACK_OF(X509) *carried = self->cms->d.sign->cert;
    X509_VERIFY_PARAM *rules = store == NULL ? NULL : X509_STORE_get0_param(store);
    if (rules == NULL)
        return crypto_raise(CRYPTO_FAILED, "preparing to check a time stamp");
    for (int i = 0; i < sk_X509_num(carried); i++)
        if (X509_STORE_add_cert(store, sk_X509_value(carried, i)) != 1)
            return crypto_raise(CERTIFICATE_BAD, "the signer of a time stamp");
    X509_VERIFY_PARAM_set_flags(rules, X509_V_FLAG_PARTIAL_CHAIN);
    X509_VERIFY_PARAM_set_time(rules, (time_t)(self->time_ms / 1000));
    *out = TAKE(store);
    return DONE;
}

fault stamp_check_alone(struct span token_der, const struct sha256 *digest, int64_t *time_ms)
{
    OWNED(token) token = NULL;
    X509_STORE *store = NULL;
    TRY(open_token(token_der, &token));
    TRY(check_imprint(token, digest));
    TRY(own_anchors(token, &store));
    TRY(verify(token, digest, NULL, &store));
    *time_ms = token->time_ms;
    return DONE;
}

/* ---- a response ---- */

/* Only the words of the standard: the authority's own text is a stranger's. */
static const char *reason_of(const TS_STATUS_INFO *status)
{
    static const struct {
        int bit;
        const char *word;
    } reasons[] = {{TS_INFO_BAD_ALG, "it does not know the digest"},
                   {TS_INFO_BAD_REQUEST, "it does not serve such a request"},
                   {TS_INFO_BAD_DATA_FORMAT, "it did not understand the request"},
                   {TS_INFO_TIME_NOT_AVAILABLE, "it has no time"},
                   {TS_INFO_UNACCEPTED_POLICY, "it has another policy"},
                   {TS_INFO_UNACCEPTED_EXTENSION, "it does not know an extension"},
                   {TS_INFO_ADD_INFO_NOT_AVAILABLE, "it lacks something"},
                   {TS_INFO_SYSTEM_FAILURE, "it is out of order"}};
    const ASN1_BIT_STRING *given = TS_STATUS_INFO_get0_failure_info(status);
    for (size_t i = 0; given != NULL && i < sizeof reasons / sizeof reasons[0]; i++)
        if (ASN1_BIT_STRING_get_bit(given, reasons[i].bit) == 1)
            return reasons[i].word;
    return "it does not say why";
}

static fault check_status(TS_RESP *response)
{
    const TS_STATUS_INFO *info = TS_RESP_get_status_info(response);
    int64_t status = -1;
    if (ASN1_INTEGER_get_int64(&status, TS_STATUS_INFO_get0_status(info)) != 1)
        return crypto_raise(BAD_FRAME, "a time stamp response without a status");
    if (status != TS_STATUS_GRANTED && status != TS_STATUS_GRANTED_WITH_MODS)
        return RAISE(REFUSED, "the time stamp authority did not stamp: %s", reason_of(info));
    if (TS_RESP_get_token(response) == NULL)
        return RAISE(BAD_FRAME, "a time stamp response without a time stamp");
    return DONE;
}

static fault token_of(struct span response_der, struct bytes **out)
{
    if (response_der.size == 0 || response_der.size > STAMP_RESPONSE_BYTES_MAX)
        return RAISE(BAD_FRAME, "a time stamp response of %zu bytes", response_der.size);
    const uint8_t *at = response_der.at;
    OPENSSL_OWNED(TS_RESP) response = d2i_TS_RESP(NULL, &at, (long)response_der.size);
    if (response == NULL || at != response_der.at + response_der.size)
        return crypto_raise(BAD_FRAME, "not a time stamp response");
    TRY(check_status(response));
    return ENCODE(PKCS7, TS_RESP_get_token(response), out);
}

/* What is checked is what is handed out: the token in DER, whatever form it came in. */
fault stamp_take(struct span response_der, const struct sha256 *digest, uint64_t nonce,
                 struct trust *trust, struct bytes **token_der, int64_t *time_ms)
{
    OWNED(bytes) der = NULL;
    OWNED(token) token = NULL;
    TRY(token_of(response_der, &der));
    TRY(open_token(bytes_span(der), &token));
    TRY(check_imprint(token, digest));
    TRY(check_nonce(token, nonce));
    TRY(verify_at(token, digest, &nonce, trust, token->time_ms));
    *time_ms = token->time_ms;
    *token_der = TAKE(der);
    return DONE;
}

/* ---- answering ---- */

struct stamper {
    TS_RESP_CTX *responder;
    int64_t now_ms;
    int64_t last_ms;          /* of the newest token */
    int64_t begin_ms, end_ms; /* of the certificate */
    uint64_t serial;
};

void stamper_free(struct stamper **self)
{
    if (*self == NULL)
        return;
    TS_RESP_CTX_free((*self)->responder);
    free(*self);
    *self = NULL;
}

static ASN1_INTEGER *give_serial(struct TS_resp_ctx *responder, void *owner)
{
    const struct stamper *self = owner;
    ASN1_INTEGER *number = ASN1_INTEGER_new();
    if (number != NULL && ASN1_INTEGER_set_uint64(number, self->serial) == 1)
        return number;
    ASN1_INTEGER_free(number);
    TS_RESP_CTX_set_status_info(responder, TS_STATUS_REJECTION, "no serial number");
    TS_RESP_CTX_add_failure_info(responder, TS_INFO_SYSTEM_FAILURE);
    return NULL;
}

static int give_time(struct TS_resp_ctx *responder, void *owner, long *seconds, long *microseconds)
{
    const struct stamper *self = owner;
    const char *why = self->now_ms < self->begin_ms || self->now_ms >= self->end_ms
                          ? "the certificate is not valid now"
                      : self->now_ms + STAMP_ACCURACY_S * 1000 < self->last_ms
                          ? "the clock went back"
                          : NULL;
    if (why != NULL) {
        TS_RESP_CTX_set_status_info(responder, TS_STATUS_REJECTION, why);
        TS_RESP_CTX_add_failure_info(responder, TS_INFO_TIME_NOT_AVAILABLE);
        return 0;
    }
    *seconds = (long)(self->now_ms / 1000);
    *microseconds = (long)(self->now_ms % 1000) * 1000;
    return 1;
}

static fault prepare(struct stamper *self, const struct keypair *key,
                     const struct certificate *certificate)
{
    TS_RESP_CTX *responder = self->responder;
    OPENSSL_OWNED(ASN1_OBJECT) policy = OBJ_txt2obj(STAMP_POLICY, 1);
    if (policy == NULL || TS_RESP_CTX_set_signer_key(responder, keypair_pkey(key)) != 1 ||
        TS_RESP_CTX_set_def_policy(responder, policy) != 1 ||
        TS_RESP_CTX_set_signer_digest(responder, EVP_sha256()) != 1 ||
        TS_RESP_CTX_set_ess_cert_id_digest(responder, EVP_sha256()) != 1 ||
        TS_RESP_CTX_add_md(responder, EVP_sha256()) != 1 ||
        TS_RESP_CTX_add_md(responder, EVP_sha384()) != 1 ||
        TS_RESP_CTX_add_md(responder, EVP_sha512()) != 1 ||
        TS_RESP_CTX_set_accuracy(responder, STAMP_ACCURACY_S, 0, 0) != 1 ||
        TS_RESP_CTX_set_clock_precision_digits(responder, 3) != 1)
        return crypto_raise(CRYPTO_FAILED, "preparing a stamper");
    if (TS_RESP_CTX_set_signer_cert(responder, certificate_x509(certificate)) != 1)
        return crypto_raise(CERTIFICATE_BAD, "the certificate is not for time stamps alone");
    TS_RESP_CTX_set_serial_cb(responder, give_serial, self);
    TS_RESP_CTX_set_time_cb(responder, give_time, self);
    return DONE;
}

fault stamper_new(const struct keypair *key, const struct certificate *certificate,
                  struct stamper **out)
{
    OWNED(stamper) self = owned_new(sizeof *self);
    self->responder = TS_RESP_CTX_new();
    if (self->responder == NULL)
        return crypto_raise(CRYPTO_FAILED, "a stamper");
    if (X509_check_private_key(certificate_x509(certificate), keypair_pkey(key)) != 1)
        return crypto_raise(BAD_KEY, "the time stamp key is not that of its certificate");
    TRY(prepare(self, key, certificate));
    self->begin_ms = certificate_not_before_ms(certificate);
    self->end_ms = certificate_not_after_ms(certificate);
    *out = TAKE(self);
    return DONE;
}

static bool is_request(struct span der)
{
    if (der.size == 0 || der.size > STAMP_REQUEST_BYTES_MAX)
        return false;
    const uint8_t *at = der.at;
    OPENSSL_OWNED(TS_REQ) request = d2i_TS_REQ(NULL, &at, (long)der.size);
    ERR_clear_error();
    return request != NULL && at == der.at + der.size;
}

static enum stamp_verdict verdict_of(TS_RESP *response)
{
    int64_t status = -1;
    const TS_STATUS_INFO *info = TS_RESP_get_status_info(response);
    return ASN1_INTEGER_get_int64(&status, TS_STATUS_INFO_get0_status(info)) == 1 &&
                   status == TS_STATUS_GRANTED
               ? STAMP_GRANTED
               : STAMP_REJECTED;
}

fault stamper_answer(struct stamper *self, struct span request_der, int64_t now_ms, uint64_t serial,
                     enum stamp_verdict *verdict, struct bytes **response_der)
{
    bool sound = is_request(request_der);
    OPENSSL_OWNED(BIO) in = BIO_new(BIO_s_mem());
    /* nothing at all is rejected as badDataFormat, and so is what would be read in part */
    if (in == NULL ||
        (sound && BIO_write(in, request_der.at, (int)request_der.size) != (int)request_der.size))
        return crypto_raise(CRYPTO_FAILED, "reading a time stamp request");
    self->now_ms = now_ms;
    self->serial = serial;
    OPENSSL_OWNED(TS_RESP) response = TS_RESP_create_response(self->responder, in);
    if (response == NULL)
        return crypto_raise(CRYPTO_FAILED, "answering a time stamp request");
    ERR_clear_error(); /* why it was rejected */
    TRY(ENCODE(TS_RESP, response, response_der));
    enum stamp_verdict found = verdict_of(response);
    if (found == STAMP_GRANTED && now_ms > self->last_ms)
        self->last_ms = now_ms;
    *verdict = sound ? found : STAMP_GARBAGE;
    return DONE;
}
