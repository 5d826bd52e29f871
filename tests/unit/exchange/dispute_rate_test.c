// SPDX-License-Identifier: MIT
#include "security-server/exchange/dispute_rate.h"

#include "lib/base/clock.h"
#include "lib/bus/limits.h"
#include "tests/unit/unit.h"

static void test_the_first_head_is_told_of_at_once(void)
{
    struct dispute_rate rate = {0};
    clock_set_for_test(1790000000000, 5000);
    CU_ASSERT(dispute_rate_is_open(&rate));
    dispute_rate_tell(&rate);
    CU_ASSERT(!dispute_rate_is_open(&rate));
    CU_ASSERT(dispute_rate_take(&rate) == 0);
    clock_set_for_test(0, -1);
}

static void test_what_comes_meanwhile_is_told_of_together(void)
{
    struct dispute_rate rate = {0};
    clock_set_for_test(1790000000000, 5000);
    dispute_rate_tell(&rate);
    for (int i = 0; i < 30; i++)
        dispute_rate_owe(&rate);
    clock_advance_for_test(CONFLICT_TELL_MS - 1);
    CU_ASSERT(dispute_rate_take(&rate) == 0);
    clock_advance_for_test(1);
    CU_ASSERT(!dispute_rate_is_open(&rate)); /* what is owed comes first */
    CU_ASSERT(dispute_rate_take(&rate) == 30);
    CU_ASSERT(dispute_rate_take(&rate) == 0);
    CU_ASSERT(!dispute_rate_is_open(&rate));
    clock_set_for_test(0, -1);
}

static void test_after_a_quiet_time_one_is_told_of_by_itself_again(void)
{
    struct dispute_rate rate = {0};
    clock_set_for_test(1790000000000, 5000);
    dispute_rate_tell(&rate);
    clock_advance_for_test(CONFLICT_TELL_MS);
    CU_ASSERT(dispute_rate_is_open(&rate));
    clock_set_for_test(0, -1);
}

SUITE(dispute_rate, TEST(test_the_first_head_is_told_of_at_once),
      TEST(test_what_comes_meanwhile_is_told_of_together),
      TEST(test_after_a_quiet_time_one_is_told_of_by_itself_again))
