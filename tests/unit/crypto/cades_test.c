// SPDX-License-Identifier: MIT
#include "lib/crypto/cades.h"
#include "tests/unit/crypto/fixture.h"

#define TIME_MS (FIXTURE_START_MS + INT64_C(86400999))

/* A signed leaf of this content. */
static struct bytes *leaf_of(struct country *country, struct span content, int64_t time_ms)
{
    struct cades_template template;
    struct bytes *leaf = NULL;
    uint8_t signature[P256_SIGNATURE_BYTES_MAX];
    size_t size = 0;
    cades_template_make(country->member, &template);
    struct sha256 hash = SHA256_OF(content);
    struct sha256 digest = cades_signed_digest(&template, &hash, time_ms);
    MUST(keypair_sign_digest(country->key, digest.at, signature, &size));
    MUST(cades_verify(country->member, &template, content, time_ms, span_of(signature, size)));
    MUST(cades_leaf(&template, content, time_ms, span_of(signature, size), &leaf));
    return leaf;
}

static struct bytes *content_of(size_t size)
{
    struct bytes *content = NULL;
    MUST(bytes_new(size, &content));
    for (size_t i = 0; i < size; i++)
        content->data[i] = (uint8_t)(i * 7 + i / 251);
    return content;
}

static void test_a_leaf_is_parsed_back(void)
{
    OWNED(country) country = fixture_country();
    OWNED(bytes) content = content_of(180);
    OWNED(bytes) leaf = leaf_of(country, bytes_span(content), TIME_MS);
    struct cades_parts parts;
    struct sha256 hash = certificate_hash(country->member);
    MUST(cades_parse(bytes_span(leaf), &parts));
    CU_ASSERT(span_equal(parts.content, bytes_span(content)));
    CU_ASSERT(span_equal(parts.ski, span_of(certificate_ski(country->member), SKI_BYTES)));
    CU_ASSERT(span_equal(parts.certificate_sha256, sha256_span(&hash)));
    CU_ASSERT_EQUAL(parts.time_ms, TIME_MS / 1000 * 1000);
    MUST(cades_verify_leaf(country->member, bytes_span(leaf), &parts));
}

static void check_with_stock_openssl(struct country *country, size_t content_size)
{
    const char *folder = unit_folder();
    OWNED(bytes) content = content_of(content_size);
    OWNED(bytes) leaf = leaf_of(country, bytes_span(content), TIME_MS);
    struct fixture_path leaf_path = fixture_write(folder, "leaf.p7m", bytes_span(leaf));
    struct fixture_path cert = fixture_write_pem(folder, "cert.pem", country->member);
    struct fixture_path trust = fixture_write_pem(folder, "trust.pem", country->ca);
    struct fixture_path out = fixture_path(folder, "header.out");
    char at[32];
    CU_ASSERT(text_format(at, sizeof at, "%lld", (long long)(TIME_MS / 1000)));
    CU_ASSERT_EQUAL(FIXTURE_OPENSSL("cms", "-verify", "-cades", "-binary", "-inform", "DER", "-in",
                                    leaf_path.at, "-certfile", cert.at, "-CAfile", trust.at,
                                    "-attime", at, "-out", out.at),
                    0);
    OWNED(bytes) header = fixture_read(out.at);
    CU_ASSERT(span_equal(bytes_span(header), bytes_span(content)));
}

/* Sizes on both sides of each step of DER's length, of the content and of what wraps it. */
static void test_stock_openssl_verifies_leaves_of_every_length_form(void)
{
    static const size_t sizes[] = {1, 127, 128, 197, 255, 256, 5000, CADES_CONTENT_BYTES_MAX};
    OWNED(country) country = fixture_country();
    for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++)
        check_with_stock_openssl(country, sizes[i]);
}

static void test_stock_openssl_refuses_a_changed_leaf(void)
{
    const char *folder = unit_folder();
    OWNED(country) country = fixture_country();
    OWNED(bytes) leaf = leaf_of(country, span_of_text("a header"), TIME_MS);
    leaf->data[leaf->size - 1] ^= 1;
    struct fixture_path leaf_path = fixture_write(folder, "leaf.p7m", bytes_span(leaf));
    struct fixture_path cert = fixture_write_pem(folder, "cert.pem", country->member);
    CU_ASSERT_NOT_EQUAL(FIXTURE_OPENSSL("cms", "-verify", "-cades", "-binary", "-inform", "DER",
                                        "-in", leaf_path.at, "-certfile", cert.at, "-CAfile",
                                        cert.at, "-noverify", "-out", "/dev/null"),
                        0);
}

