// SPDX-License-Identifier: MIT
#include "lib/base/event.h"
#include "lib/base/clock.h"
#include "tests/unit/unit.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static char caught[8192];
static int kept_stderr;
static int pipe_out;

/* Stderr goes into a pipe: a pipe keeps what one write brought. */
static void catch_events(void)
{
    int ends[2];
    CU_ASSERT_FATAL(pipe2(ends, O_NONBLOCK) == 0);
    kept_stderr = dup(STDERR_FILENO);
    dup2(ends[1], STDERR_FILENO);
    close(ends[1]);
    pipe_out = ends[0];
    clock_set_for_test(1795233906789, 0);
    event_setup("tester", INFO);
}

/* The lines since then. */
static const char *caught_events(void)
{
    ssize_t got = read(pipe_out, caught, sizeof caught - 1);
    caught[got < 0 ? 0 : got] = '\0';
    dup2(kept_stderr, STDERR_FILENO);
    close(kept_stderr);
    close(pipe_out);
    clock_set_for_test(0, -1);
    return caught;
}

#define HEAD(level, name)                                       \
    "{\"time\":\"2026-11-21T04:05:06.789Z\",\"level\":\"" level \
    "\",\"program\":\"tester\",\"event\":\"" name "\""

static void test_an_event_is_one_line_of_json(void)
{
    catch_events();
    EVENT(WARN, "peer.refused", E_TEXT("peer", "CO/GOV/1/a"), E_NUMBER("waited_ms", -12));
    CU_ASSERT_STRING_EQUAL(caught_events(), HEAD("warn", "peer.refused") ",\"peer\":\"CO/GOV/1/a\","
                                                                         "\"waited_ms\":-12}\n");
}

static void test_an_event_may_have_no_fields(void)
{
    catch_events();
    EVENT(ERROR, "program.stopped");
    CU_ASSERT_STRING_EQUAL(caught_events(), HEAD("error", "program.stopped") "}\n");
}

static void test_a_lower_level_is_not_shown(void)
{
    catch_events();
    EVENT(DEBUG, "nothing.seen");
    CU_ASSERT_STRING_EQUAL(caught_events(), "");
    CU_ASSERT(!event_wanted(DEBUG));
    CU_ASSERT(event_wanted(INFO));
}

static void test_quotes_and_control_characters_are_escaped(void)
{
    catch_events();
    EVENT(INFO, "e", E_TEXT("t", "a\"b\\c\nd\x01\x7f/"), E_TEXT("none", NULL));
    CU_ASSERT_STRING_EQUAL(caught_events(), HEAD("info", "e") ",\"t\":\"a\\\"b\\\\c\\u000ad\\u0001"
                                                              "\\u007f/\",\"none\":\"\"}\n");
}

static void test_what_turns_or_hides_a_line_is_escaped(void)
{
    catch_events();
    EVENT(INFO, "e", E_TEXT("t", "\u202eacilb\u00fap\u200b\U000e0041"));
    CU_ASSERT_STRING_EQUAL(caught_events(), HEAD("info", "e") ",\"t\":\"\\u202eacilb\u00fap\\u200b"
                                                              "\\udb40\\udc41\"}\n");
}

static void test_bytes_that_are_not_utf8_are_replaced(void)
{
    catch_events();
    EVENT(INFO, "e", E_TEXT("good", "\xc3\xb1\xe2\x82\xac\xf0\x9f\x98\x80"),
          E_TEXT("bad", "\xc3(\xed\xa0\x80|\xf0\x9f\x98"));
    CU_ASSERT_STRING_EQUAL(
        caught_events(),
        HEAD("info", "e") ",\"good\":\"\xc3\xb1\xe2\x82\xac\xf0\x9f\x98\x80\","
                          "\"bad\":\"\xef\xbf\xbd(\xef\xbf\xbd\xef\xbf\xbd"
                          "\xef\xbf\xbd|\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\"}\n");
}

static void test_a_fault_gives_name_sentence_and_detail(void)
{
    catch_events();
    fault f = RAISE(BAD_KEY, "file %s", "x");
    EVENT(INFO, "e", E_FAULT(f));
    const char *line = caught_events();
    CU_ASSERT_PTR_NOT_NULL(
        strstr(line, "\"fault\":\"BAD_KEY\",\"reason\":\"a key file is missing"));
    CU_ASSERT_PTR_NOT_NULL(strstr(line, "\"detail\":\"file x\"}\n"));
}

/* Whatever the length: a whole line of at most 4096 bytes that ends as JSON does. */
static void test_a_long_line_is_cut_and_says_so(void)
{
    static char text[6000];
    for (size_t size = 3900; size < 4200; size++) {
        memset(text, 'x', size);
        text[size] = '\0';
        catch_events();
        EVENT(INFO, "e", E_TEXT("t", text), E_NUMBER("n", 123456), E_TEXT("u", "\x01\x01"));
        const char *line = caught_events();
        size_t length = strlen(line);
        CU_ASSERT_FATAL(length > 3900 && length <= 4096);
        bool cut = strstr(line, ",\"cut\":true}\n") != NULL;
        bool whole = strstr(line, "\"n\":123456,\"u\":\"\\u0001\\u0001\"}\n") != NULL;
        CU_ASSERT_FATAL(cut != whole);
        CU_ASSERT_FATAL(line[length - 1] == '\n' && line[length - 2] == '}');
    }
}

SUITE(event, TEST(test_an_event_is_one_line_of_json), TEST(test_an_event_may_have_no_fields),
      TEST(test_a_lower_level_is_not_shown), TEST(test_quotes_and_control_characters_are_escaped),
      TEST(test_what_turns_or_hides_a_line_is_escaped),
      TEST(test_bytes_that_are_not_utf8_are_replaced),
      TEST(test_a_fault_gives_name_sentence_and_detail), TEST(test_a_long_line_is_cut_and_says_so))
