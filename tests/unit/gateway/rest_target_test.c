// SPDX-License-Identifier: MIT
#include "gateway/rest_target.h"

#include "lib/base/text.h"
#include "tests/unit/unit.h"

static fault parse(const char *target, struct rest_target *out)
{
    return rest_target_parse(span_of_text(target), out);
}

static void refused(const char *target)
{
    struct rest_target out;
    fault f = parse(target, &out);
    if (f.code != BAD_REQUEST)
        fprintf(stderr, "  %s gave %s\n", target, fault_name(f.code));
    CU_ASSERT_EQUAL(f.code, BAD_REQUEST);
}

static void taken(const char *target, const char *path)
{
    struct rest_target out;
    MUST(parse(target, &out));
    CU_ASSERT(span_is_text(out.path, path));
}

static void test_a_target_is_taken_apart(void)
{
    struct rest_target out;
    MUST(parse("/r1/CO/GOV/899999027/DIVIPOLA/municipios/05001/x?a=1&b=%20", &out));
    CU_ASSERT_EQUAL(out.service.parts, 5);
    CU_ASSERT_STRING_EQUAL(out.service.part[0], "CO");
    CU_ASSERT_STRING_EQUAL(out.service.part[4], "municipios");
    CU_ASSERT(span_is_text(out.path, "/05001/x"));
    CU_ASSERT(out.has_query);
    CU_ASSERT(span_is_text(out.query, "a=1&b=%20"));
}

static void test_path_and_query_may_be_missing_or_empty(void)
{
    struct rest_target out;
    MUST(parse("/r1/a/b/c/d/e", &out));
    CU_ASSERT_EQUAL(out.path.size, 0);
    CU_ASSERT(!out.has_query);
    MUST(parse("/r1/a/b/c/d/e/", &out));
    CU_ASSERT(span_is_text(out.path, "/"));
    MUST(parse("/r1/a/b/c/d/e?", &out));
    CU_ASSERT(out.has_query);
    CU_ASSERT_EQUAL(out.query.size, 0);
}

static void test_identifiers_are_decoded_one_by_one(void)
{
    struct rest_target out;
    char text[200];
    /* X-Road's own example: an escaped slash stays inside its part */
    MUST(parse("/r1/EE/BUSINESS/producer/s%2Fub/%C3%B6%C3%A4%C3%A5/path%3B/", &out));
    CU_ASSERT_STRING_EQUAL(out.service.part[3], "s/ub");
    CU_ASSERT_STRING_EQUAL(out.service.part[4], "öäå");
    CU_ASSERT(span_is_text(out.path, "/path%3B/"));
    bus_id_text(&out.service, ID_SERVICE, text, sizeof text);
    CU_ASSERT_STRING_EQUAL(text, "EE/BUSINESS/producer/s%2Fub/%C3%B6%C3%A4%C3%A5");
}

static void test_too_few_parts_are_refused(void)
{
    refused("/r1/CO/GOV/899999027/DIVIPOLA");
    refused("/r1/CO/GOV/899999027/DIVIPOLA/");
    refused("/r1/CO/GOV/899999027/DIVIPOLA?x=/y");
    refused("/r1/");
}

static void test_what_two_readers_could_read_differently_is_refused(void)
{
    refused("/r1//CO/GOV/1/S/x");
    refused("/r1/CO/GOV/1/S/x//y");
}

static void test_dot_segments_in_any_spelling_are_refused(void)
{
    static const char *const spelling[] = {"..",  ".",      "%2e%2e",  "%2E%2e", ".%2e", "%2e",
                                           "..;", "..;a=b", "%2e%2e;", ".;x",    "..%3b"};
    for (size_t i = 0; i < sizeof spelling / sizeof spelling[0]; i++) {
        char target[100];
        snprintf(target, sizeof target, "/r1/CO/GOV/1/S/x/%s", spelling[i]);
        refused(target);
        snprintf(target, sizeof target, "/r1/CO/GOV/1/S/x/%s/y", spelling[i]);
        refused(target);
        snprintf(target, sizeof target, "/r1/CO/%s/1/S/x/y", spelling[i]);
        refused(target);
    }
}

