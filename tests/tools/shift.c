// SPDX-License-Identifier: MIT
/* shift - preloaded: the wall clock of a program is SHIFT_S seconds off, its steady clock is right.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <stdlib.h>
#include <time.h>

int clock_gettime(clockid_t clock, struct timespec *out)
{
    static int (*real)(clockid_t, struct timespec *);
    if (real == NULL)
        real = (int (*)(clockid_t, struct timespec *))dlsym(RTLD_NEXT, "clock_gettime");
    int result = real(clock, out);
    const char *shift = getenv("SHIFT_S");
    if (result == 0 && clock == CLOCK_REALTIME && shift != NULL)
        out->tv_sec += atol(shift);
    return result;
}

/* openssl asks this way. */
time_t time(time_t *out)
{
    struct timespec now = {0};
    clock_gettime(CLOCK_REALTIME, &now);
    if (out != NULL)
        *out = now.tv_sec;
    return now.tv_sec;
}
