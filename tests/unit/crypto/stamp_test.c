// SPDX-License-Identifier: MIT
#include "lib/crypto/stamp.h"
#include "tests/unit/crypto/fixture.h"

#include <time.h>

#define NOW_MS (FIXTURE_START_MS + INT64_C(1000123))
#define SERIAL 77

static const struct certificate_subject tsa_subject = {.country = "CO",
                                                       .organisation = "Autoridad de intercambio",
                                                       .member = "CO/AUTHORITY/TSA",
                                                       .server = "tsa"};

/* A country with a time stamp authority, and one stamp of it. */
struct office {
    struct country *country;
    struct keypair *key;
    struct certificate *certificate;
    struct stamper *stamper;
    struct trust *trust;
    struct sha256 digest;
    uint64_t nonce;
    struct bytes *request, *response;
};

static void office_free(struct office **owner)
{
    struct office *self = *owner;
    *owner = NULL;
    if (self == NULL)
        return;
    bytes_free(&self->request);
    bytes_free(&self->response);
    trust_free(&self->trust);
    stamper_free(&self->stamper);
    certificate_free(&self->certificate);
    keypair_free(&self->key);
    country_free(&self->country);
    free(self);
}

static struct trust *trust_in(const struct certificate *anchor)
{
    struct trust *trust = NULL;
    struct fixture_path path = fixture_write_pem(unit_folder(), "trust.pem", anchor);
    MUST(trust_load(path.at, &trust));
    return trust;
}

static struct certificate *certify(const struct office *self, int64_t not_after_ms)
{
    OWNED(bytes) request = NULL;
    struct certificate *made = NULL;
    MUST(keypair_request(self->key, &tsa_subject, &request));
    MUST(certificate_issue_stamper(self->country->ca_key, self->country->ca, bytes_span(request),
                                   &tsa_subject, FIXTURE_START_MS, not_after_ms, &made));
    return made;
}

static struct bytes *answer(struct office *self, struct span request, int64_t now_ms,
                            enum stamp_verdict expected)
{
    struct bytes *response = NULL;
    enum stamp_verdict verdict = STAMP_GARBAGE;
    MUST(stamper_answer(self->stamper, request, now_ms, SERIAL, &verdict, &response));
    CU_ASSERT_EQUAL(verdict, expected);
    return response;
}

static struct office *office(void)
{
    struct office *self = owned_new(sizeof *self);
    self->country = fixture_country();
    MUST(keypair_make(KEY_P256, &self->key));
    self->certificate = certify(self, FIXTURE_START_MS + FIXTURE_YEAR_MS);
    MUST(stamper_new(self->key, self->certificate, &self->stamper));
    self->trust = trust_in(self->country->ca);
    self->digest = SHA256_OF(span_of_text("a checkpoint"));
    MUST(stamp_request(&self->digest, &self->request, &self->nonce));
    self->response = answer(self, bytes_span(self->request), NOW_MS, STAMP_GRANTED);
    return self;
}

static fault take_with(const struct office *self, struct span response, struct bytes **token,
                       int64_t *time_ms)
{
    return stamp_take(response, &self->digest, self->nonce, self->trust, token, time_ms);
}

static struct bytes *token_of(const struct office *self)
{
    struct bytes *token = NULL;
    int64_t time_ms = 0;
    MUST(take_with(self, bytes_span(self->response), &token, &time_ms));
    return token;
}

static void test_a_stamp_is_taken_and_checked_later(void)
{
    OWNED(office) self = office();
    OWNED(bytes) token = NULL;
    int64_t taken_ms = 0, checked_ms = 0;
    MUST(take_with(self, bytes_span(self->response), &token, &taken_ms));
    CU_ASSERT_EQUAL(taken_ms, NOW_MS);
    MUST(stamp_check(bytes_span(token), &self->digest, self->trust, NOW_MS, &checked_ms));
    CU_ASSERT_EQUAL(checked_ms, NOW_MS);
    CU_ASSERT(token->size < 2000);
}

static void test_two_requests_have_two_nonces(void)
{
    OWNED(office) self = office();
    OWNED(bytes) again = NULL;
    uint64_t nonce = 0;
    MUST(stamp_request(&self->digest, &again, &nonce));
    CU_ASSERT_NOT_EQUAL(nonce, self->nonce);
}

