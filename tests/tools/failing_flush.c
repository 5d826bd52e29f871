// SPDX-License-Identifier: MIT
/*
 * failing_flush - preloaded into a node: fdatasync answers EIO as long as the file that
 * $FAILING_FLUSH names is there, as a disk does that has lost what it was given.
 */
#include <errno.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <unistd.h>

int fdatasync(int fd)
{
    const char *trigger = getenv("FAILING_FLUSH");
    if (trigger != NULL && access(trigger, F_OK) == 0) {
        errno = EIO;
        return -1;
    }
    return (int)syscall(SYS_fdatasync, fd);
}
