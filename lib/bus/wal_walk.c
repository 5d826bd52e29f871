// SPDX-License-Identifier: MIT
#include "lib/bus/wal_private.h"

#include "lib/base/crc32c.h"
#include "lib/base/text.h"
#include "lib/bus/limits.h"

#include <assert.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#define WAL_TAIL_INDEXES (1u << 24) /* more frames than a segment can hold */
#define WAL_TRY_BYTES 64            /* what a try costs besides its checksum */

// --- frames -------------------------------------------------------------------------------------

uint32_t wal_frame_crc(uint64_t index, struct span body)
{
    uint8_t number[8];
    put_u64(number, index);
    return crc32c(crc32c(0, span_of(number, sizeof number)), body);
}

fault wal_take_frame(struct cursor *at, uint64_t index, struct span *body)
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
    if (wal_frame_crc(index, *body) != crc)
        return RAISE(BAD_FRAME, "checksum of frame %" PRIu64, index);
    *at = ahead;
    return DONE;
}

/* Every place where a whole frame with an index beyond `size` begins. The length of what is damaged
 * is not known, so each byte is tried; the index alone rules out nearly all. What was made to look
 * like frames is given up in the end. */
fault wal_walk_tail(struct span tail, uint64_t size, wal_visit *visit, void *owner,
                    struct wal_end *end)
{
    size_t wasted = 0;
    for (size_t at = 0; at + WAL_FRAME_BYTES < tail.size && wasted < WAL_TAIL_WASTE_BYTES; at++) {
        uint64_t index = get_u64(tail.at + at + 8);
        struct cursor cursor = cursor_over(span_of(tail.at + at, tail.size - at));
        struct span body;
        if (index < size || index - size > WAL_TAIL_INDEXES)
            continue;
        if (failed(wal_take_frame(&cursor, index, &body))) {
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

void wal_note_place(struct segment *segment, off_t at)
{
    if (segment->count % WAL_SPARSE == 0) {
        segment->place = owned_grow(segment->place, segment->places + 1, sizeof(uint32_t));
        segment->place[segment->places++] = (uint32_t)at;
    }
}

fault wal_walk_frames(struct segment *segment, struct span bytes, uint64_t *index, wal_visit *visit,
                      void *owner)
{
    struct cursor at = cursor_over(bytes);
    struct span body;
    while (!failed(wal_take_frame(&at, *index, &body))) {
        wal_note_place(segment, (off_t)(body.at - bytes.at) - WAL_FRAME_BYTES);
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

void wal_path(const char *folder, uint64_t first, char out[WAL_PATH_BYTES])
{
    bool fits = text_format(out, WAL_PATH_BYTES, "%s/%020" PRIu64 ".seg", folder, first);
    assert(fits);
}

static int by_first(const void *a, const void *b)
{
    uint64_t x = ((const struct segment *)a)->first, y = ((const struct segment *)b)->first;
    return x < y ? -1 : x > y;
}

fault wal_list_segments(const char *folder, struct segment **out, size_t *count)
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

void wal_free_segments(struct segment *list, size_t count)
{
    for (size_t i = 0; i < count; i++)
        free(list[i].place);
    free(list);
}

static fault walk_one(const char *folder, struct segment *segment, bool last, uint64_t *index,
                      wal_visit *visit, void *owner, struct wal_end *end)
{
    char path[WAL_PATH_BYTES];
    wal_path(folder, segment->first, path);
    if (segment->first != *index)
        return RAISE(LOG_BROKEN,
                     "%s begins at %" PRIu64 " but the one before ends at %" PRIu64
                     ": records are missing between",
                     path, segment->first, *index);
    struct span bytes;
    TRY(wal_map(path, &bytes));
    fault f = wal_walk_frames(segment, bytes, index, visit, owner);
    segment->size = (off_t)bytes.size;
    uint64_t rest = 0;
    if (!failed(f) && bytes.size > 0) {
        rest = span_used(span_of(bytes.at + segment->end, bytes.size - (size_t)segment->end));
        if (rest > 0 && last)
            f = wal_walk_tail(span_of(bytes.at + segment->end, rest), *index, NULL, NULL, end);
    }
    wal_unmap(bytes);
    TRY(f);
    if (rest > 0 && !last)
        return RAISE(LOG_BROKEN, "%s is damaged at entry %" PRIu64, path, *index);
    end->cut_bytes = rest;
    return DONE;
}

fault wal_walk_all(const char *folder, uint64_t first, struct segment *list, size_t count,
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
    char path[WAL_PATH_BYTES];
    wal_path(folder, first, path);
    bool fits = text_format(out, room, "%s", path);
    assert(fits);
}

fault wal_list_from(const char *folder, uint64_t first, struct segment **out, size_t *count)
{
    size_t all = 0, left = 0;
    struct segment *list = NULL;
    TRY(wal_list_segments(folder, &list, &all));
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
    TRY(wal_list_from(folder, first, &list, &count));
    fault f = wal_walk_all(folder, first, list, count, visit, owner, end);
    wal_free_segments(list, count);
    return f;
}

fault wal_walk(const char *folder, wal_visit *visit, void *owner, struct wal_end *end)
{
    return wal_walk_from(folder, 0, visit, owner, end);
}