static void test_every_content_size_is_parsed_back(void)
{
    OWNED(country) country = fixture_country();
    OWNED(bytes) content = content_of(CADES_CONTENT_BYTES_MAX);
    struct cades_template template;
    struct cades_parts parts;
    uint8_t signature[70] = {0x30};
    cades_template_make(country->member, &template);
    for (size_t size = 0; size <= content->size; size += size < 700 ? 1 : 593) {
        OWNED(bytes) leaf = NULL;
        struct span part = span_of(content->data, size);
        MUST(cades_leaf(&template, part, TIME_MS, span_of(signature, sizeof signature), &leaf));
        MUST(cades_parse(bytes_span(leaf), &parts));
        CU_ASSERT(span_equal(parts.content, part));
        CU_ASSERT(leaf->size < 65536);
    }
}

static void test_no_changed_byte_of_a_leaf_passes(void)
{
    OWNED(country) country = fixture_country();
    OWNED(bytes) content = content_of(180);
    OWNED(bytes) leaf = leaf_of(country, bytes_span(content), TIME_MS);
    struct cades_parts parts;
    for (size_t i = 0; i < leaf->size; i++)
        for (int bit = 0; bit < 8; bit++) {
            leaf->data[i] ^= (uint8_t)(1 << bit);
            CU_ASSERT(failed(cades_verify_leaf(country->member, bytes_span(leaf), &parts)));
            leaf->data[i] ^= (uint8_t)(1 << bit);
        }
    MUST(cades_verify_leaf(country->member, bytes_span(leaf), &parts));
}

static void test_a_leaf_cut_or_lengthened_is_refused(void)
{
    OWNED(country) country = fixture_country();
    OWNED(bytes) leaf = leaf_of(country, span_of_text("a header"), TIME_MS);
    struct cades_parts parts;
    for (size_t size = 0; size < leaf->size; size++) {
        OWNED(bytes) cut = NULL; /* on the heap, so that a sanitizer sees a read behind its end */
        MUST(bytes_copy(span_of(leaf->data, size), &cut));
        MUST_FAIL(BAD_FRAME, cades_parse(bytes_span(cut), &parts));
    }
    MUST(bytes_append_text(leaf, "x"));
    MUST_FAIL(BAD_FRAME, cades_parse(bytes_span(leaf), &parts));
}

static void test_a_leaf_of_another_certificate_is_not_yours(void)
{
    OWNED(country) country = fixture_country();
    OWNED(certificate) renewed = NULL; /* the same key, so the same subject key id */
    OWNED(bytes) leaf = leaf_of(country, span_of_text("a header"), TIME_MS);
    struct cades_template template;
    struct cades_parts parts;
    fixture_issue(country, country->key, &renewed);
    MUST(cades_parse(bytes_span(leaf), &parts));
    MUST_FAIL(NOT_YOURS, cades_verify_leaf(renewed, bytes_span(leaf), &parts));
    MUST_FAIL(NOT_YOURS, cades_verify_leaf(country->ca, bytes_span(leaf), &parts));
    cades_template_make(renewed, &template);
    MUST_FAIL(NOT_YOURS, cades_verify(country->member, &template, parts.content, parts.time_ms,
                                      parts.signature));
    cades_template_make(country->ca, &template);
    MUST_FAIL(NOT_YOURS, cades_verify(country->member, &template, parts.content, parts.time_ms,
                                      parts.signature));
}

static void test_content_and_time_are_signed(void)
{
    OWNED(country) country = fixture_country();
    OWNED(bytes) leaf = leaf_of(country, span_of_text("a header"), TIME_MS);
    struct certificate *member = country->member;
    struct cades_template template;
    struct cades_parts parts;
    cades_template_make(member, &template);
    MUST(cades_parse(bytes_span(leaf), &parts));
    struct span signature = parts.signature;
    MUST(cades_verify(member, &template, parts.content, TIME_MS, signature));
    MUST_FAIL(SIGNATURE_BAD,
              cades_verify(member, &template, span_of_text("b header"), TIME_MS, signature));
    MUST_FAIL(SIGNATURE_BAD,
              cades_verify(member, &template, parts.content, TIME_MS + 1, signature));
    MUST_FAIL(SIGNATURE_BAD, cades_verify(member, &template, parts.content, -1, signature));
    MUST_FAIL(SIGNATURE_BAD, cades_verify(member, &template, parts.content, INT64_MAX, signature));
}

