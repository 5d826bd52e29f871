// SPDX-License-Identifier: MIT
#include "lib/base/shown.h"

#include "tests/unit/unit.h"

#include <stdlib.h>
#include <string.h>

static void test_words_of_any_script_read_as_what_they_are(void)
{
    CU_ASSERT(shown_as_is(span_of_text("")));
    CU_ASSERT(shown_as_is(span_of_text("Alcaldía de Medellín, 100 % ñ \\u202e")));
    CU_ASSERT(shown_as_is(span_of_text("日本 \U0001f600 \ufffd")));
    CU_ASSERT(shown_as_is(span_of_text("e\u0301"))); /* an accent by itself */
}

static void test_what_hides_or_turns_is_found(void)
{
    static const char *const bad[] = {
        "\u202eODNOF", "a\u2066b", "a\u200bb", "\u00ad",     "x\u200f",     "\ufeff", "a\nb",
        "\x1b[2J",     "\u061c",   "\u2028",   "\U000e0041", "\ue000",      "\x7f",   "\xc2\x85",
        "caf\xe9",     "\u180e",   "\u3164",   "\ufe0f",     "\xed\xa0\x80"};
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        CU_ASSERT(!shown_as_is(span_of_text(bad[i])));
    CU_ASSERT(!shown_as_is(span_of("a\0b", 3)));
}

static void shows(const char *words, const char *wanted)
{
    char *written = NULL;
    size_t size = 0;
    FILE *out = open_memstream(&written, &size);
    shown_page(out, span_of_text(words));
    fclose(out);
    CU_ASSERT_STRING_EQUAL(written, wanted);
    free(written);
}

static void test_a_page_keeps_its_lines_and_shows_what_hides(void)
{
    shows("uno\ndós\n", "uno\ndós\n");
    shows("Fondo \u202eacilbúp\n", "Fondo \\u202eacilbúp\n");
    shows("\x1b]0;x\x07", "\\u001b]0;x\\u0007");
    shows("\U000e0041\U0010ffff", "\\udb40\\udc41\\udbff\\udfff"); /* as JSON has it */
    shows("{\"a\": \"b\\n\"}", "{\"a\": \"b\\n\"}");
    shows("caf\xe9", "caf\\ufffd");
}

static void test_a_text_is_made_plain_in_place(void)
{
    char text[] = "a\u202eb\nc\u00f1\U000e0041";
    shown_plainly(text);
    CU_ASSERT_STRING_EQUAL(text, "a?b?c\u00f1?");
}

SUITE(shown, TEST(test_words_of_any_script_read_as_what_they_are),
      TEST(test_what_hides_or_turns_is_found),
      TEST(test_a_page_keeps_its_lines_and_shows_what_hides),
      TEST(test_a_text_is_made_plain_in_place))
