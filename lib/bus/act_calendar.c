// SPDX-License-Identifier: MIT
/* Which days a clock counts. */
#include "lib/bus/access.h"
#include "lib/bus/directory_acts.h"

#include "directory.pb-c.h"

#define BAD(...) RAISE(DIRECTORY_BAD, __VA_ARGS__)

static fault check_days(const Chaski__CalendarSet *act)
{
    const uint32_t days[] = {act->answer_days, act->decide_days};
    for (size_t i = 0; i < 2; i++)
        if (days[i] < 1 || days[i] > ACCESS_DAYS_MAX)
            return BAD("a calendar with %u working days for an answer; 1 to %d", days[i],
                       ACCESS_DAYS_MAX);
    if (act->utc_offset_minutes < -720 || act->utc_offset_minutes > 840)
        return BAD("a calendar whose time is %d minutes from UTC", act->utc_offset_minutes);
    if (act->first_year < 1970 || act->last_year > 2049 || act->last_year < act->first_year ||
        act->last_year - act->first_year >= CALENDAR_YEARS_MAX)
        return BAD("a calendar from %u to %u; at most %d years", act->first_year, act->last_year,
                   CALENDAR_YEARS_MAX);
    return DONE;
}

static fault check_weekend(const Chaski__CalendarSet *act)
{
    for (size_t i = 0; i < act->n_weekend; i++)
        if (act->weekend[i] > 6 || (i > 0 && act->weekend[i - 1] >= act->weekend[i]))
            return BAD("the days of a weekend are 0 (Sunday) to 6, rising, each once");
    return act->n_weekend < 7 ? DONE : BAD("a week without a working day");
}

static fault check_holidays(const Chaski__CalendarSet *act)
{
    if (act->n_holiday > CALENDAR_HOLIDAYS_MAX)
        return BAD("a calendar with more than %d holidays", CALENDAR_HOLIDAYS_MAX);
    for (size_t i = 0; i < act->n_holiday; i++) {
        uint32_t date = act->holiday[i];
        if (!working_days_is_date(date) || date / 10000 < act->first_year ||
            date / 10000 > act->last_year || (i > 0 && act->holiday[i - 1] >= date))
            return BAD("the holiday %u is no day of the calendar's years, or not in rising order",
                       date);
    }
    return DONE;
}

fault act_calendar_apply(struct directory *self, const Chaski__CalendarSet *act)
{
    TRY(check_days(act));
    TRY(check_weekend(act));
    TRY(check_holidays(act));
    struct directory_calendar *calendar = directory_make(self, sizeof *calendar);
    uint32_t *holidays = directory_make(self, act->n_holiday * sizeof *holidays + 1);
    for (size_t i = 0; i < act->n_holiday; i++)
        holidays[i] = act->holiday[i];
    for (size_t i = 0; i < act->n_weekend; i++)
        calendar->days.weekend |= 1u << act->weekend[i];
    calendar->days.offset_minutes = act->utc_offset_minutes;
    calendar->days.first_year = act->first_year;
    calendar->days.last_year = act->last_year;
    calendar->days.holidays = act->n_holiday;
    calendar->days.holiday = holidays;
    calendar->answer_days = act->answer_days;
    calendar->decide_days = act->decide_days;
    self->calendar = calendar;
    return DONE;
}
