// SPDX-License-Identifier: MIT
/*
 * wrong_clock - preloaded into a registry: its wall clock shows as many seconds more as the file
 * that $WRONG_CLOCK names says, which may change while it runs.
 */
#include <fcntl.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

int clock_gettime(clockid_t which, struct timespec *now)
{
    char text[32] = "";
    const char *path = getenv("WRONG_CLOCK");
    if (syscall(SYS_clock_gettime, which, now) != 0)
        return -1;
    int fd = path == NULL || which != CLOCK_REALTIME ? -1 : open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return 0;
    if (read(fd, text, sizeof text - 1) > 0)
        now->tv_sec += atol(text);
    close(fd);
    return 0;
}
