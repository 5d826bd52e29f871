// SPDX-License-Identifier: MIT
#include "lib/crypto/certificate.h"
#include "tests/unit/crypto/fixture.h"

#include <sys/stat.h>
#include <unistd.h>

#define NOW_MS (FIXTURE_START_MS + INT64_C(1000000))

static struct trust *trust_of(const char *folder, const struct certificate *anchor)
{
    struct trust *trust = NULL;
    struct fixture_path path = fixture_write_pem(folder, "trust.pem", anchor);
    MUST(trust_load(path.at, &trust));
    return trust;
}

static void test_an_issued_certificate_has_the_profile(void)
{
    OWNED(country) country = fixture_country();
    const struct certificate *member = country->member;
    const struct certificate_subject *subject = certificate_subject(member);
    CU_ASSERT_STRING_EQUAL(subject->country, "CO");
    CU_ASSERT_STRING_EQUAL(subject->organisation, "Ministerio de Salud");
    CU_ASSERT_STRING_EQUAL(subject->member, "CO/GOV/899999027");
    CU_ASSERT_STRING_EQUAL(subject->server, "ss_1");
    CU_ASSERT_EQUAL(certificate_not_before_ms(member), FIXTURE_START_MS);
    CU_ASSERT_EQUAL(certificate_not_after_ms(member), FIXTURE_START_MS + FIXTURE_YEAR_MS);
    CU_ASSERT_TRUE(certificate_may_sign(member));
    CU_ASSERT_FALSE(certificate_may_sign(country->ca));
    struct sha256 hash = SHA256_OF(certificate_der(member));
    struct sha256 given = certificate_hash(member);
    CU_ASSERT(sha256_equal(&hash, &given));
}

static void test_stock_openssl_reads_the_profile(void)
{
    const char *folder = unit_folder();
    OWNED(country) country = fixture_country();
    struct fixture_path member = fixture_write_pem(folder, "member.pem", country->member);
    struct fixture_path text = fixture_path(folder, "text");
    CU_ASSERT_EQUAL_FATAL(
        FIXTURE_OPENSSL("x509", "-in", member.at, "-noout", "-text", "-out", text.at), 0);
    OWNED(bytes) read = fixture_read(text.at);
    MUST(bytes_append(read, span_of("", 1)));
    const char *shown = (const char *)read->data;
    CU_ASSERT_PTR_NOT_NULL(strstr(shown, "Version: 3 (0x2)"));
    CU_ASSERT_PTR_NOT_NULL(strstr(shown, "ecdsa-with-SHA256"));
    CU_ASSERT_PTR_NOT_NULL(
        strstr(shown, "Subject: C = CO, O = Ministerio de Salud, serialNumber = CO/GOV/899999027, "
                      "CN = ss_1"));
    CU_ASSERT_PTR_NOT_NULL(strstr(shown, "Key Usage: critical\n                Digital Signature, "
                                         "Non Repudiation\n"));
    CU_ASSERT_PTR_NOT_NULL(
        strstr(shown, "Basic Constraints: critical\n                CA:FALSE\n"));
    CU_ASSERT_PTR_NOT_NULL(strstr(shown, "Subject Key Identifier"));
    CU_ASSERT_PTR_NOT_NULL(strstr(shown, "Authority Key Identifier"));
    CU_ASSERT_PTR_NULL(strstr(shown, "Extended Key Usage"));
}

static void test_stock_openssl_verifies_the_chain(void)
{
    const char *folder = unit_folder();
    OWNED(country) country = fixture_country();
    struct fixture_path ca = fixture_write_pem(folder, "ca.pem", country->ca);
    struct fixture_path member = fixture_write_pem(folder, "member.pem", country->member);
    char at[32];
    CU_ASSERT(text_format(at, sizeof at, "%lld", (long long)(NOW_MS / 1000)));
    CU_ASSERT_EQUAL(
        FIXTURE_OPENSSL("verify", "-x509_strict", "-attime", at, "-CAfile", ca.at, member.at), 0);
}

