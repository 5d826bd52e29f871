// SPDX-License-Identifier: MIT
/*
 * full_disk - preloaded into a node: as long as the file that $FULL_DISK names is there, no file
 * grows any more, as on a disk without room: pwrite beyond a file's end answers ENOSPC. What lies
 * within is written. With $FULL_DISK_FOLDER this holds for files below that folder alone.
 */
#include <errno.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

static bool is_on_the_disk(int fd)
{
    char link[64], path[PATH_MAX];
    const char *folder = getenv("FULL_DISK_FOLDER");
    if (folder == NULL)
        return true;
    snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    ssize_t size = readlink(link, path, sizeof path);
    return size > (ssize_t)strlen(folder) && strncmp(path, folder, strlen(folder)) == 0;
}

ssize_t pwrite(int fd, const void *bytes, size_t size, off_t at)
{
    struct stat facts;
    const char *trigger = getenv("FULL_DISK");
    if (trigger != NULL && access(trigger, F_OK) == 0 && fstat(fd, &facts) == 0 &&
        S_ISREG(facts.st_mode) && at + (off_t)size > facts.st_size && is_on_the_disk(fd)) {
        errno = ENOSPC;
        return -1;
    }
    return syscall(SYS_pwrite64, fd, bytes, size, at);
}
