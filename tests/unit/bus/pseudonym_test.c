// SPDX-License-Identifier: MIT
#include "lib/bus/pseudonym.h"

#include "lib/base/text.h"
#include "tests/unit/unit.h"

#include <stdlib.h>

#define OPENSSL_MADE "4c7896697241ba04384a9b2ab060626856a96340c208bd07201e7c6cbf1d991e"

static void becomes(const char *from, const char *expected)
{
    char out[PSEUDONYM_TEXT_ROOM] = "";
    MUST(pseudonym_normalise(span_of_text(from), out));
    CU_ASSERT_STRING_EQUAL(out, expected);
}

static void test_one_document_has_one_text(void)
{
    becomes("CC 1020304050", "CC 1020304050");
    becomes("  cc\t1.020.304.050 ", "CC 1020304050");
    becomes("Cc 0001020304050", "CC 1020304050");
    becomes("nit 899.999.027", "NIT 899999027");
    becomes("pa ab 123456", "PA AB123456");
    becomes("PA 00123", "PA 00123"); /* of letters and digits a zero is a character */
    becomes("PEP 912345678901234", "PEP 912345678901234");
    becomes("CC 12345678901234567890", "CC 12345678901234567890");
}

/* A person's number stays when the document changes; two spellings are one document. */
static void test_documents_that_share_their_numbers_are_one(void)
{
    static const char *const same[] = {"TI 1020304050",  "RC 1.020.304.050", "NUIP 1020304050",
                                       "CC 01020304050", "nit 1020304050",   "NIT 1020304050-8"};
    for (size_t i = 0; i < sizeof same / sizeof same[0]; i++)
        becomes(same[i], "CC 1020304050");
    becomes("PE 912345678901234", "PEP 912345678901234");
    becomes("pt 123ab", "PPT 123AB");
    becomes("CE 1020304050", "CE 1020304050");
    becomes("PA 1020304050", "PA 1020304050");
}

/* A source is asked for the document that was shown. */
static void test_the_type_that_was_given_can_be_kept(void)
{
    static const char *const same[][2] = {{" ti 1.020.304.050", "TI 1020304050"},
                                          {"NIT 899.999.027-8", "NIT 899999027"},
                                          {"nit 52866123", "NIT 52866123"},
                                          {"PE 9123", "PE 9123"}};
    char kept[PSEUDONYM_TEXT_ROOM], one[PSEUDONYM_TEXT_ROOM], other[PSEUDONYM_TEXT_ROOM];
    for (size_t i = 0; i < sizeof same / sizeof same[0]; i++) {
        MUST(pseudonym_tidy(span_of_text(same[i][0]), kept));
        CU_ASSERT_STRING_EQUAL(kept, same[i][1]);
        MUST(pseudonym_normalise(span_of_text(kept), one));
        MUST(pseudonym_normalise(span_of_text(same[i][0]), other));
        CU_ASSERT_STRING_EQUAL(one, other);
    }
    MUST_FAIL(SUBJECT_BAD, pseudonym_tidy(span_of_text("XX 1"), kept));
}

/* Check digits as the agencies themselves publish them: DANE, Bogotá, DIAN, Ecopetrol; zero and
 * one. */
static void test_a_nit_is_one_with_and_without_its_check_digit(void)
{
    becomes("NIT 899.999.027-8", "NIT 899999027");
    becomes("NIT 899999061 - 9", "NIT 899999061");
    becomes("NIT 800197268-4", "NIT 800197268");
    becomes("NIT 899999068-1", "NIT 899999068");
    becomes("NIT 800197268", "NIT 800197268");
    becomes("NIT 52866123", "CC 52866123"); /* a person's is the cédula */
    becomes("NIT 600123456", "NIT 600123456");
}

static void test_what_is_no_document_is_refused_without_its_number(void)
{
    static const char *const bad[] = {"",
                                      "1020304050",
                                      "CC1020304050",
                                      "XX 1020304050",
                                      "CC",
                                      "CC  . ",
                                      "CC 10203A4050",
                                      "CC 0",
                                      "NIT 899999027-7",
                                      "NIT 899999027-",
                                      "NIT 899999027-88",
                                      "NIT 899999027-8-8",
                                      "NIT 1234567890123456-1",
                                      "CC 1020304050-8",
                                      "C 1020304050",
                                      "CCC 1020304050",
                                      "CC 123456789012345678901",
                                      "CC 10203\303\2614050",
                                      "TI 1020304050;CC 1"};
    char out[PSEUDONYM_TEXT_ROOM];
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        MUST_FAIL(SUBJECT_BAD, pseudonym_normalise(span_of_text(bad[i]), out));
        CU_ASSERT_PTR_NULL(strstr(fault_detail(), "10203"));
        CU_ASSERT_PTR_NULL(strstr(fault_detail(), "899999027"));
    }
    MUST_FAIL(SUBJECT_BAD, pseudonym_normalise(span_of("CC 10\0", 6), out));
}

