// SPDX-License-Identifier: MIT
/* How a source may be asked, and whether a request is that query. */
#include "lib/bus/source_query.h"

#include "tests/unit/unit.h"

static void test_a_path_has_one_form(void)
{
    static const char *const good[] = {"",
                                       "/",
                                       "/a/b",
                                       "/a/",
                                       "/{subject.type}/{subject.number}?desde={anio}",
                                       "/?year={year}",
                                       "?a=1&b={b}",
                                       "/{territory}/{subject.type}-{subject.number}",
                                       "/v1.2/x:y@z",
                                       "/a?b="};
    for (size_t i = 0; i < sizeof good / sizeof good[0]; i++)
        MUST(source_query_check("S-1", good[i]));
}

static void test_what_can_be_read_in_two_ways_is_refused(void)
{
    static const char *const bad[] = {
        "/a/../b",  "/..",       "/.",      "/./a",           "//a",    "/a//b",
        "/a%2Fb",   "/%2e%2e/a", "/a#b",    "/a?b=1#c",       "/a?b",   "/a?b&c",
        "/a?=1",    "/a?b=1&",   "/a?b=1?", "/a\\b",          "/a;b=1", "/a b",
        "/a?b=c=d", "/a?x{y}=1", "/a&b",    "/a?b=1&c%20d=2", "/a\"b",  "/a<b"};
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        MUST_FAIL(DIRECTORY_BAD, source_query_check("S-1", bad[i]));
}

static void test_a_request_is_the_query_or_it_is_not(void)
{
    static const struct {
        const char *path, *target;
        bool fits;
    } cases[] = {{"/ced/{n}", "/ced/1020", true},
                 {"/ced/{n}", "/ced/", false},
                 {"/ced/{n}", "/ced", false},
                 {"/ced/{n}", "/roto", false},
                 {"/ced/{n}", "/ced/1/2", false},
                 {"/ced/{n}", "/ced/1?x=1", false},
                 {"/ced/{n}", "/ced/..", false},
                 {"/ced/{n}", "/ced/%2E%2E", true}, /* what a dot is filled in as */
                 {"/ced/{n}", "/ced/%2e", false},   /* nobody fills it in so */
                 {"/ced/{n}", "/ced/%2", false},
                 {"/ced/{n}", "/ced/a%C3%B1o", true},
                 {"/{a}-{b}", "/x-y-z", true},
                 {"/{a}-{b}", "/xyz", false},
                 {"/{a}{b}", "/xy", true},
                 {"/{a}{b}", "/x", false},
                 {"/{a}b{c}d", "/xbbbyd", true},
                 {"/{a}b{c}d", "/xbyd-", false},
                 {"/{a}/x{b}", "/1/x2/x3", false},
                 {"/?y={y}&z={z}", "/?y=1&z=2", true},
                 {"/?y={y}&z={z}", "/?y=1&z=2&w=3", false},
                 {"/?y={y}&z={z}", "/?z=2&y=1", false},
                 {"", "", true},
                 {"", "/", false},
                 {"/a", "", false}};
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
        CU_ASSERT_EQUAL(source_query_fits(cases[i].path, span_of_text(cases[i].target)),
                        cases[i].fits);
    CU_ASSERT_FALSE(source_query_fits("/a", span_of("/a\0", 3)));
}

SUITE(source_query, TEST(test_a_path_has_one_form),
      TEST(test_what_can_be_read_in_two_ways_is_refused),
      TEST(test_a_request_is_the_query_or_it_is_not))
