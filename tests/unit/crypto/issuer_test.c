// SPDX-License-Identifier: MIT
#include "lib/crypto/issuer.h"
#include "tests/unit/crypto/fixture.h"
#include "tests/unit/outside.h"

#define DAY_MS INT64_C(86400000)

/* issuer_new of files of the folder; up to two above. */
static fault make(const char *folder, const char *name, const char *above, const char *top,
                  int64_t at_ms)
{
    OWNED(bytes) der = outside_der(folder, name);
    OWNED(bytes) first = above == NULL ? NULL : outside_der(folder, above);
    OWNED(bytes) second = top == NULL ? NULL : outside_der(folder, top);
    OWNED(issuer) made = NULL;
    struct span chain[2] = {bytes_span(first), bytes_span(second)};
    return issuer_new(bytes_span(der), chain, (size_t)(above != NULL) + (top != NULL), at_ms,
                      &made);
}

static void test_what_it_issued_it_vouches_for(void)
{
    const char *folder = outside_make();
    OWNED(issuer) issuer = outside_issuer(folder, "ca.pem", "root.pem");
    OWNED(issuer) root = outside_issuer(folder, "root.pem", NULL);
    OWNED(issuer) stranger = outside_issuer(folder, "stranger.pem", NULL);
    OWNED(certificate) member = outside_certificate(folder, "member.pem");
    OWNED(country) country = fixture_country();
    int64_t now_ms = clock_wall_ms(), end_ms = certificate_not_after_ms(member);
    char words[200];
    CU_ASSERT(certificate_may_sign(member));
    MUST(issuer_check(issuer, member, now_ms));
    MUST_FAIL(CERTIFICATE_BAD, issuer_check(issuer, member, end_ms));
    MUST_FAIL(CERTIFICATE_BAD, issuer_check(issuer, member, now_ms - DAY_MS));
    /* of the same name and another key; one step above; and one of another country */
    MUST_FAIL(CERTIFICATE_BAD, issuer_check(stranger, member, now_ms));
    MUST_FAIL(CERTIFICATE_BAD, issuer_check(root, member, now_ms));
    MUST_FAIL(CERTIFICATE_BAD, issuer_check(issuer, country->member, now_ms));
    MUST(issuer_check(issuer, member, now_ms)); /* no failure is kept in mind */
    issuer_words(issuer, words, sizeof words);
    CU_ASSERT_STRING_EQUAL(words, "CN=Emisora 1,O=Certificadora Externa,C=CO");
    CU_ASSERT(issuer_not_after_ms(issuer) > now_ms + 3000 * DAY_MS);
}

static void test_a_chain_leads_to_a_root_or_is_refused(void)
{
    const char *folder = outside_make();
    int64_t now_ms = clock_wall_ms();
    MUST(make(folder, "ca.pem", "root.pem", NULL, now_ms));
    MUST(make(folder, "root.pem", NULL, NULL, now_ms));
    MUST_FAIL(CERTIFICATE_BAD, make(folder, "ca.pem", NULL, NULL, now_ms));
    MUST_FAIL(CERTIFICATE_BAD, make(folder, "ca.pem", "stranger.pem", NULL, now_ms));
    MUST_FAIL(CERTIFICATE_BAD, make(folder, "ca.pem", "root.pem", "stranger.pem", now_ms));
    MUST_FAIL(CERTIFICATE_BAD, make(folder, "root.pem", "ca.pem", NULL, now_ms));
    MUST_FAIL(CERTIFICATE_BAD, make(folder, "ca.pem", "root.pem", NULL, now_ms + 4000 * DAY_MS));
    MUST_FAIL(CERTIFICATE_BAD, make(folder, "ca.pem", "root.pem", NULL, now_ms - DAY_MS));
}