static void test_a_certificate_survives_a_file(void)
{
    OWNED(country) country = fixture_country();
    OWNED(certificate) loaded = NULL;
    struct fixture_path path = fixture_write_pem(unit_folder(), "member.pem", country->member);
    MUST(certificate_load(path.at, &loaded));
    CU_ASSERT(span_equal(certificate_der(loaded), certificate_der(country->member)));
    CU_ASSERT(memcmp(certificate_ski(loaded), certificate_ski(country->member), SKI_BYTES) == 0);
}

static void test_files_without_a_certificate_are_refused(void)
{
    const char *folder = unit_folder();
    OWNED(certificate) loaded = NULL;
    OWNED(trust) trust = NULL;
    struct fixture_path empty = fixture_write(folder, "empty.pem", span_of("", 0));
    struct fixture_path torn =
        fixture_write(folder, "torn.pem", span_of_text("-----BEGIN CERTIFICATE-----\nMIIB!!\n"));
    MUST_FAIL(CERTIFICATE_BAD, certificate_load(empty.at, &loaded));
    MUST_FAIL(CERTIFICATE_BAD, certificate_load(torn.at, &loaded));
    MUST_FAIL(IO_FAILED, certificate_load("/nonexistent.pem", &loaded));
    MUST_FAIL(CERTIFICATE_BAD, trust_load(empty.at, &trust));
    MUST_FAIL(CERTIFICATE_BAD, trust_load(torn.at, &trust));
    MUST_FAIL(IO_FAILED, trust_load("/nonexistent.pem", &trust));
    MUST_FAIL(IO_FAILED, trust_load("/dev/zero", &trust)); /* without an end */
    struct fixture_path pipe = fixture_write(folder, "pipe", span_of("", 0));
    CU_ASSERT_EQUAL(unlink(pipe.at) + mkfifo(pipe.at, 0600), 0);
    MUST_FAIL(CERTIFICATE_BAD, trust_load(pipe.at, &trust)); /* nobody ever writes */
}

static void test_bytes_after_a_certificate_are_refused(void)
{
    OWNED(country) country = fixture_country();
    OWNED(certificate) parsed = NULL;
    OWNED(bytes) longer = NULL;
    MUST(bytes_copy(certificate_der(country->member), &longer));
    MUST(certificate_parse(bytes_span(longer), &parsed));
    certificate_free(&parsed);
    MUST_FAIL(CERTIFICATE_BAD, certificate_parse(span_of(longer->data, longer->size - 1), &parsed));
    MUST(bytes_append_text(longer, "x"));
    MUST_FAIL(CERTIFICATE_BAD, certificate_parse(bytes_span(longer), &parsed));
    MUST_FAIL(CERTIFICATE_BAD, certificate_parse(span_of(NULL, 0), &parsed));
}

static void test_no_changed_byte_passes_the_chain(void)
{
    OWNED(country) country = fixture_country();
    OWNED(trust) trust = trust_of(unit_folder(), country->ca);
    OWNED(bytes) changed = NULL;
    MUST(bytes_copy(certificate_der(country->member), &changed));
    for (size_t i = 0; i < changed->size; i++) {
        OWNED(certificate) parsed = NULL;
        changed->data[i] ^= 1;
        fault found = certificate_parse(bytes_span(changed), &parsed);
        if (!failed(found))
            found = trust_check(trust, parsed, NOW_MS);
        CU_ASSERT_EQUAL(found.code, CERTIFICATE_BAD);
        changed->data[i] ^= 1;
    }
}

static void test_the_chain_is_checked_at_the_time_asked_for(void)
{
    OWNED(country) country = fixture_country();
    OWNED(trust) trust = trust_of(unit_folder(), country->ca);
    const struct certificate *member = country->member;
    int64_t end_ms = certificate_not_after_ms(member);
    MUST(trust_check(trust, member, FIXTURE_START_MS));
    MUST(trust_check(trust, member, NOW_MS));
    MUST(trust_check(trust, member, end_ms - 1));
    MUST_FAIL(CERTIFICATE_BAD, trust_check(trust, member, FIXTURE_START_MS - 1));
    CU_ASSERT_PTR_NOT_NULL(strstr(fault_detail(), "not yet valid"));
    MUST_FAIL(CERTIFICATE_BAD, trust_check(trust, member, end_ms));
    CU_ASSERT_PTR_NOT_NULL(strstr(fault_detail(), "expired"));
    MUST_FAIL(CERTIFICATE_BAD, trust_check(trust, member, -1));
}