static void test_a_stamp_of_other_bytes_is_refused(void)
{
    OWNED(office) self = office();
    OWNED(bytes) token = token_of(self);
    OWNED(bytes) other = NULL;
    int64_t time_ms = -1;
    self->digest.at[31] ^= 1;
    MUST_FAIL(COMMITMENT_BAD, take_with(self, bytes_span(self->response), &other, &time_ms));
    MUST_FAIL(COMMITMENT_BAD,
              stamp_check(bytes_span(token), &self->digest, self->trust, NOW_MS, &time_ms));
    CU_ASSERT_EQUAL(time_ms, -1);
    CU_ASSERT_PTR_NULL(other);
}

static void test_the_answer_to_another_request_is_refused(void)
{
    OWNED(office) self = office();
    OWNED(bytes) token = NULL;
    int64_t time_ms = 0;
    self->nonce ^= 1;
    MUST_FAIL(INCONSISTENT, take_with(self, bytes_span(self->response), &token, &time_ms));
}

static void test_a_chain_to_another_anchor_is_refused(void)
{
    OWNED(office) self = office();
    OWNED(office) foreign = office();
    OWNED(bytes) token = token_of(self);
    OWNED(bytes) other = NULL;
    int64_t time_ms = 0;
    trust_free(&self->trust);
    self->trust = trust_in(foreign->country->ca);
    MUST_FAIL(CERTIFICATE_BAD, take_with(self, bytes_span(self->response), &other, &time_ms));
    MUST_FAIL(CERTIFICATE_BAD,
              stamp_check(bytes_span(token), &self->digest, self->trust, NOW_MS, &time_ms));
}

static void test_a_certificate_for_other_things_does_not_stamp(void)
{
    OWNED(office) self = office();
    OWNED(stamper) stamper = NULL;
    OWNED(certificate) member = NULL;
    fixture_issue(self->country, self->key, &member);
    MUST_FAIL(CERTIFICATE_BAD, stamper_new(self->key, member, &stamper));
    MUST_FAIL(CERTIFICATE_BAD, stamper_new(self->country->ca_key, self->country->ca, &stamper));
    MUST_FAIL(BAD_KEY, stamper_new(self->country->key, self->certificate, &stamper));
}

static void test_the_certificate_signs_nothing_but_stamps(void)
{
    OWNED(office) self = office();
    const char *folder = unit_folder();
    struct fixture_path pem = fixture_write_pem(folder, "tsa.pem", self->certificate);
    struct fixture_path text = fixture_path(folder, "text");
    CU_ASSERT_FALSE(certificate_may_sign(self->certificate));
    CU_ASSERT_EQUAL_FATAL(
        FIXTURE_OPENSSL("x509", "-in", pem.at, "-noout", "-text", "-out", text.at), 0);
    OWNED(bytes) read = fixture_read(text.at);
    MUST(bytes_append(read, span_of("", 1)));
    const char *shown = (const char *)read->data;
    CU_ASSERT_PTR_NOT_NULL(strstr(shown, "Extended Key Usage: critical\n                "
                                         "Time Stamping\n"));
    CU_ASSERT_PTR_NOT_NULL(strstr(shown, "Key Usage: critical\n                "
                                         "Digital Signature\n"));
}

/* Stock openssl stamps with a member's certificate if it is told so by a wrong profile; here the
 * same with one that has the usage but not marked as critical. */
static void write_lax_profile(const char *folder)
{
    fixture_write(folder, "tsa.cnf",
                  span_of_text("[req]\ndistinguished_name=n\n[n]\n"
                               "[lax]\nextendedKeyUsage=timeStamping\n"
                               "subjectKeyIdentifier=hash\n"));
}

static void test_a_certificate_whose_usage_is_not_critical_does_not_stamp(void)
{
    OWNED(office) self = office();
    OWNED(certificate) lax = NULL;
    OWNED(stamper) stamper = NULL;
    const char *folder = unit_folder();
    struct fixture_path key = fixture_path(folder, "key"), config = fixture_path(folder, "tsa.cnf");
    struct fixture_path pem = fixture_path(folder, "lax.pem");
    write_lax_profile(folder);
    MUST(keypair_save(self->key, key.at));
    CU_ASSERT_EQUAL_FATAL(FIXTURE_OPENSSL("req", "-new", "-x509", "-key", key.at, "-config",
                                          config.at, "-extensions", "lax", "-subj", "/CN=lax",
                                          "-out", pem.at),
                          0);
    MUST(certificate_load(pem.at, &lax));
    MUST_FAIL(CERTIFICATE_BAD, stamper_new(self->key, lax, &stamper));
}

