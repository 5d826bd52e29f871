// SPDX-License-Identifier: MIT
#include "gateway/budget.h"

#include "tests/unit/unit.h"

#include <stdint.h>

static void test_one_use_can_take_half(void)
{
    struct budget budget = {.most = 400};
    CU_ASSERT(!budget_take(&budget, BUDGET_REQUESTS, 201));
    CU_ASSERT(budget_take(&budget, BUDGET_REQUESTS, 200));
    CU_ASSERT(!budget_take(&budget, BUDGET_REQUESTS, 1));
    CU_ASSERT_EQUAL(budget_held(&budget), 200);
}

static void test_a_quarter_is_always_left_for_each_use(void)
{
    struct budget budget = {.most = 400};
    CU_ASSERT(budget_take(&budget, BUDGET_REQUESTS, 200));
    CU_ASSERT(budget_take(&budget, BUDGET_ANSWERS, 100));
    CU_ASSERT(!budget_take(&budget, BUDGET_ANSWERS, 1));
    CU_ASSERT(budget_take(&budget, BUDGET_SERVICES, 100));
    CU_ASSERT(!budget_take(&budget, BUDGET_SERVICES, 1));
    CU_ASSERT_EQUAL(budget_held(&budget), 400);
}

static void test_what_is_given_back_can_be_taken_again(void)
{
    struct budget budget = {.most = 400};
    CU_ASSERT(budget_take(&budget, BUDGET_SERVICES, 200));
    budget_give(&budget, BUDGET_SERVICES, 150);
    CU_ASSERT(budget_has_room(&budget, BUDGET_ANSWERS, 200));
    CU_ASSERT(budget_take(&budget, BUDGET_ANSWERS, 200));
    budget_give(&budget, BUDGET_ANSWERS, 200);
    budget_give(&budget, BUDGET_SERVICES, 50);
    CU_ASSERT_EQUAL(budget_held(&budget), 0);
}

static void test_sizes_beyond_all_bounds_have_no_room(void)
{
    struct budget budget = {.most = 400};
    CU_ASSERT(!budget_take(&budget, BUDGET_REQUESTS, SIZE_MAX));
    CU_ASSERT(budget_take(&budget, BUDGET_REQUESTS, 1));
    CU_ASSERT(!budget_take(&budget, BUDGET_REQUESTS, SIZE_MAX));
}

SUITE(budget, TEST(test_one_use_can_take_half), TEST(test_a_quarter_is_always_left_for_each_use),
      TEST(test_what_is_given_back_can_be_taken_again),
      TEST(test_sizes_beyond_all_bounds_have_no_room))
