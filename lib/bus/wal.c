// SPDX-License-Identifier: MIT
#include "lib/bus/wal.h"

#include "lib/base/crc32c.h"
#include "lib/base/cursor.h"
#include "lib/base/event.h"
#include "lib/base/file.h"
#include "lib/base/text.h"
#include "lib/bus/limits.h"

#include <assert.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#define PATH_BYTES 512
#define SPARSE 64 /* every 64th frame's place is kept in memory */
#define ZERO_CHUNK (1u << 20)
#define WAL_TAIL_INDEXES (1u << 24) /* more frames than a segment can hold */
#define WAL_TRY_BYTES 64            /* what a try costs besides its checksum */

struct segment {
    uint64_t first;
    uint64_t count;  /* frames in it */
    off_t end;       /* after the last frame */
    off_t size;      /* of the file */
    uint32_t *place; /* offsets of frames first, first + SPARSE, ... */
    size_t places;
};

struct wal {
    char folder[PATH_BYTES];
    size_t segment_bytes;
    size_t segments;
    struct segment *segment;
    int lock_fd;   /* held for as long as the log is open */
    int folder_fd; /* open beforehand, like next_fd: a full table of files must not stop a roll */
    int fd;        /* the last segment */
    int next_fd;   /* next.tmp; -1: not begun yet */
    size_t next_size; /* so much of it is filled */
    uint64_t rest;    /* bytes of a tail that is not cut yet */
    struct bytes *staged;
    size_t staged_count;
    bool touched; /* since it was last made durable */
};

// --- frames -------------------------------------------------------------------------------------

static uint32_t frame_crc(uint64_t index, struct span body)
{
    uint8_t number[8];
    put_u64(number, index);
    return crc32c(crc32c(0, span_of(number, sizeof number)), body);
}

/* The frame at the cursor, which must carry this index. BAD_FRAME at zeros or anything torn. */
static fault take_frame(struct cursor *at, uint64_t index, struct span *body)
{
    struct cursor ahead = *at;
    uint32_t length = 0, crc = 0;
    uint64_t found = 0;
    TRY(cursor_take_u32(&ahead, &length));
    TRY(cursor_take_u32(&ahead, &crc));
    TRY(cursor_take_u64(&ahead, &found));
    if (length == 0 || length > LEAF_BYTES_MAX || found != index)
        return RAISE(BAD_FRAME, "no frame for index %" PRIu64, index);
    TRY(cursor_take(&ahead, length, body));
    if (frame_crc(index, *body) != crc)
        return RAISE(BAD_FRAME, "checksum of frame %" PRIu64, index);
    *at = ahead;
    return DONE;
}

/* Every place where a whole frame with an index beyond `size` begins. The length of what is damaged
 * is not known, so each byte is tried; the index alone rules out nearly all. What was made to look
 * like frames is given up in the end. */
static fault walk_tail(struct span tail, uint64_t size, wal_visit *visit, void *owner,
                       struct wal_end *end)
{
    size_t wasted = 0;
    for (size_t at = 0; at + WAL_FRAME_BYTES < tail.size && wasted < WAL_TAIL_WASTE_BYTES; at++) {
        uint64_t index = get_u64(tail.at + at + 8);
        struct cursor cursor = cursor_over(span_of(tail.at + at, tail.size - at));
        struct span body;
        if (index < size || index - size > WAL_TAIL_INDEXES)
            continue;
        if (failed(take_frame(&cursor, index, &body))) {
            uint32_t length = get_u32(tail.at + at);
            wasted += WAL_TRY_BYTES + (length <= LEAF_BYTES_MAX ? length : 0);
            continue;
        }
        if (end != NULL) {
            end->after_count++;
            end->after_last = index > end->after_last ? index : end->after_last;
        }
        if (visit != NULL)
            TRY(visit(owner, index, body));
        at += WAL_FRAME_BYTES + body.size - 1;
    }
    return DONE;
}

