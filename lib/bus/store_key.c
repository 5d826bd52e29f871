// SPDX-License-Identifier: MIT
#include "lib/bus/store_key.h"

#include "lib/base/file.h"
#include "lib/base/text.h"
#include "lib/crypto/random.h"
#include "lib/crypto/seal.h"

#include <fcntl.h>
#include <unistd.h>

#define LINE_BYTES (2 * KEY_WRAP_BYTES + 1)

static fault write_line(int fd, const char *path, const char line[LINE_BYTES])
{
    TRY(file_write_at(fd, span_of(line, LINE_BYTES), 0));
    return fsync(fd) == 0 ? DONE : RAISE(IO_FAILED, "%s: %m", path);
}

fault store_key_make(const char *path)
{
    uint8_t key[KEY_WRAP_BYTES];
    char line[LINE_BYTES + 1];
    int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (fd < 0)
        return RAISE(IO_FAILED, "making key file %s: %m", path);
    random_fill(key, sizeof key);
    text_hex(span_of(key, sizeof key), line, sizeof line);
    line[LINE_BYTES - 1] = '\n';
    fault f = write_line(fd, path, line);
    seal_wipe(key, sizeof key);
    seal_wipe(line, sizeof line);
    if (failed(f))
        unlink(path); /* half a key is worse than none, and we made the file */
    close(fd);
    return f;
}

fault store_key_load(const char *path, struct key_opener *opener, struct key_wrap **out)
{
    uint8_t key[KEY_WRAP_BYTES];
    OWNED(secret) line = NULL;
    TRY(key_file_read(path, opener, &line));
    bool good = line->size == LINE_BYTES && line->data[LINE_BYTES - 1] == '\n' &&
                !failed(text_unhex(span_of(line->data, LINE_BYTES - 1), key, sizeof key));
    fault f = good ? key_wrap_make(key, out) : RAISE(BAD_KEY, "%s is no store key", path);
    seal_wipe(key, sizeof key);
    return f;
}