static void test_a_certificate_of_another_authority_is_not_trusted(void)
{
    OWNED(country) country = fixture_country();
    OWNED(country) neighbour = fixture_country(); /* the same names, another key */
    OWNED(trust) trust = trust_of(unit_folder(), country->ca);
    MUST_FAIL(CERTIFICATE_BAD, trust_check(trust, neighbour->member, NOW_MS));
    MUST(trust_check(trust, country->ca, NOW_MS));
}

static void test_two_anchors_stand_in_one_file(void)
{
    OWNED(country) country = fixture_country();
    OWNED(country) neighbour = fixture_country();
    OWNED(bytes) both = NULL;
    OWNED(bytes) second = NULL;
    OWNED(trust) trust = NULL;
    MUST(certificate_pem(country->ca, &both));
    MUST(certificate_pem(neighbour->ca, &second));
    MUST(bytes_append(both, bytes_span(second)));
    struct fixture_path path = fixture_write(unit_folder(), "both.pem", bytes_span(both));
    MUST(trust_load(path.at, &trust));
    MUST(trust_check(trust, country->member, NOW_MS));
    MUST(trust_check(trust, neighbour->member, NOW_MS));
}

static void test_a_member_certificate_is_no_anchor(void)
{
    OWNED(country) country = fixture_country();
    OWNED(trust) trust = NULL;
    struct fixture_path path = fixture_write_pem(unit_folder(), "trust.pem", country->member);
    MUST_FAIL(CERTIFICATE_BAD, trust_load(path.at, &trust));
}

static void test_stock_anchors_of_rsa_are_taken(void)
{
    const char *folder = unit_folder();
    OWNED(trust) trust = NULL;
    OWNED(certificate) parsed = NULL;
    struct fixture_path key = fixture_path(folder, "key.pem");
    struct fixture_path root = fixture_path(folder, "root.pem");
    CU_ASSERT_EQUAL(FIXTURE_OPENSSL("req", "-x509", "-newkey", "rsa:2048", "-nodes", "-keyout",
                                    key.at, "-out", root.at, "-subj", "/C=CO/O=National PKI"),
                    0);
    MUST(trust_load(root.at, &trust));
    MUST_FAIL(CERTIFICATE_BAD, certificate_load(root.at, &parsed)); /* but no member has RSA */
}

static void test_a_ca_that_may_sign_anything_still_signs_no_message(void)
{
    const char *folder = unit_folder();
    OWNED(certificate) plain = NULL;
    OWNED(certificate) ca = NULL;
    struct fixture_path key = fixture_path(folder, "key.pem");
    struct fixture_path path = fixture_path(folder, "ca.pem");
    CU_ASSERT_EQUAL(FIXTURE_OPENSSL("req", "-x509", "-newkey", "ec", "-pkeyopt",
                                    "ec_paramgen_curve:P-256", "-nodes", "-keyout", key.at, "-out",
                                    path.at, "-subj", "/C=CO", "-addext",
                                    "keyUsage=digitalSignature,nonRepudiation,keyCertSign"),
                    0);
    MUST(certificate_load(path.at, &ca)); /* openssl req makes it a CA */
    CU_ASSERT_FALSE(certificate_may_sign(ca));
    CU_ASSERT_EQUAL(FIXTURE_OPENSSL("req", "-x509", "-newkey", "ec", "-pkeyopt",
                                    "ec_paramgen_curve:P-256", "-nodes", "-keyout", key.at, "-out",
                                    path.at, "-subj", "/C=CO", "-addext",
                                    "basicConstraints=CA:FALSE"),
                    0);
    MUST(certificate_load(path.at, &plain)); /* without a key usage: nothing allows it */
    CU_ASSERT_FALSE(certificate_may_sign(plain));
}

