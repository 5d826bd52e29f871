// SPDX-License-Identifier: MIT
#include "lib/bus/bus_id.h"
#include "tests/unit/unit.h"

#include <stdio.h>
#include <string.h>

static fault parse(const char *text, unsigned least, unsigned most, struct bus_id *out)
{
    return bus_id_parse(span_of_text(text), least, most, out);
}

static const char *canonical(const char *text)
{
    static char out[ID_TEXT_BYTES_MAX];
    struct bus_id id;
    MUST(parse(text, 1, 5, &id));
    CU_ASSERT_EQUAL(bus_id_text(&id, id.parts, out, sizeof out), strlen(out));
    return out;
}

static void test_an_identifier_has_its_parts(void)
{
    struct bus_id id;
    MUST(parse("CO/GOV/899999027/consulta/persona", ID_MEMBER, ID_SERVICE, &id));
    CU_ASSERT_EQUAL(id.parts, 5);
    CU_ASSERT_STRING_EQUAL(id.part[0], "CO");
    CU_ASSERT_STRING_EQUAL(id.part[4], "persona");
    MUST(parse("CO/GOV/1", ID_MEMBER, ID_MEMBER, &id));
    CU_ASSERT_EQUAL(id.parts, 3);
}

static void test_too_few_and_too_many_parts_are_refused(void)
{
    struct bus_id id;
    MUST_FAIL(BAD_NAME, parse("CO/GOV", ID_MEMBER, ID_SERVICE, &id));
    MUST_FAIL(BAD_NAME, parse("CO/GOV/1/a/b/c", ID_MEMBER, ID_SERVICE, &id));
    MUST_FAIL(BAD_NAME, parse("CO/GOV/1/a/b", ID_SUBSYSTEM, ID_SUBSYSTEM, &id));
    MUST_FAIL(BAD_NAME, parse("", ID_MEMBER, ID_SERVICE, &id));
}

static void test_a_bad_part_is_refused(void)
{
    static const char *const bad[] = {
        "/GOV/1",     "CO//1",      "CO/GOV/",          "CO/GOV/1/",   "CO/GOV/%",
        "CO/GOV/%4",  "CO/GOV/%zz", "CO/GOV/%00",       "CO/GOV/%0a",  "CO/GOV/a\tb",
        "CO/GOV/%7f", "CO/GOV/%ff", "CO/GOV/%ed%a0%80", "CO/GOV/\xc3", "CO/GOV/%c2%85",
    };
    struct bus_id id;
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        MUST_FAIL(BAD_NAME, parse(bad[i], ID_MEMBER, ID_SERVICE, &id));
    MUST_FAIL(BAD_NAME, bus_id_parse(span_of("CO/GOV/1\0", 9), 3, 5, &id));
}

static void test_a_part_has_at_most_255_bytes(void)
{
    struct bus_id id;
    char text[1000] = "CO/GOV/";
    memset(text + 7, 'x', 255);
    MUST(parse(text, 3, 3, &id));
    CU_ASSERT_EQUAL(strlen(id.part[2]), 255);
    text[7 + 255] = 'x';
    MUST_FAIL(BAD_NAME, parse(text, 3, 3, &id));
    /* it is the decoded bytes that count */
    text[7] = '\0';
    for (int i = 0; i < 255; i++)
        strcat(text, "%41");
    MUST(parse(text, 3, 3, &id));
    strcat(text, "A");
    MUST_FAIL(BAD_NAME, parse(text, 3, 3, &id));
}

static void test_text_is_canonical(void)
{
    CU_ASSERT_STRING_EQUAL(canonical("CO/GOV/1/a%2Db%7e"), "CO/GOV/1/a-b~");
    CU_ASSERT_STRING_EQUAL(canonical("CO/GOV/1/a%2fb"), "CO/GOV/1/a%2Fb");
    CU_ASSERT_STRING_EQUAL(canonical("CO/GOV/1/a\xc3\xb1o"), "CO/GOV/1/a%C3%B1o");
    CU_ASSERT_STRING_EQUAL(canonical("CO/GOV/1/a%c3%b1o"), "CO/GOV/1/a%C3%B1o");
    CU_ASSERT_STRING_EQUAL(canonical("CO/GOV/1/a b%25%23?"), "CO/GOV/1/a%20b%25%23%3F");
    CU_ASSERT_STRING_EQUAL(canonical("a-._~!$&'()*+,;=:@Z09"), "a-._~!$&'()*+,;=:@Z09");
    CU_ASSERT_STRING_EQUAL(canonical("a\"<>[]\\^`{|}"), "a%22%3C%3E%5B%5D%5C%5E%60%7B%7C%7D");
    CU_ASSERT_STRING_EQUAL(canonical("co/gov"), "co/gov"); /* case is kept */
}

