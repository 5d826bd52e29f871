// SPDX-License-Identifier: MIT
#include "gateway/subject_years.h"

#include "tests/unit/unit.h"

#include <stdlib.h>

static const struct front_year known[] = {
    {2021, FRONT_YEAR_HELD}, {2025, FRONT_YEAR_HELD},      {2020, FRONT_YEAR_HELD},
    {2022, FRONT_YEAR_HELD}, {2024, FRONT_YEAR_DESTROYED}, {2026, FRONT_YEAR_HELD},
    {2023, FRONT_YEAR_HELD}, {1999, FRONT_YEAR_HELD},
};

static struct front_servers page_of(const struct front_year *year, size_t years)
{
    return (struct front_servers){.year = year, .years = years};
}

static char *told(const struct subject_cover *cover)
{
    json_t *json = subject_years_json(cover);
    char *text = json_dumps(json, JSON_COMPACT);
    json_decref(json);
    return text;
}

static void is_told(const struct subject_cover *cover, const char *expected)
{
    char *text = told(cover);
    CU_ASSERT_STRING_EQUAL(text, expected);
    free(text);
}

static struct subject_question by_number(void)
{
    struct subject_question question = {.person = "CC 1020304050", .tokens = 1};
    return question;
}

static void test_without_years_all_are_meant_the_newest_first(void)
{
    struct front_servers page = page_of(known, sizeof known / sizeof known[0]);
    struct subject_question question = by_number();
    struct subject_cover cover;
    MUST(subject_years_choose(&question, &page, &cover));
    CU_ASSERT_EQUAL(question.tokens, SUBJECT_VIEW_YEARS_MAX);
    CU_ASSERT_EQUAL(question.token[0].year, 2026);
    CU_ASSERT_EQUAL(question.token[3].year, 2022);
    CU_ASSERT_FALSE(cover.whole); /* two more could be looked through */
    is_told(&cover, "{\"covered\":[2026,2025,2023,2022],\"not_covered\":["
                    "{\"year\":2024,\"why\":\"destroyed\"},"
                    "{\"year\":2021,\"why\":\"too-many-years\"},"
                    "{\"year\":2020,\"why\":\"too-many-years\"}]}");
}

static void test_a_destroyed_year_is_told_and_makes_nothing_incomplete(void)
{
    struct front_year two[] = {{2024, FRONT_YEAR_DESTROYED}, {2026, FRONT_YEAR_HELD}};
    struct front_servers page = page_of(two, 2);
    struct subject_question question = by_number();
    struct subject_cover cover;
    MUST(subject_years_choose(&question, &page, &cover));
    CU_ASSERT(cover.whole);
    is_told(&cover, "{\"covered\":[2026],\"not_covered\":[{\"year\":2024,\"why\":\"destroyed\"}]}");
    two[0].state = FRONT_YEAR_MISSING;
    question = by_number();
    MUST(subject_years_choose(&question, &page, &cover));
    CU_ASSERT_FALSE(cover.whole);
    is_told(&cover,
            "{\"covered\":[2026],\"not_covered\":[{\"year\":2024,\"why\":\"key-not-here\"}]}");
}

static void test_years_that_are_named_are_asked_for_but_destroyed_ones(void)
{
    struct front_servers page = page_of(known, 6);
    struct subject_question question = by_number();
    struct subject_cover cover;
    question.tokens = 2;
    question.token[0].year = 2024;
    question.token[1].year = 2021;
    MUST(subject_years_choose(&question, &page, &cover));
    CU_ASSERT_EQUAL(question.tokens, 1);
    CU_ASSERT_EQUAL(question.token[0].year, 2021);
    CU_ASSERT(cover.whole);
    question.tokens = 1;
    question.token[0].year = 2024;
    MUST_FAIL(SUBJECT_KEY_MISSING, subject_years_choose(&question, &page, &cover));
}

/* A pseudonym that somebody kept is looked for, whatever became of the key. */
static void test_pseudonyms_stay_as_they_are(void)
{
    struct front_servers page = page_of(known, 6);
    struct subject_question question = {.tokens = 1, .token = {{.year = 2024}}};
    struct subject_cover cover;
    MUST(subject_years_choose(&question, &page, &cover));
    CU_ASSERT_EQUAL(question.tokens, 1);
    char *text = told(&cover);
    CU_ASSERT_PTR_NOT_NULL(strstr(text, "\"covered\":[2024]"));
    free(text);
}

static void test_where_there_is_no_key_the_question_stays(void)
{
    struct front_servers page = page_of(known, 0);
    struct subject_question question = by_number();
    struct subject_cover cover;
    MUST(subject_years_choose(&question, &page, &cover));
    CU_ASSERT_EQUAL(question.tokens, 1);
    CU_ASSERT_EQUAL(question.token[0].year, 0);
}

SUITE(subject_years, TEST(test_without_years_all_are_meant_the_newest_first),
      TEST(test_a_destroyed_year_is_told_and_makes_nothing_incomplete),
      TEST(test_years_that_are_named_are_asked_for_but_destroyed_ones),
      TEST(test_pseudonyms_stay_as_they_are), TEST(test_where_there_is_no_key_the_question_stays))
