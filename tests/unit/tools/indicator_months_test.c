// SPDX-License-Identifier: MIT
#include "tools/audit/indicator_months.h"

#include "tests/unit/unit.h"

#define NOW_MS INT64_C(1795219200000) /* 2026-11-21 */

static void test_months_are_told_one_by_one(void)
{
    struct indicator_months months = {0};
    MUST(indicator_months_read("2025-12", "2026-02", NOW_MS, &months));
    CU_ASSERT_EQUAL_FATAL(months.count, 3);
    CU_ASSERT_STRING_EQUAL(months.month[0].name, "2025-12");
    CU_ASSERT_STRING_EQUAL(months.month[1].name, "2026-01");
    CU_ASSERT_EQUAL(months.month[0].until_ms, months.month[1].from_ms);
    CU_ASSERT_EQUAL(months.month[2].until_ms - months.month[2].from_ms, INT64_C(28) * 86400000);
    CU_ASSERT_EQUAL(months.month[1].from_ms, INT64_C(1767225600000));
}

static void test_without_an_end_the_last_month_that_is_over_is_it(void)
{
    struct indicator_months months = {0};
    MUST(indicator_months_read("2026-09", NULL, NOW_MS, &months));
    CU_ASSERT_EQUAL_FATAL(months.count, 2);
    CU_ASSERT_STRING_EQUAL(months.month[1].name, "2026-10");
}

static void test_nothing_shorter_than_a_month_that_is_over_is_told(void)
{
    static const char *const bad[][2] = {
        {"2026-11", NULL}, {"2026-10", "2026-11"}, {"2026-11-20", NULL}, {"2026-10", "2026-1"},
        {NULL, "2026-10"}, {"2026-10", "2026-09"}, {"2026-13", NULL},    {"2026-00", NULL},
        {"2026/10", NULL}, {"1980-01", "2026-10"}, {"", NULL},           {"2027-01", "2026-10"}};
    struct indicator_months months = {0};
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        MUST_FAIL(BAD_REQUEST, indicator_months_read(bad[i][0], bad[i][1], NOW_MS, &months));
}

SUITE(indicator_months, TEST(test_months_are_told_one_by_one),
      TEST(test_without_an_end_the_last_month_that_is_over_is_it),
      TEST(test_nothing_shorter_than_a_month_that_is_over_is_told))