static fault issue(struct country *country, struct span request,
                   const struct certificate_subject *subject, struct certificate **out)
{
    return certificate_issue(country->ca_key, country->ca, request, subject, FIXTURE_START_MS,
                             FIXTURE_START_MS + FIXTURE_YEAR_MS, out);
}

static void test_a_request_must_prove_its_key(void)
{
    OWNED(country) country = fixture_country();
    OWNED(bytes) request = NULL;
    MUST(keypair_request(country->key, &fixture_member, &request));
    for (size_t i = 0; i < request->size; i++) {
        OWNED(certificate) made = NULL;
        request->data[i] ^= 1;
        MUST_FAIL(REFUSED, issue(country, bytes_span(request), &fixture_member, &made));
        request->data[i] ^= 1;
    }
    OWNED(certificate) made = NULL;
    MUST(bytes_append_text(request, "x"));
    MUST_FAIL(REFUSED, issue(country, bytes_span(request), &fixture_member, &made));
}

static void test_only_p256_requests_are_issued(void)
{
    static const char *const kinds[] = {"P-384", "secp256k1"};
    const char *folder = unit_folder();
    OWNED(country) country = fixture_country();
    struct fixture_path key = fixture_path(folder, "key.pem");
    struct fixture_path path = fixture_path(folder, "request.der");
    for (size_t i = 0; i < 2; i++) {
        char curve[64];
        CU_ASSERT(text_format(curve, sizeof curve, "ec_paramgen_curve:%s", kinds[i]));
        CU_ASSERT_EQUAL(FIXTURE_OPENSSL("req", "-new", "-newkey", "ec", "-pkeyopt", curve, "-nodes",
                                        "-keyout", key.at, "-outform", "DER", "-out", path.at,
                                        "-subj", "/C=CO"),
                        0);
        OWNED(bytes) request = fixture_read(path.at);
        OWNED(certificate) made = NULL;
        MUST_FAIL(REFUSED, issue(country, bytes_span(request), &fixture_member, &made));
    }
}

static void test_the_requests_own_subject_counts_for_nothing(void)
{
    OWNED(country) country = fixture_country();
    OWNED(bytes) request = NULL;
    OWNED(certificate) made = NULL;
    struct certificate_subject boast = fixture_member;
    strcpy(boast.member, "CO/GOV/1");
    MUST(keypair_request(country->key, &boast, &request));
    MUST(issue(country, bytes_span(request), &fixture_member, &made));
    CU_ASSERT_STRING_EQUAL(certificate_subject(made)->member, fixture_member.member);
}

static void test_a_member_cannot_issue(void)
{
    OWNED(country) country = fixture_country();
    OWNED(bytes) request = NULL;
    OWNED(certificate) made = NULL;
    MUST(keypair_request(country->key, &fixture_member, &request));
    MUST_FAIL(REFUSED,
              certificate_issue(country->key, country->member, bytes_span(request), &fixture_member,
                                FIXTURE_START_MS, FIXTURE_START_MS + FIXTURE_YEAR_MS, &made));
    MUST_FAIL(REFUSED,
              certificate_issue(country->key, country->ca, bytes_span(request), &fixture_member,
                                FIXTURE_START_MS, FIXTURE_START_MS + FIXTURE_YEAR_MS, &made));
    MUST_FAIL(REFUSED,
              certificate_issue(country->ca_key, country->ca, bytes_span(request), &fixture_member,
                                FIXTURE_START_MS, FIXTURE_START_MS, &made));
}