static void test_dots_within_names_are_taken(void)
{
    taken("/r1/CO/GOV/1/S/v1.2/a.b", "/a.b");
    taken("/r1/CO/GOV/1/S/x/...", "/...");
    taken("/r1/CO/GOV/1/S/x/.well-known", "/.well-known");
    taken("/r1/CO/GOV/1/S/x/a;v=1/..b", "/a;v=1/..b");
}

static void test_backslashes_and_escaped_percents_are_refused(void)
{
    refused("/r1/CO/GOV/1/S/x\\y");
    refused("/r1/CO/GOV/1/S/x%5Cy");
    refused("/r1/CO/GOV/1/S/x/%255c");
    refused("/r1/CO/GOV/1/S/x/%25");
}

static void test_control_bytes_blanks_and_raw_utf8_are_refused(void)
{
    refused("/r1/CO/GOV/1/S/x/%00");
    refused("/r1/CO/GOV/1/S/x/%0d%0a");
    refused("/r1/CO/GOV/1/S/x/a b");
    refused("/r1/CO/GOV/1/S/x/\x01");
    refused("/r1/CO/GOV/1/S/x/\xc3\xb1");
    refused("/r1/CO/GOV/1/S/x?q=\xc3\xb1");
    refused("/r1/CO/GOV/1/S/x#part");
}

static void test_broken_escapes_and_bad_utf8_are_refused(void)
{
    refused("/r1/CO/GOV/1/S/x/%2");
    refused("/r1/CO/GOV/1/S/x/%zz");
    refused("/r1/CO/GOV/1/S/%ff%fe");
    refused("/r1/CO/GOV/1/S/%");
}

static void test_the_query_is_left_alone(void)
{
    struct rest_target out;
    MUST(parse("/r1/CO/GOV/1/S/x?a=//../%25%5c?b\\", &out));
    CU_ASSERT(span_is_text(out.query, "a=//../%25%5c?b\\"));
}

static void test_an_over_long_part_is_refused(void)
{
    char target[400] = "/r1/CO/GOV/1/S/";
    size_t length = strlen(target);
    memset(target + length, 'x', 255);
    taken(target, "");
    target[length + 255] = 'x';
    refused(target);
}

static void test_absolute_targets_lose_their_authority(void)
{
    struct span target = rest_target_origin(span_of_text("http://h:80/r1/a/b/c/d/e"));
    CU_ASSERT(span_is_text(target, "/r1/a/b/c/d/e"));
    CU_ASSERT(rest_target_is(target));
    CU_ASSERT(span_is_text(rest_target_origin(span_of_text("/r1/x")), "/r1/x"));
    CU_ASSERT_EQUAL(rest_target_origin(span_of_text("http://h")).size, 0);
    CU_ASSERT(!rest_target_is(span_of_text("/r2/a/b/c/d/e")));
    CU_ASSERT(!rest_target_is(span_of_text("/r1")));
}

static void test_eight_methods_are_carried(void)
{
    CU_ASSERT(rest_method_is_carried(span_of_text("GET")));
    CU_ASSERT(rest_method_is_carried(span_of_text("TRACE")));
    CU_ASSERT(!rest_method_is_carried(span_of_text("CONNECT")));
    CU_ASSERT(!rest_method_is_carried(span_of_text("get")));
    CU_ASSERT(!rest_method_is_carried(span_of_text("")));
}

SUITE(rest_target, TEST(test_eight_methods_are_carried), TEST(test_a_target_is_taken_apart),
      TEST(test_path_and_query_may_be_missing_or_empty),
      TEST(test_identifiers_are_decoded_one_by_one), TEST(test_too_few_parts_are_refused),
      TEST(test_what_two_readers_could_read_differently_is_refused),
      TEST(test_dot_segments_in_any_spelling_are_refused), TEST(test_dots_within_names_are_taken),
      TEST(test_backslashes_and_escaped_percents_are_refused),
      TEST(test_control_bytes_blanks_and_raw_utf8_are_refused),
      TEST(test_broken_escapes_and_bad_utf8_are_refused), TEST(test_the_query_is_left_alone),
      TEST(test_an_over_long_part_is_refused), TEST(test_absolute_targets_lose_their_authority))
