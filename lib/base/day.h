// SPDX-License-Identifier: MIT
/*
 * day - days of the calendar as people write them, YYYY-MM-DD, in UTC.
 */
#ifndef BASE_DAY_H
#define BASE_DAY_H

#include "lib/base/fault.h"

#include <stdint.h>

/* REFUSED for what is no day: the 31st of February. */
fault day_read(const char *text, int *year, int *month, int *day);
/* When it begins, ms since 1970. */
int64_t day_midnight_ms(int year, int month, int day);

#endif
