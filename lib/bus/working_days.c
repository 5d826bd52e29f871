// SPDX-License-Identifier: MIT
#include "lib/bus/working_days.h"

#include <stdlib.h>

#define DAY_MS INT64_C(86400000)
#define MINUTE_MS INT64_C(60000)
#define ERA_DAYS INT64_C(146097) /* 400 years */

static int64_t floor_div(int64_t value, int64_t by)
{
    return value / by - (value % by < 0);
}

/* Years begin in March here, so that the leap day is the last one. */
int64_t working_days_of_date(int year, unsigned month, unsigned day)
{
    int64_t from_march = (int64_t)year - (month <= 2);
    int64_t era = floor_div(from_march, 400);
    int64_t of_era = from_march - era * 400;
    int64_t of_year = (153 * ((int64_t)month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1;
    return era * ERA_DAYS + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719468;
}

uint32_t working_days_date(int64_t day)
{
    int64_t from_march = day + 719468;
    int64_t era = floor_div(from_march, ERA_DAYS);
    int64_t of_era = from_march - era * ERA_DAYS;
    int64_t year = (of_era - of_era / 1460 + of_era / 36524 - of_era / 146096) / 365;
    int64_t of_year = of_era - (365 * year + year / 4 - year / 100);
    int64_t month = (5 * of_year + 2) / 153;
    int64_t date = of_year - (153 * month + 2) / 5 + 1;
    month += month < 10 ? 3 : -9;
    return (uint32_t)((year + era * 400 + (month <= 2)) * 10000 + month * 100 + date);
}

unsigned working_days_weekday(int64_t day)
{
    int64_t from_thursday = day + 4; /* 1970-01-01 was one */
    return (unsigned)(from_thursday - floor_div(from_thursday, 7) * 7);
}

bool working_days_is_date(uint32_t date)
{
    uint32_t month = date / 100 % 100, day = date % 100;
    if (month < 1 || month > 12 || day < 1 || day > 31)
        return false;
    return working_days_date(working_days_of_date((int)(date / 10000), month, day)) == date;
}

static int compare_dates(const void *left, const void *right)
{
    const uint32_t *a = left, *b = right;
    return (*a > *b) - (*a < *b);
}

static bool is_worked(const struct working_calendar *calendar, int64_t day, uint32_t date)
{
    return (calendar->weekend >> working_days_weekday(day) & 1) == 0 &&
           (calendar->holidays == 0 || bsearch(&date, calendar->holiday, calendar->holidays,
                                               sizeof date, compare_dates) == NULL);
}

bool working_days_end(const struct working_calendar *calendar, int64_t from_ms, unsigned days,
                      int64_t *out_ms)
{
    int64_t offset_ms = calendar->offset_minutes * MINUTE_MS;
    int64_t day = floor_div(from_ms + offset_ms, DAY_MS);
    while (days > 0) {
        uint32_t date = working_days_date(++day);
        if (date / 10000 < calendar->first_year || date / 10000 > calendar->last_year)
            return false; /* also ends the loop when no day is one of work */
        days -= is_worked(calendar, day, date);
    }
    *out_ms = (day + 1) * DAY_MS - offset_ms;
    return true;
}
