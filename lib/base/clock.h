// SPDX-License-Identifier: MIT
/*
 * clock - wall time and steady time, the only place that asks the system. Tests may set both.
 */
#ifndef BASE_CLOCK_H
#define BASE_CLOCK_H

#include <stddef.h>
#include <stdint.h>

int64_t clock_wall_ms(void);   /* since 1970 UTC */
int64_t clock_steady_us(void); /* never goes back; for waits and durations */
static inline int64_t clock_steady_ms(void)
{
    return clock_steady_us() / 1000;
}
/* "2026-11-21T04:05:06.789Z" and NUL; room at least 25. Years 0 to 9999. */
void clock_text(int64_t wall_ms, char *out, size_t room);

/* For tests: both clocks stand still at these readings and move only by clock_advance_for_test.
 * With steady_us < 0 both follow the system again. */
void clock_set_for_test(int64_t wall_ms, int64_t steady_us);
void clock_advance_for_test(int64_t ms);

#endif