static void test_what_is_no_authority_is_refused(void)
{
    const char *folder = outside_make();
    OWNED(issuer) none = NULL;
    uint8_t garbage[] = {0x30, 0x03, 0x02, 0x01, 0x00};
    int64_t now_ms = clock_wall_ms();
    MUST_FAIL(CERTIFICATE_BAD, make(folder, "member.pem", "ca.pem", "root.pem", now_ms));
    MUST_FAIL(CERTIFICATE_BAD, make(folder, "ocsp.pem", "ca.pem", "root.pem", now_ms));
    MUST_FAIL(CERTIFICATE_BAD,
              issuer_new(span_of(garbage, sizeof garbage), NULL, 0, now_ms, &none));
    MUST_FAIL(CERTIFICATE_BAD, issuer_new(span_of(garbage, 0), NULL, 0, now_ms, &none));
}

static void test_an_authority_with_a_weak_key_is_refused(void)
{
    const char *folder = unit_folder();
    struct fixture_path key = fixture_path(folder, "weak.key");
    struct fixture_path pem = fixture_path(folder, "weak.pem");
    CU_ASSERT_EQUAL_FATAL(FIXTURE_OPENSSL("req", "-new", "-x509", "-newkey", "rsa:1024", "-nodes",
                                          "-keyout", key.at, "-subj", "/CN=weak", "-days", "9",
                                          "-out", pem.at),
                          0);
    OWNED(bytes) der = outside_der(folder, "weak.pem");
    OWNED(issuer) none = NULL;
    MUST_FAIL(CERTIFICATE_BAD, issuer_new(bytes_span(der), NULL, 0, clock_wall_ms(), &none));
}

static void test_a_certificate_for_servers_of_the_web_signs_no_messages(void)
{
    const char *folder = outside_make();
    OUTSIDE(folder, "key", "web", "/CN=www.example");
    OUTSIDE(folder, "issue", "web.csr", "web.pem", "server");
    OWNED(certificate) web = outside_certificate(folder, "web.pem");
    OWNED(certificate) responder = outside_certificate(folder, "ocsp.pem");
    CU_ASSERT_FALSE(certificate_may_sign(web));
    CU_ASSERT_FALSE(certificate_may_sign(responder));
}

static void test_the_chain_is_given_out_for_stock_tools(void)
{
    const char *folder = outside_make();
    OWNED(issuer) issuer = outside_issuer(folder, "ca.pem", "root.pem");
    OWNED(bytes) pem = NULL;
    struct fixture_path root = fixture_path(folder, "root.pem");
    struct fixture_path member = fixture_path(folder, "member.pem");
    MUST(issuer_pem(issuer, true, &pem));
    struct fixture_path chain = fixture_write(folder, "given.pem", bytes_span(pem));
    CU_ASSERT_EQUAL(
        FIXTURE_OPENSSL("verify", "-CAfile", root.at, "-untrusted", chain.at, member.at), 0);
}

static void test_files_with_more_or_fewer_certificates_than_asked_for_are_refused(void)
{
    const char *folder = outside_make();
    struct bytes *all[2] = {NULL};
    size_t count = 9;
    MUST(certificate_load_all(fixture_path(folder, "chain.pem").at, all, 2, &count));
    CU_ASSERT_EQUAL(count, 2);
    bytes_free(&all[0]);
    bytes_free(&all[1]);
    MUST_FAIL(CERTIFICATE_BAD,
              certificate_load_all(fixture_path(folder, "chain.pem").at, all, 1, &count));
    CU_ASSERT_PTR_NULL(all[0]);
    MUST_FAIL(CERTIFICATE_BAD,
              certificate_load_all(fixture_path(folder, "member.key").at, all, 2, &count));
    MUST_FAIL(IO_FAILED, certificate_load_all(fixture_path(folder, "nowhere").at, all, 2, &count));
}

SUITE(issuer, TEST(test_what_it_issued_it_vouches_for),
      TEST(test_a_chain_leads_to_a_root_or_is_refused), TEST(test_what_is_no_authority_is_refused),
      TEST(test_an_authority_with_a_weak_key_is_refused),
      TEST(test_a_certificate_for_servers_of_the_web_signs_no_messages),
      TEST(test_the_chain_is_given_out_for_stock_tools),
      TEST(test_files_with_more_or_fewer_certificates_than_asked_for_are_refused))