static void test_a_long_organisation_is_cut_between_characters(void)
{
    OWNED(country) country = fixture_country();
    OWNED(bytes) request = NULL;
    OWNED(certificate) made = NULL;
    struct certificate_subject subject = fixture_member;
    for (size_t i = 0; i < 128; i++) /* 128 characters of 2 bytes */
        memcpy(subject.organisation + 2 * i, "ó", 2);
    subject.organisation[256] = '\0';
    MUST(keypair_request(country->key, &subject, &request));
    MUST(issue(country, bytes_span(request), &subject, &made));
    const char *organisation = certificate_subject(made)->organisation;
    CU_ASSERT_EQUAL(strlen(organisation), 128);
    CU_ASSERT(memcmp(organisation, subject.organisation, 128) == 0);
}

/* Issues with one text of the subject replaced. */
static enum fault_code issue_with(struct country *country, size_t offset, const char *text)
{
    OWNED(bytes) request = NULL;
    OWNED(certificate) made = NULL;
    struct certificate_subject subject = fixture_member;
    strcpy((char *)&subject + offset, text);
    MUST(keypair_request(country->key, &fixture_member, &request));
    return issue(country, bytes_span(request), &subject, &made).code;
}

#define ISSUE_WITH(country, field, text) \
    issue_with((country), offsetof(struct certificate_subject, field), (text))

static void test_names_that_do_not_fit_are_refused(void)
{
    OWNED(country) country = fixture_country();
    char name[66];
    memset(name, 'm', sizeof name);
    name[65] = '\0';
    CU_ASSERT_EQUAL(ISSUE_WITH(country, member, name), BAD_NAME);
    name[64] = '\0';
    CU_ASSERT_EQUAL(ISSUE_WITH(country, member, name), OK);
    CU_ASSERT_EQUAL(ISSUE_WITH(country, server, name), OK);
    CU_ASSERT_EQUAL(ISSUE_WITH(country, member, ""), BAD_NAME);
    CU_ASSERT_EQUAL(ISSUE_WITH(country, server, ""), BAD_NAME);
    CU_ASSERT_EQUAL(ISSUE_WITH(country, country, "C"), BAD_NAME);
    CU_ASSERT_EQUAL(ISSUE_WITH(country, country, "C\xc3"), BAD_NAME);
    CU_ASSERT_EQUAL(ISSUE_WITH(country, country, "__"), BAD_NAME);
    CU_ASSERT_EQUAL(ISSUE_WITH(country, organisation, "a\nb"), BAD_NAME);
    CU_ASSERT_EQUAL(ISSUE_WITH(country, organisation, "a\xff"), BAD_NAME);
    CU_ASSERT_EQUAL(ISSUE_WITH(country, member, "CO/GOV/a_b"), OK);
    CU_ASSERT_EQUAL(ISSUE_WITH(country, member, "CO/GOV/Ñandú"), OK);
}

static void test_two_serials_differ(void)
{
    OWNED(country) country = fixture_country();
    OWNED(certificate) again = NULL;
    fixture_issue(country, country->key, &again);
    CU_ASSERT_FALSE(span_equal(certificate_der(again), certificate_der(country->member)));
    CU_ASSERT(memcmp(certificate_ski(again), certificate_ski(country->member), SKI_BYTES) == 0);
}

static void test_a_signature_verifies_with_its_certificate_only(void)
{
    OWNED(country) country = fixture_country();
    struct sha256 digest = SHA256_OF(span_of_text("a header"));
    uint8_t signature[P256_SIGNATURE_BYTES_MAX];
    size_t size = 0;
    MUST(keypair_sign_digest(country->key, digest.at, signature, &size));
    MUST(certificate_verify_digest(country->member, digest.at, span_of(signature, size)));
    MUST(certificate_verify_digest(country->member, digest.at, span_of(signature, size)));
    MUST_FAIL(SIGNATURE_BAD,
              certificate_verify_digest(country->ca, digest.at, span_of(signature, size)));
    digest.at[0] ^= 1;
    MUST_FAIL(SIGNATURE_BAD,
              certificate_verify_digest(country->member, digest.at, span_of(signature, size)));
}