static void test_a_token_of_the_future_is_refused(void)
{
    OWNED(office) self = office();
    OWNED(bytes) token = token_of(self);
    int64_t time_ms = 0;
    MUST(stamp_check(bytes_span(token), &self->digest, self->trust, NOW_MS - STAMP_AHEAD_MS,
                     &time_ms));
    MUST_FAIL(FROM_FUTURE, stamp_check(bytes_span(token), &self->digest, self->trust,
                                       NOW_MS - STAMP_AHEAD_MS - 1, &time_ms));
}

// --- what nothing covers ------------------------------------------------------------------------

/* A DER element: where it begins, where its content does, where it ends. */
struct element {
    size_t at, content, end;
};

static struct element element_at(const struct bytes *der, size_t at)
{
    size_t length = der->data[at + 1], head = 2;
    if ((length & 0x80) != 0) {
        size_t count = length & 0x7f;
        length = 0;
        for (size_t i = 0; i < count; i++)
            length = length << 8 | der->data[at + head++];
    }
    return (struct element){at, at + head, at + head + length};
}

static struct element child(const struct bytes *der, struct element parent, size_t number)
{
    struct element at = element_at(der, parent.content);
    while (number-- > 0)
        at = element_at(der, at.end);
    return at;
}

/* The places in a token that neither its signature nor what RFC 3161 compares covers, and why a
 * change of them says nothing else. */
struct token_map {
    struct element version, digest_algorithms, signer_version, signer_name, digest_algorithm,
        attributes, signature_algorithm;
};

static struct token_map map_of(const struct bytes *token)
{
    struct element content_info = element_at(token, 0);
    struct element data = child(token, child(token, content_info, 1), 0);
    struct element signer = child(token, child(token, data, 4), 0);
    return (struct token_map){.version = child(token, data, 0),
                              .digest_algorithms = child(token, data, 1),
                              .signer_version = child(token, signer, 0),
                              .signer_name = child(token, child(token, signer, 1), 0),
                              .digest_algorithm = child(token, signer, 2),
                              .attributes = child(token, signer, 3),
                              .signature_algorithm = child(token, signer, 4)};
}

static bool is_within(struct element element, size_t at)
{
    return at >= element.at && at < element.end;
}

/* Parameters of an algorithm: behind its object identifier. */
static bool is_parameter(const struct bytes *token, struct element algorithm, size_t at)
{
    return is_within(algorithm, at) && at >= child(token, algorithm, 0).end;
}

/* The tag of the signed attributes, or of the values of one. */
static bool is_attribute_tag(const struct bytes *token, struct element attributes, size_t at)
{
    if (at == attributes.at)
        return true;
    for (size_t next = attributes.content; next < attributes.end;) {
        struct element attribute = element_at(token, next);
        if (at == child(token, attribute, 1).at)
            return true;
        next = attribute.end;
    }
    return false;
}

/* Why changing this bit may pass, or NULL: it may not. */
static const char *why_harmless(const struct bytes *token, const struct token_map *map, size_t at,
                                unsigned bit)
{
    if (is_within(map->version, at) && at >= map->version.content)
        return "version of SignedData: OpenSSL reads one form whatever it says";
    if (is_within(map->signer_version, at) && at >= map->signer_version.content)
        return "version of SignerInfo: the same";
    if (is_parameter(token, child(token, map->digest_algorithms, 0), at))
        return "parameters of SHA-256, which has none (RFC 5754 section 2)";
    if (is_parameter(token, map->digest_algorithm, at))
        return "parameters of SHA-256, which has none";
    if (is_within(map->signer_name, at))
        return "issuer beside the serial number: names are compared without case and form, and "
               "ESSCertIDv2, which is signed, names the certificate by its hash";
    if (is_attribute_tag(token, map->attributes, at) && bit == 5)
        return "constructed bit of a tag: DER is made again before it is verified";
    if (is_within(map->signature_algorithm, at))
        return "signature algorithm: OpenSSL takes the certificate's key and the digest algorithm";
    return NULL;
}

typedef fault stamp_checked(struct office *self, struct span token, int64_t *time_ms);

