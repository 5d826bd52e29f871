// SPDX-License-Identifier: MIT
/*
 * indicator_months - the months that are told, each by itself.
 *
 * Counts of two stretches of time that overlap, subtracted, tell a small count that neither tells.
 * So numbers are told by whole months that are over (UTC), and months are never added up.
 */
#ifndef TOOLS_AUDIT_INDICATOR_MONTHS_H
#define TOOLS_AUDIT_INDICATOR_MONTHS_H

#include "lib/base/fault.h"

#include <stddef.h>
#include <stdint.h>

#define INDICATOR_MONTHS_MAX 240

struct indicator_month {
    char name[8];              /* "2026-11" */
    int64_t from_ms, until_ms; /* the second is the first of the next */
};

struct indicator_months {
    size_t count;
    struct indicator_month month[INDICATOR_MONTHS_MAX];
};

/* Both as 2026-11, both included; until NULL: the last that is over at now_ms. BAD_REQUEST: no
 * months, one that is not over, none at all, or too many. */
fault indicator_months_read(const char *from, const char *until, int64_t now_ms,
                            struct indicator_months *out);

#endif
