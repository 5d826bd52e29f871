// SPDX-License-Identifier: MIT
#include "lib/bus/wal.h"

#include "lib/base/file.h"
#include "lib/base/text.h"
#include "lib/bus/limits.h"
#include "lib/bus/wal_private.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

// --- the tail -----------------------------------------------------------------------------------

static fault read_tail(struct wal *self, struct bytes **out)
{
    const struct segment *last = &self->segment[self->segments - 1];
    OWNED(bytes) tail = NULL;
    TRY(bytes_new(self->rest, &tail));
    TRY(file_read_at(self->fd, tail->data, tail->size, last->end));
    *out = TAKE(tail);
    return DONE;
}

fault wal_visit_tail(struct wal *self, wal_visit *visit, void *owner)
{
    const struct segment *last = &self->segment[self->segments - 1];
    OWNED(bytes) tail = NULL;
    if (self->rest == 0)
        return DONE;
    TRY(read_tail(self, &tail));
    return wal_walk_tail(bytes_span(tail), last->first + last->count, visit, owner, NULL);
}

fault wal_cut_tail(struct wal *self)
{
    const struct segment *last = &self->segment[self->segments - 1];
    OWNED(bytes) tail = NULL;
    char path[WAL_PATH_BYTES + 32];
    if (self->rest == 0)
        return DONE;
    TRY(read_tail(self, &tail));
    snprintf(path, sizeof path, "%s/cut-%020" PRIu64 ".tail", self->folder,
             last->first + last->count);
    if (failed(file_replace(path, bytes_span(tail), 0600)))
        return RAISE(LOG_FAILED, "the torn tail could not be set aside in %s", path);
    TRY(wal_fill_zero(self->fd, last->end, last->size));
    if (fsync(self->fd) != 0)
        return RAISE(LOG_FAILED, "%s: %s", self->folder, strerror(errno));
    self->rest = 0;
    return DONE;
}

// --- open and close -----------------------------------------------------------------------------

static fault open_last(struct wal *self)
{
    char path[WAL_PATH_BYTES];
    wal_path(self->folder, self->segment[self->segments - 1].first, path);
    self->fd = open(path, O_RDWR | O_CLOEXEC | O_NOFOLLOW);
    return self->fd < 0 ? RAISE(LOG_FAILED, "%s: %s", path, strerror(errno)) : DONE;
}

fault wal_lock(const char *folder, int *fd_out)
{
    char path[WAL_PATH_BYTES + 16];
    if (!text_format(path, sizeof path, "%s/lock", folder))
        return RAISE(BAD_CONFIG, "the log folder's name is too long");
    TRY(file_make_folders(folder, 0700));
    return file_lock(path, fd_out);
}

fault wal_open(const char *folder, size_t segment_bytes, wal_visit *visit, void *owner,
               struct wal **out, struct wal_end *end)
{
    int lock_fd = -1;
    TRY(wal_lock(folder, &lock_fd));
    return wal_open_from(folder, segment_bytes, 0, lock_fd, visit, owner, out, end);
}

fault wal_open_from(const char *folder, size_t segment_bytes, uint64_t first, int lock_fd,
                    wal_visit *visit, void *owner, struct wal **out, struct wal_end *end)
{
    OWNED(wal) self = owned_new(sizeof *self);
    self->fd = self->next_fd = self->folder_fd = -1;
    self->lock_fd = lock_fd;
    self->segment_bytes = segment_bytes;
    self->staged = bytes_empty(0);
    if (strlen(folder) >= sizeof self->folder - 32 ||
        !text_format(self->folder, sizeof self->folder, "%s", folder))
        return RAISE(BAD_CONFIG, "the log folder's name is too long");
    self->folder_fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (self->folder_fd < 0)
        return RAISE(LOG_FAILED, "%s: %s", folder, strerror(errno));
    TRY(wal_list_from(folder, first, &self->segment, &self->segments));
    TRY(wal_walk_all(folder, first, self->segment, self->segments, visit, owner, end));
    self->rest = end->cut_bytes;
    TRY(self->segments == 0 ? wal_roll(self, 0) : open_last(self));
    *out = TAKE(self);
    return DONE;
}

/* The whole frames of one segment; *more: the next one may follow on. */
static fault walk_closed(struct wal *self, struct segment *segment, uint64_t *index,
                         wal_visit *visit, void *owner, bool *more)
{
    char path[WAL_PATH_BYTES];
    struct span bytes;
    *more = false;
    if (segment->first != *index)
        return DONE;
    wal_path(self->folder, segment->first, path);
    TRY(wal_map(path, &bytes));
    fault f = wal_walk_frames(segment, bytes, index, visit, owner);
    *more = span_used(span_of(bytes.at + segment->end, bytes.size - (size_t)segment->end)) == 0;
    wal_unmap(bytes);
    return f;
}

