// SPDX-License-Identifier: MIT
/*
 * day - a day as people write it on the command line, YYYY-MM-DD, in UTC.
 */
#ifndef TOOLS_CHASKI_DAY_H
#define TOOLS_CHASKI_DAY_H

#include "lib/base/fault.h"

#include <stdint.h>

/* When it begins, and when it ends, ms since 1970. BAD_REQUEST for what is no day. */
fault day_begin_ms(const char *text, int64_t *out);
fault day_end_ms(const char *text, int64_t *out);

#endif