/* The longest of all fits, and reading it back gives the same. */
static void test_the_longest_identifier_fits_its_text(void)
{
    struct bus_id id = {.parts = 5}, back;
    char text[ID_TEXT_BYTES_MAX];
    for (int i = 0; i < 5; i++)
        memset(id.part[i], '%', ID_PART_BYTES_MAX);
    size_t size = bus_id_text(&id, 5, text, sizeof text);
    CU_ASSERT_EQUAL(size, 5 * 3 * ID_PART_BYTES_MAX + 4);
    MUST(bus_id_parse(span_of(text, size), 5, 5, &back));
    for (int i = 0; i < 5; i++)
        CU_ASSERT_STRING_EQUAL(back.part[i], id.part[i]);
}

static void test_text_and_prefix_of_fewer_parts_agree(void)
{
    struct bus_id id;
    char whole[ID_TEXT_BYTES_MAX], part[ID_TEXT_BYTES_MAX];
    MUST(parse("CO/GOV/1%2F2/sub/service", 5, 5, &id));
    bus_id_text(&id, 5, whole, sizeof whole);
    for (unsigned parts = 1; parts <= 5; parts++) {
        size_t size = bus_id_text(&id, parts, part, sizeof part);
        struct span prefix = bus_id_prefix(span_of_text(whole), parts);
        CU_ASSERT(span_equal(prefix, span_of(part, size)));
        CU_ASSERT_EQUAL(bus_id_count(prefix), parts);
    }
    CU_ASSERT_EQUAL(bus_id_count(span_of_text("")), 0);
    CU_ASSERT(span_is_text(bus_id_prefix(span_of_text("a/b"), 3), "a/b"));
}

static void test_what_may_be_registered_is_stricter(void)
{
    static const char *const bad[] = {
        "a:b",
        "a;b",
        "a%2Fb",
        "a\\b",
        "a%25b",
        "a\xe2\x80\x8b",
        "\xef\xbb\xbf"
        "b",
        " a",
        "a ",
        ".a",
        "a.",
        "..",
        ".",
    };
    static const char *const good[] = {"a", "a.b", "a b", "a\xc3\xb1o", "a(b)@c", "1"};
    struct bus_id id;
    char text[64];
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        snprintf(text, sizeof text, "CO/GOV/1/%s", bad[i]);
        MUST(parse(text, 4, 4, &id)); /* lenient while messages flow */
        MUST_FAIL(BAD_NAME, bus_id_check_strict(&id));
        snprintf(text, sizeof text, "%s/GOV/1", bad[i]);
        MUST(parse(text, 3, 3, &id));
        MUST_FAIL(BAD_NAME, bus_id_check_strict(&id));
    }
    for (size_t i = 0; i < sizeof good / sizeof good[0]; i++) {
        snprintf(text, sizeof text, "CO/GOV/1/%s", good[i]);
        MUST(parse(text, 4, 4, &id));
        MUST(bus_id_check_strict(&id));
    }
}

/* Each text of up to seven of these bytes: what is called plain is canonical, in so many parts. */
static void test_what_is_plain_is_canonical(void)
{
    static const char alphabet[] = {'a', 'Z', '/', '.', '%', ' '};
    size_t plain = 0;
    for (unsigned number = 0; number < 6 * 6 * 6 * 6 * 6 * 6 * 6; number++) {
        char text[8], canonical[ID_TEXT_BYTES_MAX + 1];
        struct bus_id id;
        size_t size = number % 8;
        for (unsigned rest = number, i = 0; i < size; i++, rest /= 6)
            text[i] = alphabet[rest % 6];
        for (unsigned parts = 1; parts <= 3; parts++) {
            if (!bus_id_is_plain(span_of(text, size), parts))
                continue;
            plain++;
            MUST(bus_id_parse(span_of(text, size), parts, parts, &id));
            size_t length = bus_id_text(&id, parts, canonical, sizeof canonical);
            CU_ASSERT(span_equal(span_of(canonical, length), span_of(text, size)));
        }
    }
    CU_ASSERT(plain > 1000);
}

static void test_a_part_of_more_than_255_bytes_is_not_plain(void)
{
    char text[ID_PART_BYTES_MAX + 1];
    memset(text, 'a', sizeof text);
    CU_ASSERT(bus_id_is_plain(span_of(text, ID_PART_BYTES_MAX), 1));
    CU_ASSERT_FALSE(bus_id_is_plain(span_of(text, ID_PART_BYTES_MAX + 1), 1));
}

SUITE(bus_id, TEST(test_an_identifier_has_its_parts),
      TEST(test_too_few_and_too_many_parts_are_refused), TEST(test_a_bad_part_is_refused),
      TEST(test_a_part_has_at_most_255_bytes), TEST(test_text_is_canonical),
      TEST(test_the_longest_identifier_fits_its_text),
      TEST(test_text_and_prefix_of_fewer_parts_agree),
      TEST(test_what_may_be_registered_is_stricter), TEST(test_what_is_plain_is_canonical),
      TEST(test_a_part_of_more_than_255_bytes_is_not_plain))
