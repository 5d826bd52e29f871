// SPDX-License-Identifier: MIT
/*
 * wrong_clock - preloaded into a program: its wall clock shows as many seconds more as the file
 * that $WRONG_CLOCK names says, which may change while it runs; or as $WRONG_CLOCK_S says, for
 * processes that may open no file; or as the file that $WRONG_CLOCK_MAP names says, for them too:
 * it is mapped as the process begins, and is changed in place, never cut.
 */
#include <fcntl.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#define MAPPED_BYTES 16

static const char *mapped;

__attribute__((constructor)) static void map_it(void)
{
    const char *path = getenv("WRONG_CLOCK_MAP");
    int fd = path == NULL ? -1 : open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return;
    void *at = mmap(NULL, MAPPED_BYTES, PROT_READ, MAP_SHARED, fd, 0);
    mapped = at == MAP_FAILED ? NULL : at;
    close(fd);
}

int clock_gettime(clockid_t which, struct timespec *now)
{
    char text[32] = "";
    const char *path = getenv("WRONG_CLOCK");
    const char *fixed = getenv("WRONG_CLOCK_S");
    if (syscall(SYS_clock_gettime, which, now) != 0)
        return -1;
    if (fixed != NULL && which == CLOCK_REALTIME)
        now->tv_sec += atol(fixed);
    if (mapped != NULL && which == CLOCK_REALTIME)
        now->tv_sec += atol(mapped);
    int fd = path == NULL || which != CLOCK_REALTIME ? -1 : open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return 0;
    if (read(fd, text, sizeof text - 1) > 0)
        now->tv_sec += atol(text);
    close(fd);
    return 0;
}
