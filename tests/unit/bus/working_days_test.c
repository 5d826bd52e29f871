// SPDX-License-Identifier: MIT
#include "lib/bus/working_days.h"

#include "tests/unit/unit.h"

#define HOUR_MS INT64_C(3600000)
#define DAY_MS (24 * HOUR_MS)

static const uint32_t holidays[] = {20261208, 20261225, 20270101, 20270111};
static const struct working_calendar bogota = {
    -300, 1u << 0 | 1u << 6, 2026, 2027, sizeof holidays / sizeof holidays[0], holidays};

/* Midnight of that day in Bogotá. */
static int64_t bogota_ms(int year, unsigned month, unsigned day)
{
    return working_days_of_date(year, month, day) * DAY_MS + 5 * HOUR_MS;
}

static void test_dates_and_days_are_the_same_thing(void)
{
    CU_ASSERT_EQUAL(working_days_of_date(1970, 1, 1), 0);
    CU_ASSERT_EQUAL(working_days_of_date(2000, 3, 1), 11017);
    CU_ASSERT_EQUAL(working_days_date(0), 19700101);
    CU_ASSERT_EQUAL(working_days_date(-1), 19691231);
    for (int64_t day = -1000000 / 2; day < 1000000; day += 997) {
        uint32_t date = working_days_date(day);
        CU_ASSERT_EQUAL(working_days_of_date((int)(date / 10000), date / 100 % 100, date % 100),
                        day);
    }
    CU_ASSERT_EQUAL(working_days_weekday(0), 4);
    CU_ASSERT_EQUAL(working_days_weekday(-5), 6);
    CU_ASSERT_EQUAL(working_days_weekday(working_days_of_date(2026, 11, 21)), 6);
}

static void test_the_31st_of_february_is_no_day(void)
{
    CU_ASSERT(working_days_is_date(20280229));
    CU_ASSERT_FALSE(working_days_is_date(20270229));
    CU_ASSERT_FALSE(working_days_is_date(20260231));
    CU_ASSERT_FALSE(working_days_is_date(20261301));
    CU_ASSERT_FALSE(working_days_is_date(20260100));
    CU_ASSERT_FALSE(working_days_is_date(0));
}

static void test_weekends_and_holidays_do_not_count(void)
{
    int64_t end_ms = 0;
    /* Friday 20 November 2026, at noon: one working day ends with Monday */
    CU_ASSERT(working_days_end(&bogota, bogota_ms(2026, 11, 20) + 12 * HOUR_MS, 1, &end_ms));
    CU_ASSERT_EQUAL(end_ms, bogota_ms(2026, 11, 24));
    /* Monday 7 December: the 8th is a holiday */
    CU_ASSERT(working_days_end(&bogota, bogota_ms(2026, 12, 7), 1, &end_ms));
    CU_ASSERT_EQUAL(end_ms, bogota_ms(2026, 12, 10));
    /* ten days over Christmas, the new year and the Monday of the Kings */
    CU_ASSERT(working_days_end(&bogota, bogota_ms(2026, 12, 24), 10, &end_ms));
    CU_ASSERT_EQUAL(end_ms, bogota_ms(2027, 1, 13));
}

/* At 22:00 in Bogotá it is the next day in UTC already. */
static void test_the_day_is_that_of_the_country(void)
{
    int64_t end_ms = 0;
    CU_ASSERT(working_days_end(&bogota, bogota_ms(2026, 11, 19) + 22 * HOUR_MS, 1, &end_ms));
    CU_ASSERT_EQUAL(end_ms, bogota_ms(2026, 11, 21));
    CU_ASSERT(working_days_end(&bogota, bogota_ms(2026, 11, 20) - 1, 1, &end_ms));
    CU_ASSERT_EQUAL(end_ms, bogota_ms(2026, 11, 21));
    CU_ASSERT(working_days_end(&bogota, bogota_ms(2026, 11, 20), 1, &end_ms));
    CU_ASSERT_EQUAL(end_ms, bogota_ms(2026, 11, 24));
}

static void test_beyond_the_years_that_are_known_nothing_is_told(void)
{
    int64_t end_ms = 7;
    CU_ASSERT_FALSE(working_days_end(&bogota, bogota_ms(2027, 12, 30), 5, &end_ms));
    CU_ASSERT_FALSE(working_days_end(&bogota, bogota_ms(2025, 12, 1), 1, &end_ms));
    CU_ASSERT_EQUAL(end_ms, 7);
    const struct working_calendar idle = {0, 0x7f, 2026, 2027, 0, NULL};
    CU_ASSERT_FALSE(working_days_end(&idle, bogota_ms(2026, 1, 1), 1, &end_ms));
}

SUITE(working_days, TEST(test_dates_and_days_are_the_same_thing),
      TEST(test_the_31st_of_february_is_no_day), TEST(test_weekends_and_holidays_do_not_count),
      TEST(test_the_day_is_that_of_the_country),
      TEST(test_beyond_the_years_that_are_known_nothing_is_told))