static void note_place(struct segment *segment, off_t at)
{
    if (segment->count % SPARSE == 0) {
        segment->place = owned_grow(segment->place, segment->places + 1, sizeof(uint32_t));
        segment->place[segment->places++] = (uint32_t)at;
    }
}

/* Walks the frames of one mapped segment; *index moves on. */
static fault walk_frames(struct segment *segment, struct span bytes, uint64_t *index,
                         wal_visit *visit, void *owner)
{
    struct cursor at = cursor_over(bytes);
    struct span body;
    while (!failed(take_frame(&at, *index, &body))) {
        note_place(segment, (off_t)(body.at - bytes.at) - WAL_FRAME_BYTES);
        segment->count++;
        segment->end = (off_t)(body.at - bytes.at) + (off_t)body.size;
        if (visit != NULL)
            TRY(visit(owner, *index, body));
        (*index)++;
    }
    return DONE;
}

fault wal_map(const char *path, struct span *out)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
    struct stat st;
    if (fd < 0 || fstat(fd, &st) != 0) {
        int error = errno;
        if (fd >= 0)
            close(fd);
        return RAISE(IO_FAILED, "%s: %s", path, strerror(error));
    }
    if (!S_ISREG(st.st_mode) || (uint64_t)st.st_size > WAL_SEGMENT_BYTES_MAX) {
        close(fd);
        return RAISE(LOG_BROKEN, "%s is not a file, or larger than a segment can be", path);
    }
    void *at =
        st.st_size == 0 ? NULL : mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_SHARED, fd, 0);
    close(fd);
    if (at == MAP_FAILED)
        return RAISE(IO_FAILED, "%s: %s", path, strerror(errno));
    *out = span_of(at, (size_t)st.st_size);
    return DONE;
}

void wal_unmap(struct span segment)
{
    if (segment.size > 0)
        munmap((void *)(uintptr_t)segment.at, segment.size);
}

// --- the folder ---------------------------------------------------------------------------------

static void segment_path(const char *folder, uint64_t first, char out[PATH_BYTES])
{
    bool fits = text_format(out, PATH_BYTES, "%s/%020" PRIu64 ".seg", folder, first);
    assert(fits);
}

static int by_first(const void *a, const void *b)
{
    uint64_t x = ((const struct segment *)a)->first, y = ((const struct segment *)b)->first;
    return x < y ? -1 : x > y;
}

static fault list_segments(const char *folder, struct segment **out, size_t *count)
{
    DIR *dir = opendir(folder);
    if (dir == NULL)
        return RAISE(errno == ENOENT ? NOT_FOUND : IO_FAILED, "%s: %s", folder, strerror(errno));
    struct segment *list = NULL;
    size_t found = 0;
    for (struct dirent *entry; (entry = readdir(dir)) != NULL;) {
        uint64_t first = 0;
        size_t length = strlen(entry->d_name);
        if (length != 24 || strcmp(entry->d_name + 20, ".seg") != 0 ||
            failed(text_number(span_of(entry->d_name, 20), UINT64_MAX, &first)))
            continue;
        list = owned_grow(list, found + 1, sizeof *list);
        list[found++] = (struct segment){.first = first};
    }
    closedir(dir);
    if (found > 0)
        qsort(list, found, sizeof *list, by_first);
    *out = list;
    *count = found;
    return DONE;
}

static void free_segments(struct segment *list, size_t count)
{
    for (size_t i = 0; i < count; i++)
        free(list[i].place);
    free(list);
}

