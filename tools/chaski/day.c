// SPDX-License-Identifier: MIT
#include "tools/chaski/day.h"

#include "lib/base/day.h"

#define DAY_MS INT64_C(86400000)

fault day_begin_ms(const char *text, int64_t *out)
{
    int year = 0, month = 0, day = 0;
    if (failed(day_read(text, &year, &month, &day)))
        return RAISE(BAD_REQUEST, "%s", fault_detail());
    *out = day_midnight_ms(year, month, day);
    return DONE;
}

fault day_end_ms(const char *text, int64_t *out)
{
    TRY(day_begin_ms(text, out));
    *out += DAY_MS;
    return DONE;
}
