// SPDX-License-Identifier: MIT
#include "lib/base/day.h"

#include "tests/unit/unit.h"

static void test_a_day_is_read_and_begins_at_midnight(void)
{
    int year = 0, month = 0, day = 0;
    MUST(day_read("2026-11-21", &year, &month, &day));
    CU_ASSERT_EQUAL(year, 2026);
    CU_ASSERT_EQUAL(month, 11);
    CU_ASSERT_EQUAL(day, 21);
    CU_ASSERT_EQUAL(day_midnight_ms(2026, 11, 21), INT64_C(1795219200000)); /* date -ud ... +%s */
    MUST(day_read("2028-02-29", &year, &month, &day));
}

static void test_what_is_no_day_is_refused(void)
{
    static const char *const bad[] = {"",           "hoy",         "2026-02-30", "2027-02-29",
                                      "2026-13-01", "2026-1-1",    "26-01-01",   "2026-01-01 ",
                                      "2026-01-1x", " 2026-01-01", "2026/01/01", "2026-00-10",
                                      "2026-01-00", "2026-01--1",  "+026-01-01"};
    int year, month, day;
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        MUST_FAIL(REFUSED, day_read(bad[i], &year, &month, &day));
}

SUITE(day, TEST(test_a_day_is_read_and_begins_at_midnight), TEST(test_what_is_no_day_is_refused))
