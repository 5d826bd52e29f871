// SPDX-License-Identifier: MIT
/*
 * working_days - when so many working days are over, by a calendar that the directory holds.
 *
 * The day on which a clock begins does not count; the last day counts whole, until midnight of the
 * calendar's own time. A pure function: nothing asks what day it is.
 */
#ifndef BUS_WORKING_DAYS_H
#define BUS_WORKING_DAYS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct working_calendar {
    int offset_minutes;  /* of the country's time from UTC; one for the whole year */
    unsigned weekend;    /* bits 1 << day, 0 Sunday ... 6 Saturday */
    unsigned first_year; /* all holidays of these years are listed, and of no others */
    unsigned last_year;
    size_t holidays;
    const uint32_t *holiday; /* YYYYMMDD, rising */
};

/* The end of the day: the first moment that is too late. false: beyond the years that are known,
 * where a holiday would be counted as a day of work. */
bool working_days_end(const struct working_calendar *calendar, int64_t from_ms, unsigned days,
                      int64_t *out_ms);

/* Days since 1970-01-01; any date of the proleptic Gregorian calendar. */
int64_t working_days_of_date(int year, unsigned month, unsigned day);
/* YYYYMMDD of a day since 1970-01-01, from the year 1 on. */
uint32_t working_days_date(int64_t day);
/* 0 Sunday ... 6 Saturday. */
unsigned working_days_weekday(int64_t day);
/* Is YYYYMMDD a day that there is? */
bool working_days_is_date(uint32_t date);

#endif
