// SPDX-License-Identifier: MIT
#include "lib/base/file.h"

#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

/* reading */

static fault read_all(int fd, const char *path, size_t most, struct bytes *into)
{
    for (;;) {
        uint8_t *at = NULL;
        TRY(bytes_reserve(into, 16384, &at));
        ssize_t got = read(fd, at, into->capacity - into->size);
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            return RAISE(IO_FAILED, "reading %s: %m", path);
        if (got == 0)
            return DONE;
        into->size += (size_t)got;
        if (into->size > most)
            return RAISE(IO_FAILED, "%s has more than %zu bytes", path, most);
    }
}

/* The size is asked first, so that a file far too large is refused before it is read; read_all
 * counts again, since the file may grow, or be one of /proc that has no size. */
static fault check_size(int fd, const char *path, size_t most)
{
    struct stat facts;
    if (fstat(fd, &facts) != 0)
        return RAISE(IO_FAILED, "%s: %m", path);
    if (facts.st_size > 0 && (uint64_t)facts.st_size > most)
        return RAISE(IO_FAILED, "%s has %lld bytes, allowed are %zu", path,
                     (long long)facts.st_size, most);
    return DONE;
}

fault file_read(const char *path, size_t most, struct bytes **out)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK); /* a FIFO must not stop us */
    if (fd < 0 && (errno == ENOENT || errno == ENOTDIR))
        return RAISE(NOT_FOUND, "there is no file %s", path);
    if (fd < 0)
        return RAISE(IO_FAILED, "%s: %m", path);
    OWNED(bytes) whole = NULL;
    fault result = check_size(fd, path, most);
    if (!failed(result))
        result = bytes_new(0, &whole);
    if (!failed(result))
        result = read_all(fd, path, most, whole);
    close(fd);
    TRY(result);
    *out = TAKE(whole);
    return DONE;
}

fault file_read_at(int fd, uint8_t *out, size_t size, off_t at)
{
    for (size_t done = 0; done < size;) {
        ssize_t got = pread(fd, out + done, size - done, at + (off_t)done);
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            return RAISE(IO_FAILED, "reading at %lld: %m", (long long)at);
        if (got == 0)
            return RAISE(IO_FAILED, "the file ends %zu bytes early, reading at %lld", size - done,
                         (long long)at);
        done += (size_t)got;
    }
    return DONE;
}

/* writing */

fault file_write_at(int fd, struct span bytes, off_t at)
{
    for (size_t done = 0; done < bytes.size;) {
        ssize_t put = pwrite(fd, bytes.at + done, bytes.size - done, at + (off_t)done);
        if (put < 0 && errno == EINTR)
            continue;
        if (put < 0)
            return RAISE(IO_FAILED, "writing at %lld: %m", (long long)at);
        if (put == 0)
            return RAISE(IO_FAILED, "writing at %lld: nothing was taken", (long long)at);
        done += (size_t)put;
    }
    return DONE;
}

static fault fill(int fd, struct span bytes, mode_t mode)
{
    TRY(file_write_at(fd, bytes, 0));
    if (fchmod(fd, mode) != 0)
        return RAISE(IO_FAILED, "fchmod: %m");
    if (fsync(fd) != 0)
        return RAISE(IO_FAILED, "fsync: %m");
    return DONE;
}

/* dirname() changes what it is given. */
static fault sync_folder_of(const char *path)
{
    char copy[PATH_MAX];
    snprintf(copy, sizeof copy, "%s", path);
    return file_sync_folder(dirname(copy));
}

static fault fill_temporary(const char *temporary, int fd, struct span bytes, mode_t mode)
{
    fault filled = fill(fd, bytes, mode);
    if (close(fd) != 0 && !failed(filled))
        filled = RAISE(IO_FAILED, "closing %s: %m", temporary);
    return filled;
}

fault file_replace(const char *path, struct span bytes, mode_t mode)
{
    char temporary[PATH_MAX];
    int length = snprintf(temporary, sizeof temporary, "%s.XXXXXX", path);
    if (length < 0 || (size_t)length >= sizeof temporary)
        return RAISE(IO_FAILED, "the path is too long: %s", path);
    int fd = mkostemp(temporary, O_CLOEXEC);
    if (fd < 0)
        return RAISE(IO_FAILED, "a new file beside %s: %m", path);
    fault result = fill_temporary(temporary, fd, bytes, mode);
    if (!failed(result) && rename(temporary, path) != 0)
        result = RAISE(IO_FAILED, "renaming to %s: %m", path);
    if (failed(result)) {
        unlink(temporary);
        return result;
    }
    return sync_folder_of(path);
}

/* folders */

fault file_sync_folder(const char *path)
{
    int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0)
        return RAISE(IO_FAILED, "folder %s: %m", path);
    int answer = fsync(fd);
    int why = errno;
    close(fd);
    errno = why;
    if (answer != 0)
        return RAISE(IO_FAILED, "fsync of folder %s: %m", path);
    return DONE;
}

/* A hint: what it leaves undone the flush does. */
void file_sync_ahead(int fd)
{
    (void)!sync_file_range(fd, 0, 0, SYNC_FILE_RANGE_WRITE);
}

static fault make_folder(const char *path, mode_t mode)
{
    if (mkdir(path, mode) == 0)
        return DONE;
    int why = errno;
    struct stat facts;
    if (stat(path, &facts) == 0 && S_ISDIR(facts.st_mode))
        return DONE;
    errno = why;
    return RAISE(IO_FAILED, "making folder %s: %m", path);
}

fault file_make_folders(const char *path, mode_t mode)
{
    char prefix[PATH_MAX];
    int length = snprintf(prefix, sizeof prefix, "%s", path);
    if (length <= 0 || (size_t)length >= sizeof prefix)
        return RAISE(IO_FAILED, "a folder path of %d bytes", length);
    for (size_t i = 1; prefix[i] != '\0'; i++) {
        if (prefix[i] != '/')
            continue;
        prefix[i] = '\0';
        TRY(make_folder(prefix, mode));
        prefix[i] = '/';
    }
    return make_folder(prefix, mode);
}

/* locks */

/* An open-file-description lock: unlike the older kind it is not lost when the process opens and
 * closes the same file elsewhere, and it ends by itself with the process. */
fault file_lock(const char *path, int *fd_out)
{
    int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (fd < 0)
        return RAISE(IO_FAILED, "lock file %s: %m", path);
    struct flock whole = {.l_type = F_WRLCK, .l_whence = SEEK_SET};
    if (fcntl(fd, F_OFD_SETLK, &whole) != 0) {
        bool taken = errno == EAGAIN || errno == EACCES;
        fault result = taken ? RAISE(REFUSED, "another process holds %s", path)
                             : RAISE(IO_FAILED, "locking %s: %m", path);
        close(fd);
        return result;
    }
    *fd_out = fd;
    return DONE;
}

void file_raise_limit(void)
{
    struct rlimit limit;
    if (getrlimit(RLIMIT_NOFILE, &limit) != 0)
        return;
    rlim_t wanted = limit.rlim_max < FILE_OPEN_MAX ? limit.rlim_max : FILE_OPEN_MAX;
    if (limit.rlim_cur < wanted) {
        limit.rlim_cur = wanted;
        setrlimit(RLIMIT_NOFILE, &limit);
    }
}
