// SPDX-License-Identifier: MIT
#include "lib/base/text.h"
#include "tests/unit/unit.h"

#include <stdio.h>
#include <string.h>

static void test_a_cut_format_says_so(void)
{
    char out[4];
    CU_ASSERT(text_format(out, sizeof out, "%d", 123));
    CU_ASSERT_STRING_EQUAL(out, "123");
    CU_ASSERT(!text_format(out, sizeof out, "%d", 1234));
    CU_ASSERT_STRING_EQUAL(out, "123");
}

static void test_hex_goes_and_comes_back(void)
{
    uint8_t bytes[256], back[256];
    char hex[513];
    for (size_t i = 0; i < 256; i++)
        bytes[i] = (uint8_t)i;
    text_hex(span_of(bytes, 256), hex, sizeof hex);
    CU_ASSERT_EQUAL(strlen(hex), 512);
    CU_ASSERT(memcmp(hex, "000102", 6) == 0 && strcmp(hex + 508, "feff") == 0);
    MUST(text_unhex(span_of_text(hex), back, sizeof back));
    CU_ASSERT(memcmp(bytes, back, 256) == 0);
    MUST(text_unhex(span_of_text("aBCdeF09"), back, 4));
    CU_ASSERT(memcmp(back, "\xab\xcd\xef\x09", 4) == 0);
}

static void test_what_is_not_hex_is_refused(void)
{
    uint8_t out[2];
    MUST_FAIL(BAD_REQUEST, text_unhex(span_of_text("abc"), out, 2));
    MUST_FAIL(BAD_REQUEST, text_unhex(span_of_text("abcde"), out, 2));
    MUST_FAIL(BAD_REQUEST, text_unhex(span_of_text("abcdef"), out, 2));
    for (int c = 0; c < 256; c++) {
        bool digit = (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
        char hex[4] = {'0', (char)c, (char)c, '0'};
        CU_ASSERT_EQUAL(failed(text_unhex(span_of(hex, 4), out, 2)), !digit);
    }
}

/* RFC 4648, section 10. */
static void test_base64_has_the_vectors_of_its_standard(void)
{
    static const char *const vectors[][2] = {
        {"", ""},
        {"f", "Zg=="},
        {"fo", "Zm8="},
        {"foo", "Zm9v"},
        {"foob", "Zm9vYg=="},
        {"fooba", "Zm9vYmE="},
        {"foobar", "Zm9vYmFy"},
    };
    for (size_t i = 0; i < sizeof vectors / sizeof vectors[0]; i++) {
        char out[16];
        OWNED(bytes) back = NULL;
        text_base64(span_of_text(vectors[i][0]), out, sizeof out);
        CU_ASSERT_STRING_EQUAL(out, vectors[i][1]);
        MUST(text_unbase64(span_of_text(vectors[i][1]), &back));
        CU_ASSERT(span_is_text(bytes_span(back), vectors[i][0]));
    }
    char out[8];
    text_base64(span_of("\xfb\xff\xbf", 3), out, sizeof out);
    CU_ASSERT_STRING_EQUAL(out, "+/+/");
}

static void test_only_canonical_base64_is_read(void)
{
    static const char *const bad[] = {"Z",        "Zg",   "Zg=",      "Zh==", "Zm9=",
                                      "Zg==Zg==", "=Zg=", "====",     "Z===", "Zm 9",
                                      "Zm9v\n",   "Zm-_", "Zm9v====", "Z=9v", "Zg=v"};
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        OWNED(bytes) out = NULL;
        MUST_FAIL(BAD_REQUEST, text_unbase64(span_of_text(bad[i]), &out));
        CU_ASSERT_PTR_NULL(out);
    }
}

static void test_every_byte_survives_base64(void)
{
    uint8_t bytes[256];
    for (size_t i = 0; i < 256; i++)
        bytes[i] = (uint8_t)i;
    for (size_t size = 0; size <= 256; size++) {
        char out[4 * 86 + 1];
        OWNED(bytes) back = NULL;
        text_base64(span_of(bytes, size), out, sizeof out);
        MUST(text_unbase64(span_of_text(out), &back));
        CU_ASSERT_FATAL(span_equal(bytes_span(back), span_of(bytes, size)));
    }
}

