// SPDX-License-Identifier: MIT
#include "lib/evidence/printable.h"

#include "tests/unit/unit.h"

#include <stdlib.h>

static void shows_size(struct span words, const char *wanted)
{
    OWNED(printable) shown = printable_of(words);
    if (strcmp(shown->text, wanted) != 0)
        fprintf(stderr, "  shown: %s\n", shown->text);
    CU_ASSERT_STRING_EQUAL(shown->text, wanted);
}

static void shows(const char *words, const char *wanted)
{
    shows_size(span_of_text(words), wanted);
}

static void test_plain_words_of_any_script_stay_as_they_are(void)
{
    shows("", "");
    shows("Alcaldía de Medellín, 100 % ñ", "Alcaldía de Medellín, 100 % ñ");
    shows("日本 \U0001f600", "日本 \U0001f600");
}

static void test_what_drives_a_terminal_is_escaped(void)
{
    shows("\x1b[2J\x1b]0;x\x07", "\\x1b[2J\\x1b]0;x\\x07");
    shows("a\nb\r\tc\x7f", "a\\x0ab\\x0d\\x09c\\x7f");
    shows_size(span_of("a\0b", 3), "a\\x00b");
    shows("\xc2\x9b"
          "31m",
          "\\xc2\\x9b31m"); /* CSI as one character */
}

static void test_what_reorders_or_hides_a_line_is_escaped(void)
{
    shows("x\u202ecba", "x\\xe2\\x80\\xaecba");
    shows("\u2066\u200b\ufeff\u2028",
          "\\xe2\\x81\\xa6\\xe2\\x80\\x8b\\xef\\xbb\\xbf\\xe2\\x80\\xa8");
    shows("\U000e0041", "\\xf3\\xa0\\x81\\x81");
}

static void test_bytes_that_are_no_text_are_escaped(void)
{
    shows("\xff\xfe", "\\xff\\xfe");
    shows("caf\xe9", "caf\\xe9");
    shows("\xc0\x8a", "\\xc0\\x8a");          /* an overlong newline */
    shows("\xed\xa0\x80", "\\xed\\xa0\\x80"); /* half a surrogate pair */
    shows("\xe2\x80", "\\xe2\\x80");          /* cut in the middle */
    shows("\xe2\x80\n", "\\xe2\\x80\\x0a");
}

static void test_what_is_shown_stands_for_one_text_only(void)
{
    shows("\\x1b", "\\\\x1b");
    shows("\\", "\\\\");
}

static void test_no_line_of_a_long_text_can_pass_for_one_of_ours(void)
{
    char *written = NULL;
    size_t size = 0;
    FILE *out = open_memstream(&written, &size);
    printable_put_lines(out, "  | ", span_of_text("one\n\nentry 7 of x\n\x1bthree"));
    fclose(out);
    CU_ASSERT_STRING_EQUAL(written, "  | one\n  | \n  | entry 7 of x\n  | \\x1bthree\n");
    free(written);
}

SUITE(printable, TEST(test_plain_words_of_any_script_stay_as_they_are),
      TEST(test_what_drives_a_terminal_is_escaped),
      TEST(test_what_reorders_or_hides_a_line_is_escaped),
      TEST(test_bytes_that_are_no_text_are_escaped),
      TEST(test_what_is_shown_stands_for_one_text_only),
      TEST(test_no_line_of_a_long_text_can_pass_for_one_of_ours))