/* printf 'chaski subject v1\nCC 1020304050' | openssl mac -digest SHA256 -macopt hexkey:000102...1f
 * HMAC */
static void test_stock_openssl_makes_the_same(void)
{
    static const char *const texts[] = {"CC 1020304050", "PA AB123456", "NIT 899999027"};
    uint8_t key[PSEUDONYM_KEY_BYTES];
    char command[300], hex[2 * PSEUDONYM_KEY_BYTES + 1], said[2 * PSEUDONYM_BYTES + 2];
    for (size_t i = 0; i < sizeof key; i++)
        key[i] = (uint8_t)(i * 7 + 1);
    text_hex(span_of(key, sizeof key), hex, sizeof hex);
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        struct sha256 made = pseudonym_make(key, texts[i]);
        char own[2 * PSEUDONYM_BYTES + 1];
        text_hex(sha256_span(&made), own, sizeof own);
        text_format(command, sizeof command,
                    "printf 'chaski subject v1\\n%s' | openssl mac -digest SHA256 -macopt "
                    "hexkey:%s HMAC | tr A-F a-f",
                    texts[i], hex);
        FILE *pipe = popen(command, "r");
        CU_ASSERT_PTR_NOT_NULL_FATAL(pipe);
        CU_ASSERT_PTR_NOT_NULL_FATAL(fgets(said, sizeof said, pipe));
        CU_ASSERT_EQUAL(pclose(pipe), 0);
        said[2 * PSEUDONYM_BYTES] = '\0';
        CU_ASSERT_STRING_EQUAL(said, own);
    }
}

/* What is written here was made by openssl 3 from "CC 1020304050", and by it alone:
 *   printf 'chaski subject v1\nCC 1020304050' |
 *     openssl mac -digest SHA256 -macopt hexkey:00(32 times) HMAC */
static void test_a_look_under_any_of_them_is_one_pseudonym(void)
{
    static const char *const texts[] = {"TI 1020304050", "RC 1020304050", "NUIP 1020304050",
                                        "CC 1020304050", "NIT 1020304050-8"};
    static const uint8_t key[PSEUDONYM_KEY_BYTES];
    char normalised[PSEUDONYM_TEXT_ROOM], hex[2 * PSEUDONYM_BYTES + 1];
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        MUST(pseudonym_normalise(span_of_text(texts[i]), normalised));
        struct sha256 made = pseudonym_make(key, normalised);
        text_hex(sha256_span(&made), hex, sizeof hex);
        CU_ASSERT_STRING_EQUAL(hex, OPENSSL_MADE);
    }
}

static void test_another_year_makes_another_pseudonym(void)
{
    uint8_t key[PSEUDONYM_KEY_BYTES] = {1}, next[PSEUDONYM_KEY_BYTES] = {2};
    struct sha256 one = pseudonym_make(key, "CC 1020304050");
    struct sha256 two = pseudonym_make(next, "CC 1020304050");
    struct sha256 other = pseudonym_make(key, "TI 1020304050");
    struct sha256 again = pseudonym_make(key, "CC 1020304050");
    CU_ASSERT_FALSE(sha256_equal(&one, &two));
    CU_ASSERT_FALSE(sha256_equal(&one, &other));
    CU_ASSERT(sha256_equal(&one, &again));
}

static void test_the_old_key_serves_for_a_week(void)
{
    const int64_t new_year = 1798761600000; /* 2027-01-01T00:00:00Z */
    CU_ASSERT_EQUAL(pseudonym_year(new_year - 1), 2026);
    CU_ASSERT_EQUAL(pseudonym_year(new_year), 2027);
    CU_ASSERT_FALSE(pseudonym_overlaps(new_year - 1));
    CU_ASSERT(pseudonym_overlaps(new_year));
    CU_ASSERT(pseudonym_overlaps(new_year + 7 * INT64_C(86400000) - 1));
    CU_ASSERT_FALSE(pseudonym_overlaps(new_year + 7 * INT64_C(86400000)));
    CU_ASSERT(pseudonym_year_fits(2026, new_year - 1));
    CU_ASSERT_FALSE(pseudonym_year_fits(2027, new_year - 1));
    CU_ASSERT(pseudonym_year_fits(2027, new_year) && pseudonym_year_fits(2026, new_year));
    CU_ASSERT_FALSE(pseudonym_year_fits(2025, new_year));
    CU_ASSERT_FALSE(pseudonym_year_fits(2026, new_year + 7 * INT64_C(86400000)));
}

SUITE(pseudonym, TEST(test_one_document_has_one_text),
      TEST(test_documents_that_share_their_numbers_are_one),
      TEST(test_the_type_that_was_given_can_be_kept),
      TEST(test_a_nit_is_one_with_and_without_its_check_digit),
      TEST(test_what_is_no_document_is_refused_without_its_number),
      TEST(test_stock_openssl_makes_the_same), TEST(test_a_look_under_any_of_them_is_one_pseudonym),
      TEST(test_another_year_makes_another_pseudonym), TEST(test_the_old_key_serves_for_a_week))
