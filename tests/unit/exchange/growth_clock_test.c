// SPDX-License-Identifier: MIT
#include "security-server/exchange/growth_clock.h"

#include "lib/bus/limits.h"
#include "tests/unit/unit.h"

#define DAY_MS 86400000LL
#define QUARTER_MS 900000LL

static void begin(struct growth_clock *clock)
{
    growth_clock_begin(clock, 10, 10, 1000, 1000, DAY_MS);
}

static void test_a_log_that_rests_waits_for_nothing(void)
{
    struct growth_clock clock;
    begin(&clock);
    growth_clock_grew(&clock, 10, 10, 1000 + DAY_MS);
    CU_ASSERT_EQUAL(growth_clock_waiting_ms(&clock, 1000 + DAY_MS), 0);
    CU_ASSERT(!growth_clock_alarms(&clock, 1000 + DAY_MS, QUARTER_MS));
}

static void test_it_counts_from_the_first_growth(void)
{
    struct growth_clock clock;
    begin(&clock);
    growth_clock_grew(&clock, 11, 11, 5000);
    growth_clock_grew(&clock, 900, 900, 9000);
    CU_ASSERT_EQUAL(growth_clock_waiting_ms(&clock, 15000), 10000);
}

static void test_what_grew_after_the_head_that_was_confirmed_goes_on_waiting(void)
{
    struct growth_clock clock;
    begin(&clock);
    growth_clock_grew(&clock, 20, 20, 5000);
    growth_clock_grew(&clock, 30, 30, 7000);
    growth_clock_confirm(&clock, 20);
    CU_ASSERT_EQUAL(growth_clock_waiting_ms(&clock, 9000), 2000);
    growth_clock_confirm(&clock, 15);
    CU_ASSERT_EQUAL(growth_clock_waiting_ms(&clock, 9000), 2000);
    growth_clock_confirm(&clock, 30);
    CU_ASSERT_EQUAL(growth_clock_waiting_ms(&clock, 9000), 0);
}

/* Old heads that are confirmed again and again must not keep the alarm away. */
static void test_confirmations_that_fall_behind_are_noticed(void)
{
    struct growth_clock clock;
    begin(&clock);
    for (int64_t s = 1; s <= 7200; s++) {
        growth_clock_grew(&clock, 10 + (uint64_t)s, 10 + (uint64_t)s, s * 1000);
        growth_clock_confirm(&clock, 10 + (uint64_t)s / 2);
    }
    int64_t waited_ms = growth_clock_waiting_ms(&clock, 7200000);
    CU_ASSERT(waited_ms <= 3600000);
    CU_ASSERT(waited_ms >= 3600000 - 3600000 / 8);
}

static void test_the_oldest_mark_outlives_any_number_of_later_ones(void)
{
    struct growth_clock clock;
    begin(&clock);
    for (int64_t s = 1; s <= 100000; s++)
        growth_clock_grew(&clock, 10 + (uint64_t)s, 10 + (uint64_t)s, s * 1000);
    CU_ASSERT_EQUAL(growth_clock_waiting_ms(&clock, 100000000), 100000000 - 1000);
}

static void test_a_stamp_of_ours_waits_for_the_heartbeat(void)
{
    struct growth_clock clock;
    begin(&clock);
    growth_clock_grew(&clock, 11, 10, 5000);
    CU_ASSERT_EQUAL(growth_clock_waiting_ms(&clock, 5000 + HEARTBEAT_MS), 0);
    CU_ASSERT_EQUAL(growth_clock_waiting_ms(&clock, 5000 + HEARTBEAT_MS + 700), 700);
    growth_clock_grew(&clock, 12, 12, 6000);
    CU_ASSERT_EQUAL(growth_clock_waiting_ms(&clock, 7000), 1000);
}

static void test_a_new_log_has_all_its_time(void)
{
    struct growth_clock clock;
    growth_clock_begin(&clock, 0, 1, 1000, 1000, DAY_MS);
    CU_ASSERT(!growth_clock_alarms(&clock, 1000 + QUARTER_MS - 1, QUARTER_MS));
    CU_ASSERT(growth_clock_alarms(&clock, 1000 + QUARTER_MS, QUARTER_MS));
    CU_ASSERT(growth_clock_waiting_ms(&clock, 1000 + DAY_MS - 1) < DAY_MS);
    CU_ASSERT(growth_clock_waiting_ms(&clock, 1000 + DAY_MS) >= DAY_MS);
}

static void test_a_restart_does_not_set_the_clock_back(void)
{
    struct growth_clock clock;
    growth_clock_begin(&clock, 10, 20, 50 * DAY_MS - 20 * 3600000, 50 * DAY_MS, DAY_MS);
    CU_ASSERT_EQUAL(growth_clock_waiting_ms(&clock, 50 * DAY_MS), 20 * 3600000);
}

static void test_after_a_long_rest_there_is_time_for_an_answer(void)
{
    struct growth_clock clock;
    int64_t now_ms = 50 * DAY_MS;
    growth_clock_begin(&clock, 10, 20, 0, now_ms, DAY_MS);
    CU_ASSERT(!growth_clock_alarms(&clock, now_ms + 1000, QUARTER_MS));
    CU_ASSERT_EQUAL(growth_clock_waiting_ms(&clock, now_ms), DAY_MS - GROWTH_GRACE_MS);
    CU_ASSERT(growth_clock_alarms(&clock, now_ms + GROWTH_GRACE_MS, QUARTER_MS));
}

static void test_an_alarm_is_repeated_after_its_interval_only(void)
{
    struct growth_clock clock;
    begin(&clock);
    growth_clock_grew(&clock, 11, 11, 2000);
    CU_ASSERT(growth_clock_alarms(&clock, 2000 + QUARTER_MS, QUARTER_MS));
    CU_ASSERT(!growth_clock_alarms(&clock, 2001 + QUARTER_MS, QUARTER_MS));
    CU_ASSERT(growth_clock_alarms(&clock, 2000 + 2 * QUARTER_MS, QUARTER_MS));
}

SUITE(growth_clock, TEST(test_a_log_that_rests_waits_for_nothing),
      TEST(test_it_counts_from_the_first_growth),
      TEST(test_what_grew_after_the_head_that_was_confirmed_goes_on_waiting),
      TEST(test_confirmations_that_fall_behind_are_noticed),
      TEST(test_the_oldest_mark_outlives_any_number_of_later_ones),
      TEST(test_a_stamp_of_ours_waits_for_the_heartbeat), TEST(test_a_new_log_has_all_its_time),
      TEST(test_a_restart_does_not_set_the_clock_back),
      TEST(test_after_a_long_rest_there_is_time_for_an_answer),
      TEST(test_an_alarm_is_repeated_after_its_interval_only));
