// SPDX-License-Identifier: MIT
#include "lib/bus/pseudonym.h"

#include "lib/base/text.h"
#include "tests/unit/unit.h"

#include <stdlib.h>

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
                                      "NIT 899999027-8",
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
      TEST(test_what_is_no_document_is_refused_without_its_number),
      TEST(test_stock_openssl_makes_the_same), TEST(test_another_year_makes_another_pseudonym),
      TEST(test_the_old_key_serves_for_a_week))
