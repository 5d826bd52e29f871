// SPDX-License-Identifier: MIT
/*
 * flush_timer - how long this disk takes to have one group of the journal: a write into a file that
 * was filled with zeros before, and fdatasync, as lib/bus/journal.c does it. For tests/bench.
 *
 *   flush_timer FILE BYTES SECONDS     FILE: made and removed; prints p50, p99 and mean in
 *                                      microseconds, and how many
 */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define FILE_BYTES (4u << 20)
#define GROUP_BYTES_MAX (1u << 20)
#define FLUSHES_MAX 200000

static void need(int done, const char *what)
{
    if (done)
        return;
    fprintf(stderr, "flush_timer: %s: %s\n", what, strerror(errno));
    exit(1);
}

static int64_t now_ns(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

static int by_size(const void *a, const void *b)
{
    int64_t left = *(const int64_t *)a, right = *(const int64_t *)b;
    return left < right ? -1 : left > right;
}

int main(int count, char **words)
{
    static uint8_t group[GROUP_BYTES_MAX];
    static int64_t took[FLUSHES_MAX];
    size_t size = count == 4 ? strtoul(words[2], NULL, 10) : 0, done = 0;
    int64_t seconds = count == 4 ? strtol(words[3], NULL, 10) : 0;
    if (size < 1 || size > GROUP_BYTES_MAX || seconds < 1)
        return 2;
    int fd = open(words[1], O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    need(fd >= 0, words[1]);
    for (size_t at = 0; at < FILE_BYTES; at += GROUP_BYTES_MAX)
        need(pwrite(fd, group, GROUP_BYTES_MAX, (off_t)at) == GROUP_BYTES_MAX, "filling it");
    need(fsync(fd) == 0, "fsync");
    memset(group, 'x', size);
    int64_t sum = 0, until = now_ns() + seconds * INT64_C(1000000000);
    size_t at = 0;
    while (done < FLUSHES_MAX && now_ns() < until) {
        int64_t before = now_ns();
        need(pwrite(fd, group, size, (off_t)at) == (ssize_t)size, "a write");
        need(fdatasync(fd) == 0, "fdatasync");
        took[done] = now_ns() - before;
        sum += took[done++];
        at = at + 2 * size <= FILE_BYTES ? at + size : 0;
    }
    unlink(words[1]);
    qsort(took, done, sizeof *took, by_size);
    printf("%.1f %.1f %.1f %zu\n", (double)took[done / 2] / 1000,
           (double)took[(done - 1) * 99 / 100] / 1000, (double)sum / (double)done / 1000, done);
    return 0;
}