static fault walk_one(const char *folder, struct segment *segment, bool last, uint64_t *index,
                      wal_visit *visit, void *owner, struct wal_end *end)
{
    char path[PATH_BYTES];
    segment_path(folder, segment->first, path);
    if (segment->first != *index)
        return RAISE(LOG_BROKEN,
                     "%s begins at %" PRIu64 " but the one before ends at %" PRIu64
                     ": records are missing between",
                     path, segment->first, *index);
    struct span bytes;
    TRY(wal_map(path, &bytes));
    fault f = walk_frames(segment, bytes, index, visit, owner);
    segment->size = (off_t)bytes.size;
    uint64_t rest = 0;
    if (!failed(f) && bytes.size > 0) {
        rest = span_used(span_of(bytes.at + segment->end, bytes.size - (size_t)segment->end));
        if (rest > 0 && last)
            f = walk_tail(span_of(bytes.at + segment->end, rest), *index, NULL, NULL, end);
    }
    wal_unmap(bytes);
    TRY(f);
    if (rest > 0 && !last)
        return RAISE(LOG_BROKEN, "%s is damaged at entry %" PRIu64, path, *index);
    end->cut_bytes = rest;
    return DONE;
}

static fault walk_all(const char *folder, uint64_t first, struct segment *list, size_t count,
                      wal_visit *visit, void *owner, struct wal_end *end)
{
    *end = (struct wal_end){0};
    uint64_t index = count == 0 ? 0 : list[0].first;
    if (index != first)
        return RAISE(LOG_BROKEN,
                     "%s: the first segment begins at %" PRIu64 ", not at %" PRIu64
                     ". Put back the missing segment, or the file \"pruned\" beside this folder",
                     folder, index, first);
    for (size_t i = 0; i < count; i++)
        TRY(walk_one(folder, &list[i], i + 1 == count, &index, visit, owner, end));
    end->size = index;
    end->last_first = count == 0 ? 0 : list[count - 1].first;
    return DONE;
}

void wal_segment_path(const char *folder, uint64_t first, char *out, size_t room)
{
    char path[PATH_BYTES];
    segment_path(folder, first, path);
    bool fits = text_format(out, room, "%s", path);
    assert(fits);
}

/* What a prune that was interrupted has left of earlier segments is passed over. */
static fault list_from(const char *folder, uint64_t first, struct segment **out, size_t *count)
{
    size_t all = 0, left = 0;
    struct segment *list = NULL;
    TRY(list_segments(folder, &list, &all));
    for (size_t i = 0; i < all; i++)
        if (list[i].first >= first)
            list[left++] = list[i];
    *out = list;
    *count = left;
    return DONE;
}

fault wal_walk_from(const char *folder, uint64_t first, wal_visit *visit, void *owner,
                    struct wal_end *end)
{
    struct segment *list = NULL;
    size_t count = 0;
    TRY(list_from(folder, first, &list, &count));
    fault f = walk_all(folder, first, list, count, visit, owner, end);
    free_segments(list, count);
    return f;
}

fault wal_walk(const char *folder, wal_visit *visit, void *owner, struct wal_end *end)
{
    return wal_walk_from(folder, 0, visit, owner, end);
}

// --- writing ------------------------------------------------------------------------------------

static fault fill_zero(int fd, off_t from, off_t to)
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
    char path[PATH_BYTES + 16];
    snprintf(path, sizeof path, "%s/next.tmp", self->folder);
    if (self->next_fd < 0) {
        self->next_fd = open(path, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600);
        self->next_size = 0;
    }
    if (self->next_fd < 0)
        return RAISE(LOG_FAILED, "%s: %s", path, strerror(errno));
    size_t left = self->segment_bytes - self->next_size;
    size_t end = self->next_size + (left < most ? left : most);
    if (failed(fill_zero(self->next_fd, (off_t)self->next_size, (off_t)end)))
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

static void die_of_disk(struct wal *self, const char *event)
{
    EVENT(ERROR, event, E_TEXT("folder", self->folder), E_TEXT("error", strerror(errno)));
    abort();
}

/* Begins a segment whose first frame will be `first`. What can fail for a passing reason happens
 * before the rename; after it the only way on is the new segment. */