static fault check_by_anchors(struct office *self, struct span token, int64_t *time_ms)
{
    return stamp_check(token, &self->digest, self->trust, NOW_MS, time_ms);
}

static fault check_by_itself(struct office *self, struct span token, int64_t *time_ms)
{
    return stamp_check_alone(token, &self->digest, time_ms);
}

/* Each bit of each byte: refused, or one of those that are named above, and of the same time. */
static void change_each_bit(struct office *self, const struct bytes *token, stamp_checked *check)
{
    OWNED(bytes) changed = NULL;
    struct token_map map = map_of(token);
    size_t harmless = 0;
    MUST(bytes_copy(bytes_span(token), &changed));
    for (size_t i = 0; i < token->size; i++)
        for (unsigned bit = 0; bit < 8; bit++) {
            int64_t time_ms = 0;
            changed->data[i] ^= (uint8_t)(1u << bit);
            fault f = check(self, bytes_span(changed), &time_ms);
            changed->data[i] ^= (uint8_t)(1u << bit);
            if (failed(f))
                continue;
            harmless++;
            CU_ASSERT_EQUAL(time_ms, NOW_MS);
            if (why_harmless(token, &map, i, bit) == NULL)
                fprintf(stderr, "  bit %u of byte %zu passes, and nobody says why\n", bit, i);
            CU_ASSERT_PTR_NOT_NULL(why_harmless(token, &map, i, bit));
        }
    fprintf(stderr, "  of %zu changes %zu were harmless\n", 8 * token->size, harmless);
}

static void test_a_changed_bit_is_refused_or_covered_by_nothing(void)
{
    OWNED(office) self = office();
    OWNED(bytes) token = token_of(self);
    change_each_bit(self, token, check_by_anchors);
}

static void test_a_changed_byte_of_a_response_gives_no_other_token(void)
{
    OWNED(office) self = office();
    for (size_t i = 0; i < self->response->size; i++) {
        OWNED(bytes) token = NULL;
        int64_t time_ms = 0;
        self->response->data[i] ^= 1;
        fault f = take_with(self, bytes_span(self->response), &token, &time_ms);
        self->response->data[i] ^= 1;
        CU_ASSERT(failed(f) == (token == NULL));
        CU_ASSERT(failed(f) || time_ms == NOW_MS);
        if (!failed(f)) /* what is handed out passes on its own */
            MUST(stamp_check(bytes_span(token), &self->digest, self->trust, NOW_MS, &time_ms));
    }
}

static void test_bytes_behind_or_missing_are_refused(void)
{
    OWNED(office) self = office();
    OWNED(bytes) token = token_of(self);
    OWNED(bytes) out = NULL;
    int64_t time_ms = 0;
    for (size_t size = 0; size < token->size; size++)
        MUST_FAIL(BAD_FRAME, stamp_check(span_of(token->data, size), &self->digest, self->trust,
                                         NOW_MS, &time_ms));
    for (size_t size = 0; size < self->response->size; size++)
        MUST_FAIL(BAD_FRAME, take_with(self, span_of(self->response->data, size), &out, &time_ms));
    MUST(bytes_append_text(token, "x"));
    MUST(bytes_append_text(self->response, "x"));
    MUST_FAIL(BAD_FRAME,
              stamp_check(bytes_span(token), &self->digest, self->trust, NOW_MS, &time_ms));
    MUST_FAIL(BAD_FRAME, take_with(self, bytes_span(self->response), &out, &time_ms));
}

static void test_garbage_is_rejected_properly(void)
{
    OWNED(office) self = office();
    OWNED(bytes) longer = NULL;
    MUST(bytes_copy(bytes_span(self->request), &longer));
    MUST(bytes_append_text(longer, "x"));
    const struct span garbage[] = {span_of(NULL, 0), span_of_text("hola"),
                                   span_of(self->request->data, self->request->size - 1),
                                   bytes_span(longer)};
    for (size_t i = 0; i < sizeof garbage / sizeof garbage[0]; i++) {
        OWNED(bytes) response = answer(self, garbage[i], NOW_MS, STAMP_GARBAGE);
        OWNED(bytes) token = NULL;
        int64_t time_ms = 0;
        MUST_FAIL(REFUSED, take_with(self, bytes_span(response), &token, &time_ms));
        CU_ASSERT_PTR_NOT_NULL(strstr(fault_detail(), "did not understand"));
    }
}