fault wal_open_closed(const char *folder, uint64_t first, wal_visit *visit, void *owner,
                      struct wal **out, uint64_t *size)
{
    OWNED(wal) self = owned_new(sizeof *self);
    uint64_t index = first;
    bool more = true;
    self->lock_fd = self->folder_fd = self->fd = self->next_fd = -1;
    if (!text_format(self->folder, sizeof self->folder, "%s", folder))
        return RAISE(BAD_CONFIG, "the log folder's name is too long");
    char lock[WAL_PATH_BYTES + 16];
    snprintf(lock, sizeof lock, "%s/lock", folder);
    if (access(lock, F_OK) == 0)
        TRY(file_lock(lock, &self->lock_fd));
    fault f = wal_list_from(folder, first, &self->segment, &self->segments);
    if (failed(f) && f.code != NOT_FOUND)
        return f;
    for (size_t i = 0; i < self->segments && more; i++)
        TRY(walk_closed(self, &self->segment[i], &index, visit, owner, &more));
    *size = index;
    *out = TAKE(self);
    return DONE;
}

static void close_one(int fd)
{
    if (fd >= 0)
        close(fd);
}

void wal_free(struct wal **self)
{
    if (*self == NULL)
        return;
    close_one((*self)->fd);
    close_one((*self)->next_fd);
    close_one((*self)->folder_fd);
    close_one((*self)->lock_fd);
    wal_free_segments((*self)->segment, (*self)->segments);
    bytes_free(&(*self)->staged);
    free(*self);
    *self = NULL;
}

// --- records ------------------------------------------------------------------------------------

static fault frames_of(uint64_t first, const struct span *leaves, size_t count, struct bytes *out)
{
    for (size_t i = 0; i < count; i++) {
        uint8_t head[WAL_FRAME_BYTES];
        put_u32(head, (uint32_t)leaves[i].size);
        put_u32(head + 4, wal_frame_crc(first + i, leaves[i]));
        put_u64(head + 8, first + i);
        TRY(bytes_append(out, span_of(head, sizeof head)));
        TRY(bytes_append(out, leaves[i]));
    }
    return DONE;
}

fault wal_stage(struct wal *self, uint64_t first, const struct span *leaves, size_t count,
                struct wal_place *out)
{
    assert(self->rest == 0); /* the tail is cut first */
    self->staged->size = self->staged_count = 0;
    TRY(frames_of(first, leaves, count, self->staged));
    if (self->staged->size > self->segment_bytes)
        return RAISE(LOG_FAILED, "a group of %zu bytes in segments of %zu", self->staged->size,
                     self->segment_bytes);
    const struct segment *segment = &self->segment[self->segments - 1];
    if (self->staged->size > (size_t)(segment->size - segment->end)) {
        TRY(wal_roll(self, first));
        segment = &self->segment[self->segments - 1];
    }
    self->staged_count = count;
    *out = (struct wal_place){segment->first, (uint64_t)segment->end, bytes_span(self->staged)};
    return DONE;
}

void wal_put(struct wal *self)
{
    struct segment *segment = &self->segment[self->segments - 1];
    /* The place is written with zeros already: a write that fails here is a broken disk, not a full
     * one, and half of it may be there. */
    if (failed(file_write_at(self->fd, bytes_span(self->staged), segment->end)))
        wal_die_of_disk(self, "audit.write_failed");
    self->touched = true;
    size_t at = 0;
    for (size_t i = 0; i < self->staged_count; i++) {
        wal_note_place(segment, segment->end + (off_t)at);
        segment->count++;
        at += WAL_FRAME_BYTES + get_u32(self->staged->data + at);
    }
    segment->end += (off_t)at;
    self->staged->size = self->staged_count = 0;
}

void wal_sync(struct wal *self)
{
    if (!self->touched)
        return;
    if (fdatasync(self->fd) != 0)
        wal_die_of_disk(self, "audit.sync_failed");
    self->touched = false;
}

void wal_sync_ahead(struct wal *self)
{
    file_sync_ahead(self->fd);
}

// --- reading back -------------------------------------------------------------------------------

static struct segment *segment_of(struct wal *self, uint64_t index)
{
    for (size_t i = self->segments; i-- > 0;)
        if (self->segment[i].first <= index)
            return index - self->segment[i].first < self->segment[i].count ? &self->segment[i]
                                                                           : NULL;
    return NULL;
}

fault wal_read(struct wal *self, uint64_t index, struct bytes **out)
{
    struct segment *segment = segment_of(self, index);
    if (segment == NULL)
        return RAISE(NOT_FOUND, "the log has no entry %" PRIu64, index);
    char path[WAL_PATH_BYTES];
    wal_path(self->folder, segment->first, path);
    struct span bytes;
    TRY(wal_map(path, &bytes));
    uint64_t at = segment->first + (index - segment->first) / WAL_SPARSE * WAL_SPARSE;
    size_t start = segment->place[(index - segment->first) / WAL_SPARSE];
    struct cursor cursor = cursor_over(span_of(bytes.at + start, bytes.size - start));
    struct span body = {0};
    fault f = DONE;
    for (; !failed(f) && at <= index; at++)
        f = wal_take_frame(&cursor, at, &body);
    if (!failed(f))
        f = bytes_copy(body, out);
    wal_unmap(bytes);
    return f;
}