static void test_utf8_is_shortest_form_without_surrogates(void)
{
    static const char *const good[] = {"",
                                       "a",
                                       "\xc2\x80",
                                       "\xdf\xbf",
                                       "\xe0\xa0\x80",
                                       "\xed\x9f\xbf",
                                       "\xee\x80\x80",
                                       "\xf0\x90\x80\x80",
                                       "\xf4\x8f\xbf\xbf"};
    static const char *const bad[] = {"\x80",
                                      "\xbf",
                                      "\xc0\x80",
                                      "\xc1\xbf",
                                      "\xc2",
                                      "\xc2"
                                      "a",
                                      "\xe0\x9f\xbf",
                                      "\xe0\xa0",
                                      "\xed\xa0\x80",
                                      "\xed\xbf\xbf",
                                      "\xe2\x82"
                                      "a",
                                      "\xf0\x8f\xbf\xbf",
                                      "\xf4\x90\x80\x80",
                                      "\xf5\x80\x80\x80",
                                      "\xff",
                                      "\xf0\x9f\x98",
                                      "a\xf0\x9f\x98"};
    for (size_t i = 0; i < sizeof good / sizeof good[0]; i++)
        CU_ASSERT(text_is_utf8(span_of_text(good[i])));
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        CU_ASSERT(!text_is_utf8(span_of_text(bad[i])));
}

static void test_percent_escapes_are_decoded(void)
{
    char out[8];
    MUST(text_percent_decode(span_of_text("a%2Fb%c3%B1"), out, sizeof out));
    CU_ASSERT_STRING_EQUAL(out, "a/b\xc3\xb1");
    MUST(text_percent_decode(span_of_text(""), out, sizeof out));
    CU_ASSERT_STRING_EQUAL(out, "");
    MUST(text_percent_decode(span_of_text("1234567"), out, sizeof out));
    CU_ASSERT_STRING_EQUAL(out, "1234567");
    MUST(text_percent_decode(span_of_text("%31"), out, 2));
    CU_ASSERT_STRING_EQUAL(out, "1");
}

static void test_broken_escapes_are_refused(void)
{
    static const char *const bad[] = {"%",   "%4",     "a%4",  "%g1",      "%1g",
                                      "%00", "%c3",    "%c3a", "12345678", "%ed%a0%80",
                                      "%-1", "a%%41b", "% 41"};
    char out[8];
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        MUST_FAIL(BAD_REQUEST, text_percent_decode(span_of_text(bad[i]), out, sizeof out));
    MUST_FAIL(BAD_REQUEST, text_percent_decode(span_of("a\0b", 3), out, sizeof out));
}

static void test_a_number_is_digits_within_its_bound(void)
{
    uint64_t out = 7;
    MUST(text_number(span_of_text("0"), 0, &out));
    CU_ASSERT_EQUAL(out, 0);
    MUST(text_number(span_of_text("00120"), 120, &out));
    CU_ASSERT_EQUAL(out, 120);
    MUST(text_number(span_of_text("18446744073709551615"), UINT64_MAX, &out));
    CU_ASSERT_EQUAL(out, UINT64_MAX);
    static const char *const bad[] = {"",    "-1",  "+1",  " 1",  "1 ",
                                      "0x1", "1.0", "121", "200", "1200"};
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        MUST_FAIL(BAD_REQUEST, text_number(span_of_text(bad[i]), 120, &out));
    MUST_FAIL(BAD_REQUEST, text_number(span_of_text("18446744073709551616"), UINT64_MAX, &out));
    MUST_FAIL(BAD_REQUEST, text_number(span_of_text("99999999999999999999"), UINT64_MAX, &out));
    MUST_FAIL(BAD_REQUEST, text_number(span_of_text("7"), 5, &out));
    CU_ASSERT_EQUAL(out, UINT64_MAX);
}

static void test_words_are_the_same_without_case(void)
{
    CU_ASSERT(text_same_word(span_of_text("Content-Type"), span_of_text("content-TYPE")));
    CU_ASSERT(!text_same_word(span_of_text("content"), span_of_text("content-")));
    CU_ASSERT(!text_same_word(span_of_text("a"), span_of_text("b")));
    CU_ASSERT(text_same_word(span_of(NULL, 0), span_of("x", 0)));
}

static void test_a_word_is_found_among_others_whole(void)
{
    char program[] = "chaski", command[] = "erase", help[] = "--help";
    char *words[] = {program, command, help};
    CU_ASSERT(text_is_among("--help", 3, words));
    CU_ASSERT(!text_is_among("--help", 2, words));
    CU_ASSERT(!text_is_among("--hel", 3, words));
    CU_ASSERT(!text_is_among("chaski", 0, words));
}

SUITE(text, TEST(test_a_cut_format_says_so), TEST(test_hex_goes_and_comes_back),
      TEST(test_what_is_not_hex_is_refused), TEST(test_base64_has_the_vectors_of_its_standard),
      TEST(test_only_canonical_base64_is_read), TEST(test_every_byte_survives_base64),
      TEST(test_utf8_is_shortest_form_without_surrogates), TEST(test_percent_escapes_are_decoded),
      TEST(test_broken_escapes_are_refused), TEST(test_a_number_is_digits_within_its_bound),
      TEST(test_words_are_the_same_without_case), TEST(test_a_word_is_found_among_others_whole))