static fault roll(struct wal *self, uint64_t first)
{
    if (!is_next_ready(self))
        TRY(make_next(self, self->segment_bytes));
    char from[PATH_BYTES + 16], to[PATH_BYTES];
    snprintf(from, sizeof from, "%s/next.tmp", self->folder);
    segment_path(self->folder, first, to);
    if (rename(from, to) != 0)
        return RAISE(LOG_FAILED, "%s: %s", to, strerror(errno));
    if (fsync(self->folder_fd) != 0)
        die_of_disk(self, "audit.sync_failed");
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

static fault open_last(struct wal *self)
{
    char path[PATH_BYTES];
    segment_path(self->folder, self->segment[self->segments - 1].first, path);
    self->fd = open(path, O_RDWR | O_CLOEXEC | O_NOFOLLOW);
    return self->fd < 0 ? RAISE(LOG_FAILED, "%s: %s", path, strerror(errno)) : DONE;
}

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
    return walk_tail(bytes_span(tail), last->first + last->count, visit, owner, NULL);
}

fault wal_cut_tail(struct wal *self)
{
    const struct segment *last = &self->segment[self->segments - 1];
    OWNED(bytes) tail = NULL;
    char path[PATH_BYTES + 32];
    if (self->rest == 0)
        return DONE;
    TRY(read_tail(self, &tail));
    snprintf(path, sizeof path, "%s/cut-%020" PRIu64 ".tail", self->folder,
             last->first + last->count);
    if (failed(file_replace(path, bytes_span(tail), 0600)))
        return RAISE(LOG_FAILED, "the torn tail could not be set aside in %s", path);
    TRY(fill_zero(self->fd, last->end, last->size));
    if (fsync(self->fd) != 0)
        return RAISE(LOG_FAILED, "%s: %s", self->folder, strerror(errno));
    self->rest = 0;
    return DONE;
}

// --- open and close -----------------------------------------------------------------------------

fault wal_lock(const char *folder, int *fd_out)
{
    char path[PATH_BYTES + 16];
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
    TRY(list_from(folder, first, &self->segment, &self->segments));
    TRY(walk_all(folder, first, self->segment, self->segments, visit, owner, end));
    self->rest = end->cut_bytes;
    TRY(self->segments == 0 ? roll(self, 0) : open_last(self));
    *out = TAKE(self);
    return DONE;
}

