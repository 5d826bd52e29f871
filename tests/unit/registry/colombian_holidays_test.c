// SPDX-License-Identifier: MIT
/* Against the tables that are printed in Colombian diaries. */
#include "registry/colombian_holidays.h"

#include "tests/unit/unit.h"

static void check(unsigned year, const uint32_t *table, size_t count)
{
    uint32_t made[COLOMBIAN_HOLIDAYS];
    CU_ASSERT_EQUAL_FATAL(colombian_holidays(year, made), count);
    for (size_t i = 0; i < count; i++) {
        if (made[i] != table[i])
            fprintf(stderr, "  %u, in the table %u\n", made[i], table[i]);
        CU_ASSERT_EQUAL(made[i], table[i]);
    }
}

static void test_the_holidays_of_2026(void)
{
    static const uint32_t table[] = {20260101, 20260112, 20260323, 20260402, 20260403, 20260501,
                                     20260518, 20260608, 20260615, 20260629, 20260720, 20260807,
                                     20260817, 20261012, 20261102, 20261116, 20261208, 20261225};
    check(2026, table, sizeof table / sizeof table[0]);
}

static void test_the_holidays_of_2027(void)
{
    static const uint32_t table[] = {20270101, 20270111, 20270322, 20270325, 20270326, 20270501,
                                     20270510, 20270531, 20270607, 20270705, 20270720, 20270807,
                                     20270816, 20271018, 20271101, 20271115, 20271208, 20271225};
    check(2027, table, sizeof table / sizeof table[0]);
}

/* In 2011 the Sacred Heart and Saint Peter fell on one Monday, the 4th of July. */
static void test_two_feasts_on_one_day_are_one_holiday(void)
{
    uint32_t made[COLOMBIAN_HOLIDAYS];
    CU_ASSERT_EQUAL(colombian_holidays(2011, made), COLOMBIAN_HOLIDAYS - 1);
    for (size_t i = 1; i < COLOMBIAN_HOLIDAYS - 1; i++)
        CU_ASSERT(made[i - 1] < made[i]);
}

SUITE(colombian_holidays, TEST(test_the_holidays_of_2026), TEST(test_the_holidays_of_2027),
      TEST(test_two_feasts_on_one_day_are_one_holiday))
