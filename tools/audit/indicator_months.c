// SPDX-License-Identifier: MIT
#include "tools/audit/indicator_months.h"

#include "lib/base/text.h"

#include <string.h>
#include <time.h>

/* Months are counted from the year 0. */
static int64_t start_ms(int month)
{
    struct tm parts = {.tm_year = month / 12 - 1900, .tm_mon = month % 12, .tm_mday = 1};
    return (int64_t)timegm(&parts) * 1000;
}

static int month_at(int64_t at_ms)
{
    time_t seconds = (time_t)(at_ms / 1000);
    struct tm parts;
    gmtime_r(&seconds, &parts);
    return (parts.tm_year + 1900) * 12 + parts.tm_mon;
}

static fault read_month(const char *option, const char *word, int *out)
{
    uint64_t year = 0, month = 0;
    bool fits = strlen(word) == 7 && word[4] == '-' &&
                !failed(text_number(span_of(word, 4), 9999, &year)) &&
                !failed(text_number(span_of(word + 5, 2), 12, &month)) && year >= 1970 && month > 0;
    *out = (int)(year * 12 + month) - 1;
    return fits ? DONE
                : RAISE(BAD_REQUEST,
                        "%s: a month, such as 2026-11; a stretch that ends within one "
                        "would tell small counts",
                        option);
}

fault indicator_months_read(const char *from, const char *until, int64_t now_ms,
                            struct indicator_months *out)
{
    int first = 0, now = month_at(now_ms), last = now - 1;
    if (from == NULL)
        return RAISE(BAD_REQUEST, "--until without --from");
    TRY(read_month("--from", from, &first));
    if (until != NULL)
        TRY(read_month("--until", until, &last));
    if (first >= now || last >= now)
        return RAISE(BAD_REQUEST,
                     "%s is not over: what it says tomorrow, less what it says today, "
                     "would tell one day",
                     first >= now ? from : until);
    if (first > last || last - first >= INDICATOR_MONTHS_MAX)
        return RAISE(BAD_REQUEST, "from %s: no month, or more than %d", from, INDICATOR_MONTHS_MAX);
    out->count = 0;
    for (int month = first; month <= last; month++) {
        struct indicator_month *at = &out->month[out->count++];
        text_format(at->name, sizeof at->name, "%04d-%02d", month / 12, month % 12 + 1);
        at->from_ms = start_ms(month);
        at->until_ms = start_ms(month + 1);
    }
    return DONE;
}
