// SPDX-License-Identifier: MIT
#include "security-server/exchange/fair_rate.h"

#include "lib/bus/limits.h"
#include "tests/unit/unit.h"

#include <stdio.h>

#define SECOND INT64_C(1000000)

static struct span named(const char *name)
{
    return span_of_text(name);
}

static void test_a_burst_is_served_and_then_the_rate(void)
{
    OWNED(fair_rate) rate = fair_rate_new();
    struct fair_limit limit = {10, 5};
    int64_t now = 77 * SECOND;
    for (int i = 0; i < 5; i++)
        CU_ASSERT_EQUAL(fair_rate_take(rate, limit, named("a"), now), 0);
    CU_ASSERT_EQUAL(fair_rate_take(rate, limit, named("a"), now), SECOND / 10);
    CU_ASSERT(fair_rate_take(rate, limit, named("a"), now + SECOND / 10 - 1) > 0);
    CU_ASSERT_EQUAL(fair_rate_take(rate, limit, named("a"), now + SECOND / 10), 0);
    int served = 0; /* and never more than that, however often it asks */
    for (int64_t at = now + SECOND; at < now + 11 * SECOND; at += 1000)
        served += fair_rate_take(rate, limit, named("a"), at) == 0;
    CU_ASSERT(served >= 100 && served <= 105);
}

/* One asks a hundred times as often as the service takes, another twice a second. */
static void test_who_asks_without_end_takes_nothing_from_the_others(void)
{
    OWNED(fair_rate) rate = fair_rate_new();
    struct fair_limit limit = {10, 10};
    int greedy = 0, modest = 0, asked = 0;
    for (int64_t at = SECOND; at < 61 * SECOND; at += 1000) {
        greedy += fair_rate_take(rate, limit, named("greedy"), at) == 0;
        if (at % (SECOND / 2) == 0) {
            asked++;
            modest += fair_rate_take(rate, limit, named("modest"), at) == 0;
        }
    }
    CU_ASSERT_EQUAL(modest, asked);
    CU_ASSERT(greedy > 60 * 10 - asked - 20); /* all that is left is the other's */
    CU_ASSERT(greedy <= 60 * 10 - asked + 10);
}

static void test_two_that_ask_without_end_get_half_each(void)
{
    OWNED(fair_rate) rate = fair_rate_new();
    struct fair_limit limit = {20, 0};
    int first = 0, second = 0;
    for (int64_t at = SECOND; at < 101 * SECOND; at += 1000) {
        first += fair_rate_take(rate, limit, named("first"), at) == 0;
        second += fair_rate_take(rate, limit, named("second"), at) == 0;
    }
    CU_ASSERT(first + second <= 2020);
    CU_ASSERT(first + second >= 1980);
    CU_ASSERT(second > 900);
    CU_ASSERT(first > 900);
}

static void test_without_a_rate_there_is_no_limit(void)
{
    OWNED(fair_rate) rate = fair_rate_new();
    for (int i = 0; i < 1000; i++)
        CU_ASSERT_EQUAL(fair_rate_take(rate, (struct fair_limit){0, 0}, named("a"), SECOND), 0);
}

static void test_what_is_remembered_has_a_bound(void)
{
    OWNED(fair_rate) rate = fair_rate_new();
    struct fair_limit limit = {1000, 1000};
    char name[16];
    for (int i = 0; i < 2 * FAIR_MEMBERS_MAX; i++) {
        snprintf(name, sizeof name, "m-%d", i);
        CU_ASSERT_EQUAL(fair_rate_take(rate, limit, named(name), SECOND + i), 0);
    }
    /* a clock that does not move, or goes back, gives nothing */
    for (int i = 0; i < 2000; i++)
        fair_rate_take(rate, limit, named("m-511"), SECOND);
    CU_ASSERT(fair_rate_take(rate, limit, named("m-511"), SECOND) > 0);
}

SUITE(fair_rate, TEST(test_a_burst_is_served_and_then_the_rate),
      TEST(test_who_asks_without_end_takes_nothing_from_the_others),
      TEST(test_two_that_ask_without_end_get_half_each),
      TEST(test_without_a_rate_there_is_no_limit), TEST(test_what_is_remembered_has_a_bound))
