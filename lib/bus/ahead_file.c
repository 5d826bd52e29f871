// SPDX-License-Identifier: MIT
#include "lib/bus/ahead_file.h"

#include "lib/base/event.h"
#include "lib/base/file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

fault ahead_file_open(const char *path, off_t step, struct ahead_file *out)
{
    struct stat st;
    int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK, 0600);
    if (fd < 0)
        return RAISE(LOG_FAILED, "%s: %s", path, strerror(errno));
    if (fstat(fd, &st) != 0 || !S_ISREG(st.st_mode)) {
        close(fd);
        return RAISE(LOG_FAILED, "%s is not a file", path);
    }
    *out = (struct ahead_file){.fd = fd, .size = st.st_size, .step = step};
    return DONE;
}

void ahead_file_close(struct ahead_file *self)
{
    if (self->fd >= 0)
        close(self->fd);
    self->fd = -1;
}

fault ahead_file_grow(struct ahead_file *self, off_t needed)
{
    static const uint8_t zeros[1 << 16];
    while (self->size < needed) {
        off_t stop = self->size + self->step;
        for (off_t at = self->size; at < stop; at += (off_t)sizeof zeros)
            if (failed(file_write_at(self->fd, span_of(zeros, sizeof zeros), at)))
                return RAISE(LOG_FAILED, "no room beside the leaves: %s", strerror(errno));
        self->size = stop;
    }
    return DONE;
}

fault ahead_file_put(struct ahead_file *self, struct span bytes, off_t at)
{
    TRY(ahead_file_grow(self, at + (off_t)bytes.size));
    self->touched = true;
    if (failed(file_write_at(self->fd, bytes, at)))
        return RAISE(LOG_FAILED, "what goes beside the leaves could not be written: %s",
                     strerror(errno));
    return DONE;
}

void ahead_file_sync(struct ahead_file *self, const char *folder)
{
    if (!self->touched)
        return;
    if (fdatasync(self->fd) != 0) {
        EVENT(ERROR, "audit.sync_failed", E_TEXT("folder", folder),
              E_TEXT("error", strerror(errno)));
        abort();
    }
    self->touched = false;
}

void ahead_file_sync_ahead(const struct ahead_file *self)
{
    if (self->touched)
        file_sync_ahead(self->fd);
}