/* SHA-256 is 2.16.840.1.101.3.4.2.1: its last number, changed, is a digest that nobody has. */
static void test_an_unknown_digest_is_rejected_properly(void)
{
    static const uint8_t name[] = {0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x02, 0x01};
    OWNED(office) self = office();
    OWNED(bytes) token = NULL;
    int64_t time_ms = 0;
    uint8_t *at = memmem(self->request->data, self->request->size, name, sizeof name);
    CU_ASSERT_PTR_NOT_NULL_FATAL(at);
    at[8] = 0x7f;
    OWNED(bytes) response = answer(self, bytes_span(self->request), NOW_MS, STAMP_REJECTED);
    MUST_FAIL(REFUSED, take_with(self, bytes_span(response), &token, &time_ms));
    CU_ASSERT_PTR_NOT_NULL(strstr(fault_detail(), "digest"));
}

static void test_a_clock_that_goes_back_stamps_nothing(void)
{
    OWNED(office) self = office();
    OWNED(bytes) token = NULL;
    int64_t time_ms = 0;
    OWNED(bytes)
    within =
        answer(self, bytes_span(self->request), NOW_MS - STAMP_ACCURACY_S * 1000, STAMP_GRANTED);
    OWNED(bytes)
    before = answer(self, bytes_span(self->request), NOW_MS - STAMP_ACCURACY_S * 1000 - 1,
                    STAMP_REJECTED);
    MUST_FAIL(REFUSED, take_with(self, bytes_span(before), &token, &time_ms));
    CU_ASSERT_PTR_NOT_NULL(strstr(fault_detail(), "no time"));
    OWNED(bytes) again = answer(self, bytes_span(self->request), NOW_MS, STAMP_GRANTED);
    MUST(take_with(self, bytes_span(again), &token, &time_ms));
}

static void test_stock_openssl_verifies_our_stamp(void)
{
    OWNED(office) self = office();
    OWNED(bytes) token = token_of(self);
    const char *folder = unit_folder();
    struct fixture_path request = fixture_write(folder, "tsq", bytes_span(self->request));
    struct fixture_path response = fixture_write(folder, "tsr", bytes_span(self->response));
    struct fixture_path bare = fixture_write(folder, "tst", bytes_span(token));
    struct fixture_path data = fixture_write(folder, "data", span_of_text("a checkpoint"));
    struct fixture_path other = fixture_write(folder, "other", span_of_text("a checkpoinT"));
    struct fixture_path ca = fixture_write_pem(folder, "ca.pem", self->country->ca);
    char at[32];
    CU_ASSERT(text_format(at, sizeof at, "%lld", (long long)(NOW_MS / 1000)));
    CU_ASSERT_EQUAL(FIXTURE_OPENSSL("ts", "-verify", "-attime", at, "-in", response.at,
                                    "-queryfile", request.at, "-CAfile", ca.at),
                    0);
    CU_ASSERT_EQUAL(FIXTURE_OPENSSL("ts", "-verify", "-attime", at, "-in", bare.at, "-token_in",
                                    "-data", data.at, "-CAfile", ca.at),
                    0);
    CU_ASSERT_NOT_EQUAL(FIXTURE_OPENSSL("ts", "-verify", "-attime", at, "-in", bare.at, "-token_in",
                                        "-data", other.at, "-CAfile", ca.at),
                        0);
}

/* Another authority's way to stamp: stock openssl, from files, with a digest of its own choice. */
static struct bytes *stock_answer(const struct office *self, const char *digest)
{
    const char *folder = unit_folder();
    struct fixture_path request = fixture_write(folder, "tsq", bytes_span(self->request));
    struct fixture_path response = fixture_path(folder, "tsr"), key = fixture_path(folder, "key");
    struct fixture_path pem = fixture_write_pem(folder, "tsa.pem", self->certificate);
    struct fixture_path serial = fixture_path(folder, "serial");
    char text[1024];
    MUST(keypair_save(self->key, key.at));
    CU_ASSERT_FATAL(text_format(text, sizeof text,
                                "[tsa]\ndefault_tsa=t\n[t]\nserial=%s\nsigner_cert=%s\n"
                                "signer_key=%s\nsigner_digest=%s\ndefault_policy=1.2.3.4\n"
                                "digests=sha256\ness_cert_id_chain=no\ness_cert_id_alg=sha256\n",
                                serial.at, pem.at, key.at, digest));
    struct fixture_path config = fixture_write(folder, "tsa.cnf", span_of_text(text));
    CU_ASSERT_EQUAL_FATAL(FIXTURE_OPENSSL("ts", "-reply", "-config", config.at, "-queryfile",
                                          request.at, "-out", response.at),
                          0);
    return fixture_read(response.at);
}

