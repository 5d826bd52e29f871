// SPDX-License-Identifier: MIT
#include "lib/base/day.h"

#include "lib/base/clock.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

int64_t day_midnight_ms(int year, int month, int day)
{
    struct tm parts = {.tm_year = year - 1900, .tm_mon = month - 1, .tm_mday = day};
    return (int64_t)timegm(&parts) * 1000;
}

/* timegm would take 31 February for the 3rd of March. */
fault day_read(const char *text, int *year, int *month, int *day)
{
    int used = 0;
    char again[32];
    if (sscanf(text, "%4d-%2d-%2d%n", year, month, day, &used) == 3 && text[used] == '\0') {
        clock_text(day_midnight_ms(*year, *month, *day), again, sizeof again);
        if (strncmp(again, text, 10) == 0 && strlen(text) == 10)
            return DONE;
    }
    return RAISE(REFUSED, "'%s' is not a day as YYYY-MM-DD", text);
}
