// SPDX-License-Identifier: MIT
#include "lib/base/clock.h"
#include "tests/unit/unit.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

static void test_steady_time_never_goes_back(void)
{
    int64_t before = clock_steady_us();
    for (int i = 0; i < 10000; i++) {
        int64_t now = clock_steady_us();
        CU_ASSERT_FATAL(now >= before);
        before = now;
    }
}

static void test_wall_time_is_the_systems(void)
{
    int64_t low = (int64_t)time(NULL) * 1000;
    int64_t now = clock_wall_ms();
    CU_ASSERT(now >= low - 1000 && now <= low + 5000);
}

static void must_read(int64_t wall_ms, const char *text)
{
    char out[25];
    clock_text(wall_ms, out, sizeof out);
    CU_ASSERT_STRING_EQUAL(out, text);
}

static void test_text_has_milliseconds_and_z(void)
{
    must_read(0, "1970-01-01T00:00:00.000Z");
    must_read(1795233906789, "2026-11-21T04:05:06.789Z");
    must_read(951782400001, "2000-02-29T00:00:00.001Z");
    must_read(-1, "1969-12-31T23:59:59.999Z");
    must_read(-62135596800000, "0001-01-01T00:00:00.000Z");
    must_read(INT64_MAX, "0000-00-00T00:00:00.000Z");
    must_read(INT64_MIN + 1000, "0000-00-00T00:00:00.000Z");
}

static void test_a_set_clock_stands_still_until_advanced(void)
{
    clock_set_for_test(1000, 5000);
    CU_ASSERT_EQUAL(clock_wall_ms(), 1000);
    CU_ASSERT_EQUAL(clock_steady_us(), 5000);
    clock_advance_for_test(250);
    CU_ASSERT_EQUAL(clock_wall_ms(), 1250);
    CU_ASSERT_EQUAL(clock_steady_us(), 255000);
    CU_ASSERT_EQUAL(clock_steady_ms(), 255);
    clock_set_for_test(0, -1);
    CU_ASSERT(clock_wall_ms() > 1000000);
}

SUITE(clock, TEST(test_steady_time_never_goes_back), TEST(test_wall_time_is_the_systems),
      TEST(test_text_has_milliseconds_and_z), TEST(test_a_set_clock_stands_still_until_advanced))