/* Stock openssl stamps with this machine's time, so the certificate is one for today. */
static void certify_for_today(struct office *self)
{
    OWNED(bytes) request = NULL;
    const int64_t today_ms = (int64_t)time(NULL) * 1000;
    certificate_free(&self->country->ca);
    certificate_free(&self->certificate);
    trust_free(&self->trust);
    MUST(certificate_make_ca(self->country->ca_key, &fixture_authority, today_ms - FIXTURE_YEAR_MS,
                             today_ms + FIXTURE_YEAR_MS, &self->country->ca));
    MUST(keypair_request(self->key, &tsa_subject, &request));
    MUST(certificate_issue_stamper(self->country->ca_key, self->country->ca, bytes_span(request),
                                   &tsa_subject, today_ms - FIXTURE_YEAR_MS,
                                   today_ms + FIXTURE_YEAR_MS, &self->certificate));
    self->trust = trust_in(self->country->ca);
}

static void test_another_authority_is_believed_but_not_over_a_weak_digest(void)
{
    OWNED(office) self = office();
    OWNED(bytes) token = NULL;
    OWNED(bytes) weak_token = NULL;
    int64_t time_ms = 0;
    certify_for_today(self);
    OWNED(bytes) response = stock_answer(self, "sha512");
    MUST(take_with(self, bytes_span(response), &token, &time_ms));
    OWNED(bytes) weak = stock_answer(self, "sha1");
    MUST_FAIL(SIGNATURE_BAD, take_with(self, bytes_span(weak), &weak_token, &time_ms));
    CU_ASSERT_PTR_NOT_NULL(strstr(fault_detail(), "weak"));
}

/* The same content signed again with stock openssl, in the very form of a token. */
static struct bytes *signed_again(struct bytes *token, const struct keypair *key,
                                  const struct certificate *signer)
{
    const char *folder = unit_folder();
    struct fixture_path in = fixture_write(folder, "tst", bytes_span(token));
    struct fixture_path info = fixture_path(folder, "info"), out = fixture_path(folder, "out");
    struct fixture_path pem = fixture_write_pem(folder, "signer.pem", signer);
    struct fixture_path key_file = fixture_path(folder, "key");
    MUST(keypair_save(key, key_file.at));
    CU_ASSERT_EQUAL_FATAL(FIXTURE_OPENSSL("cms", "-verify", "-noverify", "-binary", "-inform",
                                          "DER", "-in", in.at, "-out", info.at),
                          0);
    CU_ASSERT_EQUAL_FATAL(
        FIXTURE_OPENSSL("cms", "-sign", "-cades", "-binary", "-nodetach", "-outform", "DER",
                        "-econtent_type", "1.2.840.113549.1.9.16.1.4", "-md", "sha256", "-signer",
                        pem.at, "-inkey", key_file.at, "-in", info.at, "-out", out.at),
        0);
    return fixture_read(out.at);
}

/* Years later the token is as good as new; one made when the certificate had ended never is. */
static void test_a_chain_is_looked_at_as_of_the_token(void)
{
    OWNED(office) self = office();
    OWNED(bytes) token = token_of(self);
    OWNED(certificate) ended = certify(self, NOW_MS - 10000);
    OWNED(bytes) late = signed_again(token, self->key, ended);
    int64_t time_ms = 0;
    MUST(stamp_check(bytes_span(token), &self->digest, self->trust, NOW_MS + 20 * FIXTURE_YEAR_MS,
                     &time_ms));
    CU_ASSERT_EQUAL(time_ms, NOW_MS);
    MUST_FAIL(CERTIFICATE_BAD,
              stamp_check(bytes_span(late), &self->digest, self->trust, NOW_MS, &time_ms));
    CU_ASSERT_PTR_NOT_NULL(strstr(fault_detail(), "expired"));
}

