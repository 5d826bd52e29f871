// SPDX-License-Identifier: MIT
#include "lib/bus/notice.h"

#include "tests/unit/unit.h"

#define DAY_MS INT64_C(86400000)
#define FROM_MS (1000 * DAY_MS)
#define UNTIL_MS (FROM_MS + 365 * DAY_MS)

static void test_a_restriction_is_told_of_60_30_and_7_days_before_its_end_and_then(void)
{
    const struct directory_restriction restriction = {
        .id = "R-1", .from_ms = FROM_MS, .until_ms = UNTIL_MS};
    static const struct {
        int64_t left_ms; /* until its end */
        const char *name;
        int64_t since_ms; /* before its end */
    } table[] = {{366 * DAY_MS, NULL, 0},
                 {60 * DAY_MS + 1, NULL, 0},
                 {60 * DAY_MS, "restriction/ends-in-60-days R-1", 60 * DAY_MS},
                 {30 * DAY_MS + 1, "restriction/ends-in-60-days R-1", 60 * DAY_MS},
                 {30 * DAY_MS, "restriction/ends-in-30-days R-1", 30 * DAY_MS},
                 {7 * DAY_MS, "restriction/ends-in-7-days R-1", 7 * DAY_MS},
                 {1, "restriction/ends-in-7-days R-1", 7 * DAY_MS},
                 {0, "restriction/ended R-1", 0},
                 {1 - NOTICE_NEWS_MS, "restriction/ended R-1", 0},
                 {-NOTICE_NEWS_MS, NULL, 0}};
    for (size_t i = 0; i < sizeof table / sizeof table[0]; i++) {
        struct notice notice = {.name = ""};
        bool said = notice_of_restriction(&restriction, UNTIL_MS - table[i].left_ms, &notice);
        int64_t next_ms = notice_next_ms(&restriction, UNTIL_MS - table[i].left_ms);
        CU_ASSERT(next_ms > UNTIL_MS - table[i].left_ms);
        CU_ASSERT_EQUAL(next_ms == INT64_MAX, table[i].left_ms <= 0);
        CU_ASSERT_EQUAL(said, table[i].name != NULL);
        if (!said)
            continue;
        CU_ASSERT_STRING_EQUAL(notice.name, table[i].name);
        CU_ASSERT_EQUAL(notice.since_ms, UNTIL_MS - table[i].since_ms);
        CU_ASSERT_EQUAL(notice_is_of_an_end(&notice), table[i].left_ms <= 0);
    }
}

/* One that is for two weeks is told of from its beginning on. */
static void test_what_is_short_is_told_of_at_once(void)
{
    const struct directory_restriction restriction = {
        .id = "R-1", .from_ms = FROM_MS, .until_ms = FROM_MS + 14 * DAY_MS};
    struct notice notice;
    CU_ASSERT_FALSE(notice_of_restriction(&restriction, FROM_MS - 1, &notice));
    CU_ASSERT(notice_of_restriction(&restriction, FROM_MS, &notice));
    CU_ASSERT_STRING_EQUAL(notice.name, "restriction/ends-in-30-days R-1");
    CU_ASSERT_EQUAL(notice.since_ms, FROM_MS);
}

static void test_an_emergency_owes_its_review(void)
{
    struct directory_break_glass glass = {.id = "E-1", .until_ms = UNTIL_MS, .review = ""};
    struct notice notice;
    CU_ASSERT_FALSE(notice_of_break_glass(&glass, UNTIL_MS - 1, &notice));
    CU_ASSERT(notice_of_break_glass(&glass, UNTIL_MS, &notice));
    CU_ASSERT_STRING_EQUAL(notice.name, "break-glass/review-due E-1");
    glass.ended_ms = UNTIL_MS - DAY_MS;
    CU_ASSERT(notice_of_break_glass(&glass, UNTIL_MS - 1, &notice));
    CU_ASSERT(notice_of_break_glass(&glass, UNTIL_MS + 7 * DAY_MS, &notice));
    CU_ASSERT_STRING_EQUAL(notice.name, "break-glass/review-overdue E-1");
    glass.review = "Con razón";
    CU_ASSERT_FALSE(notice_of_break_glass(&glass, UNTIL_MS + 7 * DAY_MS, &notice));
}

SUITE(notice, TEST(test_a_restriction_is_told_of_60_30_and_7_days_before_its_end_and_then),
      TEST(test_what_is_short_is_told_of_at_once), TEST(test_an_emergency_owes_its_review))
