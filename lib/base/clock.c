// SPDX-License-Identifier: MIT
#include "lib/base/clock.h"

#include <assert.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <time.h>

/* Atomic because a test may move time while an actor thread reads it. */
static atomic_bool standing;
static _Atomic int64_t standing_wall_ms;
static _Atomic int64_t standing_steady_us;

static struct timespec ask(clockid_t which)
{
    struct timespec now;
    int answer = clock_gettime(which, &now);
    assert(answer == 0);
    return now;
}

int64_t clock_wall_ms(void)
{
    if (atomic_load_explicit(&standing, memory_order_relaxed))
        return standing_wall_ms;
    struct timespec now = ask(CLOCK_REALTIME);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

int64_t clock_steady_us(void)
{
    if (atomic_load_explicit(&standing, memory_order_relaxed))
        return standing_steady_us;
    struct timespec now = ask(CLOCK_MONOTONIC);
    return (int64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000;
}

void clock_text(int64_t wall_ms, char *out, size_t room)
{
    assert(room >= 25);
    int64_t milliseconds = wall_ms % 1000;
    if (milliseconds < 0) /* before 1970 the remainder is negative, the second is one earlier */
        milliseconds += 1000;
    time_t seconds = (time_t)((wall_ms - milliseconds) / 1000);
    struct tm parts;
    if (gmtime_r(&seconds, &parts) == NULL || parts.tm_year < -1900 || parts.tm_year > 8099) {
        snprintf(out, room, "0000-00-00T00:00:00.000Z");
        return;
    }
    /* unsigned and reduced, so that the compiler sees that 24 characters are enough */
    snprintf(out, room, "%04u-%02u-%02uT%02u:%02u:%02u.%03uZ",
             (unsigned)(parts.tm_year + 1900) % 10000, (unsigned)(parts.tm_mon + 1) % 100,
             (unsigned)parts.tm_mday % 100, (unsigned)parts.tm_hour % 100,
             (unsigned)parts.tm_min % 100, (unsigned)parts.tm_sec % 100,
             (unsigned)milliseconds % 1000);
}

void clock_set_for_test(int64_t wall_ms, int64_t steady_us)
{
    standing_wall_ms = wall_ms;
    standing_steady_us = steady_us;
    standing = steady_us >= 0;
}

void clock_advance_for_test(int64_t ms)
{
    standing_wall_ms += ms;
    standing_steady_us += ms * 1000;
}
