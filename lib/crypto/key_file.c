// SPDX-License-Identifier: MIT
#include "lib/crypto/key_file.h"

#include "lib/crypto/sealed_key.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

_Static_assert(KEY_FILE_BYTES_MAX <= SECRET_BYTES_MAX, "a key file is a secret");

/* O_NONBLOCK: a pipe at this place must be refused and not waited for. */
static fault open_private(const char *path, int *out)
{
    int fd = open(path, O_RDONLY | O_NOFOLLOW | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
    if (fd < 0 && errno == ELOOP)
        return RAISE(BAD_KEY, "key file %s is a symbolic link: name the file itself", path);
    if (fd < 0)
        return RAISE(BAD_KEY, "key file %s: %m", path);
    struct stat facts;
    fault checked = DONE;
    if (fstat(fd, &facts) != 0)
        checked = RAISE(BAD_KEY, "key file %s: %m", path);
    else if (!S_ISREG(facts.st_mode))
        checked = RAISE(BAD_KEY, "key file %s is not a regular file", path);
    else if ((facts.st_mode & 077) != 0)
        checked = RAISE(BAD_KEY, "key file %s is open to others than its owner: chmod 600 %s", path,
                        path);
    if (failed(checked))
        close(fd);
    else
        *out = fd;
    return checked;
}

static fault read_whole(int fd, const char *path, struct secret **out)
{
    OWNED(secret) all = secret_new(KEY_FILE_BYTES_MAX);
    size_t size = 0;
    ssize_t more = 1;
    while (more > 0 && size < all->size) {
        more = read(fd, all->data + size, all->size - size);
        if (more < 0 && errno == EINTR)
            more = 1;
        else if (more > 0)
            size += (size_t)more;
    }
    if (more != 0)
        return RAISE(BAD_KEY, "key file %s is too large, or cannot be read", path);
    *out = secret_copy(span_of(all->data, size));
    return DONE;
}

static fault write_all(int fd, const char *path, struct span content)
{
    for (size_t written = 0; written < content.size;) {
        ssize_t more = write(fd, content.at + written, content.size - written);
        if (more < 0 && errno != EINTR)
            return RAISE(IO_FAILED, "writing key file %s: %m", path);
        written += more > 0 ? (size_t)more : 0;
    }
    return fsync(fd) == 0 ? DONE : RAISE(IO_FAILED, "writing key file %s: %m", path);
}

static fault write_new(const char *path, struct span content)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
    if (fd < 0)
        return RAISE(IO_FAILED, "making key file %s: %m", path);
    fault f = write_all(fd, path, content);
    if (failed(f))
        unlink(path); /* half a key is worse than none, and we made the file */
    close(fd);
    return f;
}

fault key_file_make(const char *path, struct span content, struct span passphrase)
{
    OWNED(bytes) sealed = NULL;
    OWNED(secret) again = NULL;
    if (passphrase.size == 0)
        return write_new(path, content);
    TRY(sealed_key_make(content, passphrase, &sealed));
    TRY(sealed_key_open(bytes_span(sealed), passphrase, &again));
    if (!span_equal(secret_span(again), content))
        return RAISE(CRYPTO_FAILED, "a sealed key does not open as what it was");
    return write_new(path, bytes_span(sealed));
}

fault key_file_read_as_is(const char *path, struct secret **out)
{
    int fd = -1;
    TRY(open_private(path, &fd));
    fault f = read_whole(fd, path, out);
    close(fd);
    return f;
}

fault key_file_read(const char *path, struct key_opener *opener, struct secret **out)
{
    OWNED(secret) content = NULL;
    struct key_opener none = {0};
    if (opener == NULL)
        opener = &none;
    TRY(key_file_read_as_is(path, &content));
    if (!sealed_key_is(secret_span(content))) {
        opener->unsealed++;
        *out = TAKE(content);
        return DONE;
    }
    if (opener->passphrase.size == 0)
        return RAISE(BAD_PASSPHRASE,
                     "key file %s is sealed, and it is not said where its passphrase is read from",
                     path);
    fault f = sealed_key_open(secret_span(content), opener->passphrase, out);
    if (f.code == BAD_PASSPHRASE)
        return RAISE(BAD_PASSPHRASE,
                     "key file %s does not open with this passphrase, or is damaged", path);
    if (failed(f))
        return RAISE(f.code, "key file %s: %s", path, fault_detail());
    opener->sealed++;
    return DONE;
}
