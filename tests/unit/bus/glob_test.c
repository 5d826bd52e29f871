// SPDX-License-Identifier: MIT
#include "lib/bus/glob.h"

#include "tests/unit/unit.h"

#include <stdlib.h>

struct line {
    const char *pattern, *text;
    bool matches;
};

static const struct line table[] = {
    {"/a", "/a", true},
    {"/a", "/ab", false},
    {"/a", "/", false},
    {"/*", "/a", true},
    {"/*", "/", true},
    {"/*", "/a/b", false},
    {"/*/b", "/a/b", true},
    {"/*/b", "/a/c/b", false},
    {"/**", "/a/b/c", true},
    {"**", "", true},
    {"**", "/", true},
    {"/a/**", "/a", false},
    {"/a/**/z", "/a/b/c/z", true},
    {"/a/**/z", "/a/z", false},
    {"/a**z", "/a/b/z", true},
    {"/a*b*c", "/aXbYc", true},
    {"/a*b*c", "/aXb/Yc", false},
    {"/\\*", "/*", true},
    {"/\\*", "/a", false},
    {"/\\\\", "/\\", true},
    {"/***", "/a/b", true},
    {"/p?.[x]", "/p?.[x]", true},
    {"/p?", "/pa", false},
    {"/Ñ*", "/Ñandú", true},
    {"/a", "/A", false},
};

static void test_every_line_of_the_table_holds(void)
{
    for (size_t i = 0; i < sizeof table / sizeof table[0]; i++) {
        struct glob glob;
        MUST(glob_compile(span_of_text(table[i].pattern), &glob));
        bool matches = glob_matches(&glob, span_of_text(table[i].text));
        if (matches != table[i].matches)
            fprintf(stderr, "  %s on %s\n", table[i].pattern, table[i].text);
        CU_ASSERT_EQUAL(matches, table[i].matches);
    }
}

/* What the definition says, in the words of the definition. */
static bool slowly(const char *pattern, const char *text)
{
    if (pattern[0] == '\0')
        return text[0] == '\0';
    if (pattern[0] == '*') {
        bool any = pattern[1] == '*';
        if (slowly(pattern + 1 + any, text))
            return true;
        return text[0] != '\0' && (any || text[0] != '/') && slowly(pattern, text + 1);
    }
    if (pattern[0] == '\\')
        pattern++;
    return text[0] == pattern[0] && slowly(pattern + 1, text + 1);
}

static void fill(char *out, size_t length, const char *from)
{
    for (size_t i = 0; i < length; i++)
        out[i] = from[(size_t)rand() % strlen(from)];
    out[length] = '\0';
}

static void test_it_finds_what_an_obvious_matcher_finds(void)
{
    char pattern[16], text[16];
    size_t compiled = 0, matched = 0;
    srand(20261121);
    for (int i = 0; i < 300000; i++) {
        struct glob glob;
        fill(pattern, 1 + (size_t)rand() % 9, "a/*b*\\");
        fill(text, (size_t)rand() % 10, "aab/*\\");
        if (failed(glob_compile(span_of_text(pattern), &glob)))
            continue;
        bool expected = slowly(pattern, text);
        compiled++;
        matched += expected;
        if (glob_matches(&glob, span_of_text(text)) != expected)
            fprintf(stderr, "  %s on %s is %d\n", pattern, text, expected);
        CU_ASSERT_EQUAL(glob_matches(&glob, span_of_text(text)), expected);
    }
    CU_ASSERT(compiled > 50000);
    CU_ASSERT(matched > 1000);
}

static void test_a_pattern_is_bounded_and_its_backslashes_mean_something(void)
{
    struct glob glob;
    char longest[GLOB_BYTES_MAX + 2];
    memset(longest, 'a', sizeof longest);
    MUST(glob_compile(span_of(longest, GLOB_BYTES_MAX), &glob));
    CU_ASSERT(glob_matches(&glob, span_of(longest, GLOB_BYTES_MAX)));
    CU_ASSERT(!glob_matches(&glob, span_of(longest, GLOB_BYTES_MAX - 1)));
    MUST_FAIL(BAD_REQUEST, glob_compile(span_of(longest, GLOB_BYTES_MAX + 1), &glob));
    MUST_FAIL(BAD_REQUEST, glob_compile(span_of_text(""), &glob));
    MUST_FAIL(BAD_REQUEST, glob_compile(span_of_text("/a\\"), &glob));
    MUST_FAIL(BAD_REQUEST, glob_compile(span_of_text("/a\\d"), &glob));
}

/* Patterns for which a matcher that tries again and again never comes back. */
static void test_no_pattern_takes_long(void)
{
    static char text[4096];
    char pattern[GLOB_BYTES_MAX];
    struct glob glob;
    memset(text, 'a', sizeof text);
    for (size_t i = 0; i < sizeof pattern; i++)
        pattern[i] = i % 3 == 2 ? 'a' : '*';
    pattern[sizeof pattern - 1] = 'b';
    MUST(glob_compile(span_of(pattern, sizeof pattern), &glob));
    CU_ASSERT(!glob_matches(&glob, span_of(text, sizeof text)));
}

SUITE(glob, TEST(test_every_line_of_the_table_holds),
      TEST(test_it_finds_what_an_obvious_matcher_finds),
      TEST(test_a_pattern_is_bounded_and_its_backslashes_mean_something),
      TEST(test_no_pattern_takes_long))