static void test_the_attributes_are_the_documented_bytes(void)
{
    OWNED(country) country = fixture_country();
    struct cades_template template;
    cades_template_make(country->member, &template);
    struct sha256 hash = SHA256_OF(span_of_text("a header"));
    struct sha256 signer = certificate_hash(country->member);
    char content_hex[65];
    char signer_hex[65];
    char hex[331];
    uint8_t expected[165];
    text_hex(sha256_span(&hash), content_hex, sizeof content_hex);
    text_hex(sha256_span(&signer), signer_hex, sizeof signer_hex);
    CU_ASSERT_FATAL(text_format(
        hex, sizeof hex,
        "3181a2301806092a864886f70d010903310b06092a864886f70d010701"
        "301c06092a864886f70d010905310f170d3233313131343232313332305a" /* 231114221320Z */
        "302f06092a864886f70d01090431220420%s"
        "3037060b2a864886f70d010910022f31283026302430220420%s",
        content_hex, signer_hex));
    MUST(text_unhex(span_of_text(hex), expected, sizeof expected));
    struct sha256 made = cades_signed_digest(&template, &hash, INT64_C(1700000000999));
    struct sha256 wanted = SHA256_OF(span_of(expected, sizeof expected));
    CU_ASSERT(sha256_equal(&made, &wanted));
}

static void test_times_that_utctime_cannot_say_are_refused(void)
{
    OWNED(country) country = fixture_country();
    struct cades_template template;
    uint8_t signature[70] = {0x30};
    struct span sig = span_of(signature, sizeof signature);
    struct span content = span_of_text("a header");
    OWNED(bytes) leaf = NULL;
    cades_template_make(country->member, &template);
    MUST_FAIL(BAD_FRAME, cades_leaf(&template, content, -1, sig, &leaf));
    MUST_FAIL(BAD_FRAME, cades_leaf(&template, content, INT64_C(2524608000000), sig, &leaf));
    struct cades_parts parts;
    MUST(cades_leaf(&template, content, INT64_C(2524607999999), sig, &leaf));
    MUST(cades_parse(bytes_span(leaf), &parts));
    CU_ASSERT_EQUAL(parts.time_ms, INT64_C(2524607999000));
    bytes_free(&leaf);
    MUST(cades_leaf(&template, content, 0, sig, &leaf));
    MUST(cades_parse(bytes_span(leaf), &parts));
    CU_ASSERT_EQUAL(parts.time_ms, 0);
}

static void test_sizes_out_of_bounds_are_refused(void)
{
    OWNED(country) country = fixture_country();
    OWNED(bytes) content = content_of(CADES_CONTENT_BYTES_MAX + 1);
    OWNED(bytes) leaf = NULL;
    struct cades_template template;
    uint8_t signature[P256_SIGNATURE_BYTES_MAX + 1] = {0x30};
    cades_template_make(country->member, &template);
    MUST_FAIL(BAD_FRAME,
              cades_leaf(&template, bytes_span(content), TIME_MS, span_of(signature, 70), &leaf));
    MUST_FAIL(BAD_FRAME, cades_leaf(&template, span_of_text("a"), TIME_MS,
                                    span_of(signature, sizeof signature), &leaf));
    MUST_FAIL(BAD_FRAME,
              cades_leaf(&template, span_of_text("a"), TIME_MS, span_of(signature, 0), &leaf));
}

SUITE(cades, TEST(test_a_leaf_is_parsed_back),
      TEST(test_stock_openssl_verifies_leaves_of_every_length_form),
      TEST(test_stock_openssl_refuses_a_changed_leaf), TEST(test_every_content_size_is_parsed_back),
      TEST(test_no_changed_byte_of_a_leaf_passes), TEST(test_a_leaf_cut_or_lengthened_is_refused),
      TEST(test_a_leaf_of_another_certificate_is_not_yours), TEST(test_content_and_time_are_signed),
      TEST(test_the_attributes_are_the_documented_bytes),
      TEST(test_times_that_utctime_cannot_say_are_refused),
      TEST(test_sizes_out_of_bounds_are_refused))