/* s of a signature of which r and s take 32 or 33 bytes each, as n - s. */
static size_t negate_s(const uint8_t *from, size_t size, uint8_t *out)
{
    static const uint8_t order[32] = {0xff, 0xff, 0xff, 0xff, 0x00, 0x00, 0x00, 0x00,
                                      0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
                                      0xbc, 0xe6, 0xfa, 0xad, 0xa7, 0x17, 0x9e, 0x84,
                                      0xf3, 0xb9, 0xca, 0xc2, 0xfc, 0x63, 0x25, 0x51};
    size_t s_at = 4 + (size_t)from[3];
    size_t s_size = from[s_at + 1];
    int borrow = 0;
    memcpy(out, from, s_at);
    out[s_at] = 0x02;
    out[s_at + 1] = 33; /* n - s of a low s has its top bit set */
    out[s_at + 2] = 0;
    for (size_t i = 0; i < 32; i++) {
        int s = i < s_size ? from[size - 1 - i] : 0;
        int left = order[31 - i] - s - borrow;
        borrow = left < 0;
        out[s_at + 34 - i] = (uint8_t)(left + 256 * borrow);
    }
    out[1] = (uint8_t)(s_at + 35 - 2);
    return s_at + 35;
}

static void test_the_high_s_twin_is_refused(void)
{
    const char *folder = unit_folder();
    OWNED(country) country = fixture_country();
    struct sha256 digest = SHA256_OF(span_of_text("a header"));
    uint8_t signature[P256_SIGNATURE_BYTES_MAX];
    uint8_t twin[P256_SIGNATURE_BYTES_MAX];
    size_t size = 0;
    MUST(keypair_sign_digest(country->key, digest.at, signature, &size));
    size_t twin_size = negate_s(signature, size, twin);
    MUST_FAIL(SIGNATURE_BAD,
              certificate_verify_digest(country->member, digest.at, span_of(twin, twin_size)));
    CU_ASSERT_PTR_NOT_NULL(strstr(fault_detail(), "low S"));
    /* it is a true twin: stock openssl takes it */
    struct fixture_path member = fixture_write_pem(folder, "member.pem", country->member);
    struct fixture_path hash = fixture_write(folder, "digest", sha256_span(&digest));
    struct fixture_path sig = fixture_write(folder, "twin", span_of(twin, twin_size));
    CU_ASSERT_EQUAL(FIXTURE_OPENSSL("pkeyutl", "-verify", "-certin", "-inkey", member.at, "-in",
                                    hash.at, "-sigfile", sig.at),
                    0);
}

/* Refused for its form, before any arithmetic. */
static void check_refused_unread(struct country *country, const struct sha256 *digest,
                                 struct span signature)
{
    MUST_FAIL(SIGNATURE_BAD, certificate_verify_digest(country->member, digest->at, signature));
    CU_ASSERT_PTR_NOT_NULL(strstr(fault_detail(), "minimal DER"));
}

static void test_other_encodings_of_a_signature_are_refused(void)
{
    OWNED(country) country = fixture_country();
    struct sha256 digest = SHA256_OF(span_of_text("a header"));
    uint8_t good[P256_SIGNATURE_BYTES_MAX];
    uint8_t bad[P256_SIGNATURE_BYTES_MAX + 8] = {0};
    size_t size = 0;
    MUST(keypair_sign_digest(country->key, digest.at, good, &size));
    memcpy(bad, good, size); /* a byte behind */
    check_refused_unread(country, &digest, span_of(bad, size + 1));
    bad[1]++; /* a byte behind, inside the sequence */
    check_refused_unread(country, &digest, span_of(bad, size + 1));
    memcpy(bad + 3, good + 2, size - 2); /* the length in a longer form */
    bad[1] = 0x81;
    bad[2] = good[1];
    check_refused_unread(country, &digest, span_of(bad, size + 1));
    memcpy(bad, good, 4); /* r with a needless zero before it */
    memcpy(bad + 5, good + 4, size - 4);
    bad[4] = 0;
    bad[1]++;
    bad[3]++;
    check_refused_unread(country, &digest, span_of(bad, size + 1));
    check_refused_unread(country, &digest, span_of(NULL, 0));
    MUST(certificate_verify_digest(country->member, digest.at, span_of(good, size)));
}