static void test_nothing_is_stamped_outside_the_certificates_validity(void)
{
    OWNED(office) self = office();
    const int64_t end_ms = FIXTURE_START_MS + FIXTURE_YEAR_MS;
    OWNED(bytes)
    before = answer(self, bytes_span(self->request), FIXTURE_START_MS - 1, STAMP_REJECTED);
    OWNED(bytes) last = answer(self, bytes_span(self->request), end_ms - 1, STAMP_GRANTED);
    OWNED(bytes) after = answer(self, bytes_span(self->request), end_ms, STAMP_REJECTED);
}

static void test_a_member_of_the_same_anchor_cannot_stamp(void)
{
    OWNED(office) self = office();
    OWNED(bytes) token = token_of(self);
    OWNED(bytes) by_authority = signed_again(token, self->key, self->certificate);
    OWNED(bytes) by_member = signed_again(token, self->country->key, self->country->member);
    OWNED(bytes) by_anchor = signed_again(token, self->country->ca_key, self->country->ca);
    int64_t time_ms = 0;
    MUST(stamp_check(bytes_span(by_authority), &self->digest, self->trust, NOW_MS, &time_ms));
    MUST_FAIL(CERTIFICATE_BAD,
              stamp_check(bytes_span(by_member), &self->digest, self->trust, NOW_MS, &time_ms));
    CU_ASSERT_PTR_NOT_NULL(strstr(fault_detail(), "purpose"));
    MUST_FAIL(CERTIFICATE_BAD,
              stamp_check(bytes_span(by_anchor), &self->digest, self->trust, NOW_MS, &time_ms));
}

static void test_a_stamp_of_an_authority_that_is_trusted_no_more_is_still_whole(void)
{
    OWNED(office) self = office();
    OWNED(office) foreign = office();
    OWNED(bytes) token = token_of(self);
    int64_t time_ms = 0;
    MUST_FAIL(CERTIFICATE_BAD,
              stamp_check(bytes_span(token), &self->digest, foreign->trust, NOW_MS, &time_ms));
    MUST(stamp_check_alone(bytes_span(token), &self->digest, &time_ms));
    CU_ASSERT_EQUAL(time_ms, NOW_MS);
    change_each_bit(self, token, check_by_itself);
    self->digest.at[0] ^= 1;
    MUST_FAIL(COMMITMENT_BAD, stamp_check_alone(bytes_span(token), &self->digest, &time_ms));
}

static void test_a_certificate_that_has_ended_is_told(void)
{
    OWNED(office) self = office();
    OWNED(bytes) token = token_of(self);
    int64_t later_ms = FIXTURE_START_MS + FIXTURE_YEAR_MS + 1000, time_ms = 0;
    MUST(stamp_check_certificate(bytes_span(token), &self->digest, self->trust, NOW_MS));
    MUST_FAIL(CERTIFICATE_BAD,
              stamp_check_certificate(bytes_span(token), &self->digest, self->trust, later_ms));
    MUST(stamp_check(bytes_span(token), &self->digest, self->trust, later_ms, &time_ms));
}

SUITE(stamp, TEST(test_a_stamp_is_taken_and_checked_later), TEST(test_two_requests_have_two_nonces),
      TEST(test_a_stamp_of_other_bytes_is_refused),
      TEST(test_the_answer_to_another_request_is_refused),
      TEST(test_a_chain_to_another_anchor_is_refused),
      TEST(test_a_certificate_for_other_things_does_not_stamp),
      TEST(test_the_certificate_signs_nothing_but_stamps),
      TEST(test_a_certificate_whose_usage_is_not_critical_does_not_stamp),
      TEST(test_a_chain_is_looked_at_as_of_the_token), TEST(test_a_token_of_the_future_is_refused),
      TEST(test_a_changed_bit_is_refused_or_covered_by_nothing),
      TEST(test_a_changed_byte_of_a_response_gives_no_other_token),
      TEST(test_bytes_behind_or_missing_are_refused), TEST(test_garbage_is_rejected_properly),
      TEST(test_an_unknown_digest_is_rejected_properly),
      TEST(test_a_clock_that_goes_back_stamps_nothing), TEST(test_stock_openssl_verifies_our_stamp),
      TEST(test_nothing_is_stamped_outside_the_certificates_validity),
      TEST(test_a_member_of_the_same_anchor_cannot_stamp),
      TEST(test_another_authority_is_believed_but_not_over_a_weak_digest),
      TEST(test_a_stamp_of_an_authority_that_is_trusted_no_more_is_still_whole),
      TEST(test_a_certificate_that_has_ended_is_told))
