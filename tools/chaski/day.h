// SPDX-License-Identifier: MIT
/*
 * day - a day as people write it on the command line, YYYY-MM-DD.
 */
#ifndef TOOLS_CHASKI_DAY_H
#define TOOLS_CHASKI_DAY_H

#include "lib/base/fault.h"

#include <stdint.h>

/* The end of that day, UTC, ms since 1970. BAD_REQUEST for what is no day. */
fault day_end_ms(const char *text, int64_t *out);

#endif
