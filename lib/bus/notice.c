// SPDX-License-Identifier: MIT
#include "lib/bus/notice.h"

#include "lib/base/text.h"

#define DAY_MS INT64_C(86400000)
#define ENDED "restriction/ended "

static bool say(struct notice *out, int64_t since_ms, const char *what, const char *id)
{
    text_format(out->name, sizeof out->name, "%s%s", what, id);
    out->since_ms = since_ms;
    return true;
}

static const struct {
    int64_t before_ms;
    const char *what;
} reminders[] = {{7 * DAY_MS, "restriction/ends-in-7-days "},
                 {30 * DAY_MS, "restriction/ends-in-30-days "},
                 {60 * DAY_MS, "restriction/ends-in-60-days "}};

#define REMINDERS (sizeof reminders / sizeof reminders[0])

bool notice_of_restriction(const struct directory_restriction *restriction, int64_t at_ms,
                           struct notice *out)
{
    if (at_ms < restriction->from_ms || at_ms >= restriction->until_ms + NOTICE_NEWS_MS)
        return false;
    if (at_ms >= restriction->until_ms)
        return say(out, restriction->until_ms, ENDED, restriction->id);
    for (size_t i = 0; i < REMINDERS; i++) {
        int64_t since_ms = restriction->until_ms - reminders[i].before_ms;
        if (at_ms >= since_ms)
            return say(out, since_ms < restriction->from_ms ? restriction->from_ms : since_ms,
                       reminders[i].what, restriction->id);
    }
    return false;
}

int64_t notice_next_ms(const struct directory_restriction *restriction, int64_t at_ms)
{
    if (at_ms < restriction->from_ms)
        return restriction->from_ms;
    for (size_t i = REMINDERS; i-- > 0;)
        if (at_ms < restriction->until_ms - reminders[i].before_ms)
            return restriction->until_ms - reminders[i].before_ms;
    return at_ms < restriction->until_ms ? restriction->until_ms : INT64_MAX;
}

bool notice_is_of_an_end(const struct notice *self)
{
    return strncmp(self->name, ENDED, strlen(ENDED)) == 0;
}

bool notice_of_request(const struct directory *directory, const struct directory_request *request,
                       int64_t at_ms, struct notice *out)
{
    struct standing standing;
    access_standing(directory, request, at_ms, &standing);
    return standing.overdue && say(out, standing.until_ms, "access/overdue ", request->id);
}

bool notice_of_break_glass(const struct directory_break_glass *glass, int64_t at_ms,
                           struct notice *out)
{
    int64_t end_ms = access_glass_end_ms(glass);
    if (at_ms < end_ms || glass->review[0] != '\0')
        return false;
    if (at_ms >= end_ms + BREAK_GLASS_REVIEW_MS)
        return say(out, end_ms + BREAK_GLASS_REVIEW_MS, "break-glass/review-overdue ", glass->id);
    return say(out, end_ms, "break-glass/review-due ", glass->id);
}
