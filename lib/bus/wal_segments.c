// SPDX-License-Identifier: MIT
#include "lib/bus/wal_private.h"

#include "lib/base/event.h"
#include "lib/base/file.h"
#include "lib/bus/limits.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define ZERO_CHUNK (1u << 20)

// --- the next one -------------------------------------------------------------------------------

fault wal_fill_zero(int fd, off_t from, off_t to)
{
    static const uint8_t zeros[ZERO_CHUNK];
    while (from < to) {
        size_t size = (size_t)(to - from) < ZERO_CHUNK ? (size_t)(to - from) : ZERO_CHUNK;
        TRY(file_write_at(fd, span_of(zeros, size), from));
        from += (off_t)size;
    }
    return DONE;
}

static fault drop_next(struct wal *self, const char *path)
{
    close(self->next_fd);
    self->next_fd = -1;
    unlink(path); /* a full disk gets its space back */
    return RAISE(LOG_FAILED, "no room for a segment of %zu bytes in %s", self->segment_bytes,
                 self->folder);
}

/* Fills next.tmp with zeros, `most` bytes more at a time; durable once it is full. A half-made one
 * from before this start is made anew. */
static fault make_next(struct wal *self, size_t most)
{
    char path[WAL_PATH_BYTES + 16];
    snprintf(path, sizeof path, "%s/next.tmp", self->folder);
    if (self->next_fd < 0) {
        self->next_fd = open(path, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600);
        self->next_size = 0;
    }
    if (self->next_fd < 0)
        return RAISE(LOG_FAILED, "%s: %s", path, strerror(errno));
    size_t left = self->segment_bytes - self->next_size;
    size_t end = self->next_size + (left < most ? left : most);
    if (failed(wal_fill_zero(self->next_fd, (off_t)self->next_size, (off_t)end)))
        return drop_next(self, path);
    self->next_size = end;
    if (end < self->segment_bytes)
        file_sync_ahead(self->next_fd);
    else if (fdatasync(self->next_fd) != 0)
        return drop_next(self, path);
    return DONE;
}

static bool is_next_ready(const struct wal *self)
{
    return self->next_fd >= 0 && self->next_size == self->segment_bytes;
}

void wal_die_of_disk(struct wal *self, const char *event)
{
    EVENT(ERROR, event, E_TEXT("folder", self->folder), E_TEXT("error", strerror(errno)));
    abort();
}

/* Begins a segment whose first frame will be `first`. What can fail for a passing reason happens
 * before the rename; after it the only way on is the new segment. */
fault wal_roll(struct wal *self, uint64_t first)
{
    if (!is_next_ready(self))
        TRY(make_next(self, self->segment_bytes));
    char from[WAL_PATH_BYTES + 16], to[WAL_PATH_BYTES];
    snprintf(from, sizeof from, "%s/next.tmp", self->folder);
    wal_path(self->folder, first, to);
    if (rename(from, to) != 0)
        return RAISE(LOG_FAILED, "%s: %s", to, strerror(errno));
    if (fsync(self->folder_fd) != 0)
        wal_die_of_disk(self, "audit.sync_failed");
    if (self->fd >= 0) {
        wal_sync(self); /* nobody will do it later */
        close(self->fd);
    }
    self->fd = self->next_fd;
    self->next_fd = -1;
    self->segment = owned_grow(self->segment, self->segments + 1, sizeof *self->segment);
    self->segment[self->segments++] =
        (struct segment){.first = first, .size = (off_t)self->segment_bytes};
    return DONE;
}

// --- pruning ------------------------------------------------------------------------------------

uint64_t wal_bound(const struct wal *self, uint64_t index)
{
    uint64_t bound = self->segment[0].first;
    for (size_t i = 0; i < self->segments && self->segment[i].first <= index; i++)
        bound = self->segment[i].first;
    return bound;
}

static fault drop_files(const char *folder, uint64_t first)
{
    struct segment *list = NULL;
    size_t count = 0;
    fault f = DONE;
    TRY(wal_list_segments(folder, &list, &count));
    for (size_t i = 0; i < count && list[i].first < first && !failed(f); i++) {
        char path[WAL_PATH_BYTES];
        wal_path(folder, list[i].first, path);
        if (unlink(path) != 0)
            f = RAISE(IO_FAILED, "%s: %m", path);
    }
    wal_free_segments(list, count);
    return f;
}

/* The oldest first: whatever interrupts it, what is left has no hole. */
fault wal_drop_before(struct wal *self, uint64_t first)
{
    size_t gone = 0;
    while (gone + 1 < self->segments && self->segment[gone].first < first)
        free(self->segment[gone++].place);
    self->segments -= gone;
    memmove(self->segment, self->segment + gone, self->segments * sizeof *self->segment);
    TRY(drop_files(self->folder, first));
    return fsync(self->folder_fd) == 0 ? DONE : RAISE(IO_FAILED, "%s: %m", self->folder);
}

bool wal_prepare(struct wal *self)
{
    const struct segment *last = &self->segment[self->segments - 1];
    if (is_next_ready(self) || last->end <= last->size / 2)
        return false;
    if (failed(make_next(self, WAL_PREPARE_BYTES))) {
        EVENT(WARN, "audit.no_room_ahead", E_TEXT("folder", self->folder),
              E_TEXT("detail", fault_detail()));
        return false;
    }
    return !is_next_ready(self);
}
