// SPDX-License-Identifier: MIT
#include "registry/colombian_holidays.h"

#include "lib/bus/working_days.h"

#include <stdlib.h>

struct fixed {
    unsigned month, day;
};

static const struct fixed never_moved[] = {{1, 1}, {5, 1}, {7, 20}, {8, 7}, {12, 8}, {12, 25}};
static const struct fixed moved[] = {{1, 6},   {3, 19}, {6, 29}, {8, 15},
                                     {10, 12}, {11, 1}, {11, 11}};
/* Thursday and Friday before Easter; Ascension, Corpus Christi and the Sacred Heart, each on the
 * Monday after its day. */
static const int from_easter[] = {-3, -2, 43, 64, 71};

#define EACH(i, of) (size_t i = 0; i < sizeof(of) / sizeof(of)[0]; i++)

/* Meeus, Jones and Butcher: the Sunday after the first full moon of spring. */
static int64_t easter(unsigned year)
{
    unsigned a = year % 19, b = year / 100, c = year % 100;
    unsigned d = b / 4, e = b % 4, f = (b + 8) / 25, g = (b - f + 1) / 3;
    unsigned h = (19 * a + b - d - g + 15) % 30;
    unsigned i = c / 4, k = c % 4, l = (32 + 2 * e + 2 * i - h - k) % 7;
    unsigned m = (a + 11 * h + 22 * l) / 451;
    unsigned n = h + l - 7 * m + 114;
    return working_days_of_date((int)year, n / 31, n % 31 + 1);
}

/* The day itself when it is a Monday. */
static int64_t monday_from(int64_t day)
{
    return day + (8 - (int64_t)working_days_weekday(day)) % 7;
}

static int compare_dates(const void *left, const void *right)
{
    const uint32_t *a = left, *b = right;
    return (*a > *b) - (*a < *b);
}

size_t colombian_holidays(unsigned year, uint32_t out[COLOMBIAN_HOLIDAYS])
{
    size_t count = 0, kept = 0;
    int64_t sunday = easter(year);
    for
        EACH(i, never_moved)
    out[count++] = working_days_date(
        working_days_of_date((int)year, never_moved[i].month, never_moved[i].day));
    for
        EACH(i, moved)
    out[count++] = working_days_date(
        monday_from(working_days_of_date((int)year, moved[i].month, moved[i].day)));
    for
        EACH(i, from_easter)
    out[count++] = working_days_date(sunday + from_easter[i]);
    qsort(out, count, sizeof out[0], compare_dates);
    for (size_t i = 0; i < count; i++)
        if (i == 0 || out[i] != out[i - 1])
            out[kept++] = out[i];
    return kept;
}