/* The whole frames of one segment; *more: the next one may follow on. */
static fault walk_closed(struct wal *self, struct segment *segment, uint64_t *index,
                         wal_visit *visit, void *owner, bool *more)
{
    char path[PATH_BYTES];
    struct span bytes;
    *more = false;
    if (segment->first != *index)
        return DONE;
    segment_path(self->folder, segment->first, path);
    TRY(wal_map(path, &bytes));
    fault f = walk_frames(segment, bytes, index, visit, owner);
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
    char lock[PATH_BYTES + 16];
    snprintf(lock, sizeof lock, "%s/lock", folder);
    if (access(lock, F_OK) == 0)
        TRY(file_lock(lock, &self->lock_fd));
    fault f = list_from(folder, first, &self->segment, &self->segments);
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
    free_segments((*self)->segment, (*self)->segments);
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
        put_u32(head + 4, frame_crc(first + i, leaves[i]));
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
        TRY(roll(self, first));
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
        die_of_disk(self, "audit.write_failed");
    self->touched = true;
    size_t at = 0;
    for (size_t i = 0; i < self->staged_count; i++) {
        note_place(segment, segment->end + (off_t)at);
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
        die_of_disk(self, "audit.sync_failed");
    self->touched = false;
}

void wal_sync_ahead(struct wal *self)
{
    file_sync_ahead(self->fd);
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
    TRY(list_segments(folder, &list, &count));
    for (size_t i = 0; i < count && list[i].first < first && !failed(f); i++) {
        char path[PATH_BYTES];
        segment_path(folder, list[i].first, path);
        if (unlink(path) != 0)
            f = RAISE(IO_FAILED, "%s: %m", path);
    }
    free_segments(list, count);
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
    char path[PATH_BYTES];
    segment_path(self->folder, segment->first, path);
    struct span bytes;
    TRY(wal_map(path, &bytes));
    uint64_t at = segment->first + (index - segment->first) / SPARSE * SPARSE;
    size_t start = segment->place[(index - segment->first) / SPARSE];
    struct cursor cursor = cursor_over(span_of(bytes.at + start, bytes.size - start));
    struct span body = {0};
    fault f = DONE;
    for (; !failed(f) && at <= index; at++)
        f = take_frame(&cursor, at, &body);
    if (!failed(f))
        f = bytes_copy(body, out);
    wal_unmap(bytes);
    return f;
}

// --- following ----------------------------------------------------------------------------------

struct wal_reader {
    char folder[PATH_BYTES];
    uint64_t next;  /* entry to be shown next */
    uint64_t first; /* of the segment that is mapped */
    struct span bytes;
    size_t place;  /* of entry `next` in it */
    size_t let_go; /* up to here its pages are given back */
};

/* What was shown is not read again: its pages shall not count as memory of this process. */
static void let_go(struct wal_reader *self)
{
    size_t whole = self->place - self->place % WAL_LET_GO_BYTES;
    if (whole <= self->let_go)
        return;
    madvise((void *)(uintptr_t)(self->bytes.at + self->let_go), whole - self->let_go,
            MADV_DONTNEED);
    self->let_go = whole;
}

/* Maps the segment that begins at or before this entry: the last such one. */
static fault go_to_segment(struct wal_reader *self, uint64_t index)
{
    struct segment *list = NULL;
    size_t count = 0;
    char path[PATH_BYTES];
    TRY(list_segments(self->folder, &list, &count));
    size_t i = count;
    while (i > 0 && list[i - 1].first > index)
        i--;
    uint64_t first = i > 0 ? list[i - 1].first : 0;
    free_segments(list, count);
    if (i == 0)
        return RAISE(NOT_FOUND, "%s: no segment holds entry %" PRIu64, self->folder, index);
    if (self->bytes.size > 0 && self->first == first)
        return DONE; /* still the last one */
    wal_unmap(self->bytes);
    self->bytes = (struct span){0};
    segment_path(self->folder, first, path);
    TRY(wal_map(path, &self->bytes));
    self->first = first;
    self->place = self->let_go = 0;
    return DONE;
}

/* The frame of entry `next`, here or at the head of the next segment. */
static fault take_next(struct wal_reader *self, struct span *leaf)
{
    for (int attempt = 0; attempt < 2; attempt++) {
        struct cursor at =
            cursor_over(span_of(self->bytes.at + self->place, self->bytes.size - self->place));
        if (!failed(take_frame(&at, self->next, leaf))) {
            let_go(self); /* before it: this leaf is still to be looked at */
            self->place = (size_t)(leaf->at - self->bytes.at) + leaf->size;
            return DONE;
        }
        if (attempt == 0)
            TRY(go_to_segment(self, self->next));
        if (self->first != self->next)
            break;
    }
    return RAISE(LOG_BROKEN, "%s: entry %" PRIu64 " is not there", self->folder, self->next);
}

fault wal_reader_open(const char *folder, uint64_t next, struct wal_reader **out)
{
    OWNED(wal_reader) self = owned_new(sizeof *self);
    struct span leaf;
    if (!text_format(self->folder, sizeof self->folder, "%s", folder))
        return RAISE(BAD_CONFIG, "the log folder's name is too long");
    TRY(go_to_segment(self, next));
    for (self->next = self->first; self->next < next; self->next++)
        TRY(take_next(self, &leaf));
    *out = TAKE(self);
    return DONE;
}

void wal_reader_free(struct wal_reader **self)
{
    if (*self == NULL)
        return;
    wal_unmap((*self)->bytes);
    free(*self);
    *self = NULL;
}

fault wal_reader_show(struct wal_reader *self, uint64_t until, wal_visit *visit, void *owner)
{
    struct span leaf;
    while (self->next < until) {
        TRY(take_next(self, &leaf));
        TRY(visit(owner, self->next, leaf));
        self->next++;
    }
    return DONE;
}
