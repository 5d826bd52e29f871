// SPDX-License-Identifier: MIT
/* What is written here is for other programs: stock openssl judges it. */
#include "lib/crypto/cms.h"
#include "lib/crypto/cades.h"
#include "tests/unit/crypto/fixture.h"

#define CONTENT "a header"

static struct bytes *leaf_of(const struct country *country)
{
    struct cades_template template;
    struct span content = span_of_text(CONTENT);
    struct sha256 hash = SHA256_OF(content);
    uint8_t signature[P256_SIGNATURE_BYTES_MAX];
    size_t size = 0;
    struct bytes *leaf = NULL;
    int64_t time_ms = FIXTURE_START_MS + 1000;
    cades_template_make(country->member, &template);
    struct sha256 digest = cades_signed_digest(&template, &hash, time_ms);
    MUST(keypair_sign_digest(country->key, digest.at, signature, &size));
    MUST(cades_leaf(&template, content, time_ms, span_of(signature, size), &leaf));
    return leaf;
}

static int openssl_verifies(const char *folder, const struct country *country,
                            struct span signature, const char *content)
{
    struct fixture_path p7s = fixture_write(folder, "signature.p7s", signature);
    struct fixture_path file = fixture_write(folder, "content", span_of_text(content));
    struct fixture_path trust = fixture_write_pem(folder, "trust.pem", country->ca);
    char at[32];
    snprintf(at, sizeof at, "%d", FIXTURE_START_S + 2000);
    return FIXTURE_OPENSSL("cms", "-verify", "-cades", "-binary", "-inform", "DER", "-in", p7s.at,
                           "-content", file.at, "-CAfile", trust.at, "-attime", at, "-out",
                           "/dev/null");
}

static void test_a_leaf_without_its_content_verifies_over_the_content(void)
{
    OWNED(country) country = fixture_country();
    OWNED(bytes) leaf = leaf_of(country);
    OWNED(bytes) detached = NULL;
    MUST(cms_detach(bytes_span(leaf), country->member, &detached));
    CU_ASSERT_EQUAL(openssl_verifies(unit_folder(), country, bytes_span(detached), CONTENT), 0);
    CU_ASSERT_NOT_EQUAL(openssl_verifies(unit_folder(), country, bytes_span(detached), "b header"),
                        0);
}

static void test_the_signature_in_it_is_the_one_of_the_leaf(void)
{
    OWNED(country) country = fixture_country();
    OWNED(bytes) leaf = leaf_of(country);
    OWNED(bytes) detached = NULL;
    struct cades_parts parts;
    MUST(cades_parse(bytes_span(leaf), &parts));
    MUST(cms_detach(bytes_span(leaf), country->member, &detached));
    CU_ASSERT_PTR_NOT_NULL(
        memmem(detached->data, detached->size, parts.signature.at, parts.signature.size));
    CU_ASSERT_PTR_NULL(memmem(detached->data, detached->size, CONTENT, strlen(CONTENT)));
}

static void test_what_is_no_signature_is_refused(void)
{
    OWNED(country) country = fixture_country();
    OWNED(bytes) leaf = leaf_of(country);
    OWNED(bytes) detached = NULL;
    MUST(bytes_append_text(leaf, "x"));
    MUST_FAIL(BAD_FRAME, cms_detach(bytes_span(leaf), country->member, &detached));
    MUST_FAIL(BAD_FRAME, cms_detach(span_of_text("0"), country->member, &detached));
}

/* A key file as openssl writes it, and a certificate of our CA for it. */
static struct fixture_path sealing_key(const char *folder, const char *name)
{
    struct fixture_path path = fixture_path(folder, name);
    CU_ASSERT_EQUAL_FATAL(
        FIXTURE_OPENSSL("ecparam", "-name", "prime256v1", "-genkey", "-noout", "-out", path.at), 0);
    return path;
}

static void test_a_seal_verifies_with_its_chain(void)
{
    OWNED(country) country = fixture_country();
    OWNED(cms_sealer) sealer = NULL;
    OWNED(bytes) seal = NULL;
    const char *folder = unit_folder();
    struct fixture_path key = sealing_key(folder, "seal.key");
    struct fixture_path certificate = fixture_path(folder, "seal.pem");
    CU_ASSERT_EQUAL_FATAL(FIXTURE_OPENSSL("req", "-new", "-x509", "-key", key.at, "-subj",
                                          "/O=Auditor", "-days", "3650", "-out", certificate.at),
                          0);
    MUST(cms_sealer_load(key.at, certificate.at, &sealer));
    MUST(cms_sealer_sign(sealer, span_of_text(CONTENT), &seal));
    struct fixture_path p7s = fixture_write(folder, "seal.p7s", bytes_span(seal));
    struct fixture_path file = fixture_write(folder, "content", span_of_text(CONTENT));
    CU_ASSERT_EQUAL(FIXTURE_OPENSSL("cms", "-verify", "-cades", "-binary", "-inform", "DER", "-in",
                                    p7s.at, "-content", file.at, "-CAfile", certificate.at, "-out",
                                    "/dev/null"),
                    0);
}

static void test_a_key_of_somebody_else_is_refused(void)
{
    OWNED(country) country = fixture_country();
    OWNED(cms_sealer) sealer = NULL;
    const char *folder = unit_folder();
    struct fixture_path key = sealing_key(folder, "other.key");
    struct fixture_path certificate = fixture_write_pem(folder, "member.pem", country->member);
    MUST_FAIL(BAD_KEY, cms_sealer_load(key.at, certificate.at, &sealer));
    MUST_FAIL(BAD_KEY, cms_sealer_load(certificate.at, certificate.at, &sealer));
    MUST_FAIL(CERTIFICATE_BAD, cms_sealer_load(key.at, key.at, &sealer));
    MUST_FAIL(NOT_FOUND, cms_sealer_load("nowhere", certificate.at, &sealer));
}

static void test_an_encrypted_key_is_refused_and_nobody_is_asked(void)
{
    OWNED(country) country = fixture_country();
    OWNED(cms_sealer) sealer = NULL;
    const char *folder = unit_folder();
    struct fixture_path key = sealing_key(folder, "plain.key");
    struct fixture_path locked = fixture_path(folder, "locked.key");
    struct fixture_path certificate = fixture_write_pem(folder, "member.pem", country->member);
    CU_ASSERT_EQUAL_FATAL(
        FIXTURE_OPENSSL("ec", "-in", key.at, "-aes256", "-passout", "pass:abcd", "-out", locked.at),
        0);
    MUST_FAIL(BAD_KEY, cms_sealer_load(locked.at, certificate.at, &sealer));
}

SUITE(cms, TEST(test_a_leaf_without_its_content_verifies_over_the_content),
      TEST(test_the_signature_in_it_is_the_one_of_the_leaf),
      TEST(test_what_is_no_signature_is_refused), TEST(test_a_seal_verifies_with_its_chain),
      TEST(test_a_key_of_somebody_else_is_refused),
      TEST(test_an_encrypted_key_is_refused_and_nobody_is_asked))
