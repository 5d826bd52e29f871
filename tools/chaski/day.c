// SPDX-License-Identifier: MIT
#include "tools/chaski/day.h"

#include <string.h>
#include <time.h>

#define DAY_MS INT64_C(86400000)

/* timegm would take 31 February for the 3rd of March. */
fault day_end_ms(const char *text, int64_t *out)
{
    struct tm parts = {0}, again = {0};
    char back[16];
    const char *end = strptime(text, "%Y-%m-%d", &parts);
    time_t at = end == NULL || *end != '\0' ? -1 : timegm(&parts);
    if (at < 0 || gmtime_r(&at, &again) == NULL ||
        strftime(back, sizeof back, "%Y-%m-%d", &again) == 0 || strcmp(back, text) != 0)
        return RAISE(BAD_REQUEST, "--until is a day as YYYY-MM-DD");
    *out = (int64_t)at * 1000 + DAY_MS;
    return DONE;
}