static void test_the_chain_is_the_authority_and_not_the_certificate(void)
{
    OWNED(country) country = fixture_country();
    OWNED(country) neighbour = fixture_country();
    OWNED(trust) trust = NULL;
    OWNED(bytes) chain = NULL;
    OWNED(bytes) ca = NULL;
    struct fixture_path path = fixture_write_pem(unit_folder(), "chain-trust.pem", country->ca);
    MUST(trust_load(path.at, &trust));
    MUST(trust_chain(trust, country->member, FIXTURE_START_MS, &chain));
    MUST(certificate_pem(country->ca, &ca));
    CU_ASSERT(span_equal(bytes_span(chain), bytes_span(ca)));
    MUST_FAIL(CERTIFICATE_BAD, trust_chain(trust, neighbour->member, FIXTURE_START_MS, &chain));
}

static void test_a_hosts_certificate_names_hosts_and_signs_nothing_else(void)
{
    static const char *const good[] = {"registry.example", "127.0.0.1", "::1"};
    static const char *const bad[] = {"", "a b", "a,DNS:b", "x:y", "DNS:a", "\u00e1.example", "*"};
    const struct certificate_subject subject = {
        .organisation = "A", .member = "CO/AUTHORITY/ADMIN", .server = "admin"};
    OWNED(country) country = fixture_country();
    OWNED(keypair) key = NULL;
    OWNED(bytes) request = NULL;
    OWNED(certificate) host = NULL;
    MUST(keypair_make(KEY_P256, &key));
    MUST(keypair_request(key, &subject, &request));
    MUST(certificate_issue_host(country->ca_key, country->ca, bytes_span(request), &subject, good,
                                3, FIXTURE_START_MS, FIXTURE_START_MS + 86400000, &host));
    CU_ASSERT_FALSE(certificate_may_sign(host));
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        OWNED(certificate) none = NULL;
        MUST_FAIL(REFUSED, certificate_issue_host(country->ca_key, country->ca, bytes_span(request),
                                                  &subject, &bad[i], 1, FIXTURE_START_MS,
                                                  FIXTURE_START_MS + 86400000, &none));
    }
    MUST_FAIL(REFUSED, certificate_issue_host(country->ca_key, country->ca, bytes_span(request),
                                              &subject, good, 0, FIXTURE_START_MS,
                                              FIXTURE_START_MS + 86400000, &host));
}

SUITE(certificate, TEST(test_a_hosts_certificate_names_hosts_and_signs_nothing_else),
      TEST(test_an_issued_certificate_has_the_profile), TEST(test_stock_openssl_reads_the_profile),
      TEST(test_stock_openssl_verifies_the_chain), TEST(test_a_certificate_survives_a_file),
      TEST(test_files_without_a_certificate_are_refused),
      TEST(test_bytes_after_a_certificate_are_refused), TEST(test_no_changed_byte_passes_the_chain),
      TEST(test_the_chain_is_checked_at_the_time_asked_for),
      TEST(test_a_certificate_of_another_authority_is_not_trusted),
      TEST(test_the_chain_is_the_authority_and_not_the_certificate),
      TEST(test_two_anchors_stand_in_one_file), TEST(test_a_member_certificate_is_no_anchor),
      TEST(test_stock_anchors_of_rsa_are_taken),
      TEST(test_a_ca_that_may_sign_anything_still_signs_no_message),
      TEST(test_a_request_must_prove_its_key), TEST(test_only_p256_requests_are_issued),
      TEST(test_the_requests_own_subject_counts_for_nothing), TEST(test_a_member_cannot_issue),
      TEST(test_a_long_organisation_is_cut_between_characters),
      TEST(test_names_that_do_not_fit_are_refused), TEST(test_two_serials_differ),
      TEST(test_a_signature_verifies_with_its_certificate_only),
      TEST(test_the_high_s_twin_is_refused), TEST(test_other_encodings_of_a_signature_are_refused))
