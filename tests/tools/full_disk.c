// SPDX-License-Identifier: MIT
/*
 * full_disk - preloaded into a node: as long as the file that $FULL_DISK names is there, no file
 * grows any more, as on a disk without room: pwrite beyond a file's end answers ENOSPC. What lies
 * within is written.
 */
#include <errno.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

ssize_t pwrite(int fd, const void *bytes, size_t size, off_t at)
{
    struct stat facts;
    const char *trigger = getenv("FULL_DISK");
    if (trigger != NULL && access(trigger, F_OK) == 0 && fstat(fd, &facts) == 0 &&
        S_ISREG(facts.st_mode) && at + (off_t)size > facts.st_size) {
        errno = ENOSPC;
        return -1;
    }
    return syscall(SYS_pwrite64, fd, bytes, size, at);
}
