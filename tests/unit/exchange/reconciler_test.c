// SPDX-License-Identifier: MIT
#include "security-server/exchange/reconciler.h"

#include "lib/bus/limits.h"
#include "tests/unit/unit.h"

#define HOUR_MS INT64_C(3600000)
#define DAY_MS (24 * HOUR_MS)
#define MIDNIGHT (INT64_C(20700) * DAY_MS)

static void test_a_nightly_run_begins_within_its_hour(void)
{
    int64_t at = MIDNIGHT + 2 * HOUR_MS;
    CU_ASSERT_EQUAL(reconciler_next_ms(MIDNIGHT, 2, 0, 0), at);
    CU_ASSERT_EQUAL(reconciler_next_ms(MIDNIGHT, 2, 0, UINT32_MAX), at + HOUR_MS);
    CU_ASSERT_EQUAL(reconciler_next_ms(at, 2, 0, 0), at + DAY_MS);
    CU_ASSERT_EQUAL(reconciler_next_ms(at + 5 * HOUR_MS, 2, 0, UINT32_MAX / 2) / HOUR_MS,
                    (at + DAY_MS) / HOUR_MS);
}

static void test_runs_in_an_interval_come_a_little_later(void)
{
    CU_ASSERT_EQUAL(reconciler_next_ms(MIDNIGHT, -1, 10000, 0), MIDNIGHT + 10000);
    CU_ASSERT_EQUAL(reconciler_next_ms(MIDNIGHT, -1, 10000, UINT32_MAX), MIDNIGHT + 11000);
    CU_ASSERT_EQUAL(reconciler_next_ms(MIDNIGHT, -1, 7 * DAY_MS, UINT32_MAX),
                    MIDNIGHT + 7 * DAY_MS + RECONCILE_JITTER_MS);
}

SUITE(reconciler, TEST(test_a_nightly_run_begins_within_its_hour),
      TEST(test_runs_in_an_interval_come_a_little_later))
