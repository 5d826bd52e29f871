// SPDX-License-Identifier: MIT
/*
 * Erasing, in an order that a crash may interrupt anywhere: the mark that the day's key is to
 * change, the frames, the record keys; all of it can be done again. What older copies of a slot
 * still hold, in the disk's spare blocks or in a backup, opens no more once its day key is gone.
 */
#include "lib/bus/payload_private.h"

#include "lib/base/file.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#define SLOTS_A_STEP 1024
#define PUNCH_LEAST 65536 /* smaller holes are not worth a call */

fault payload_sync_keys(const char *folder)
{
    char path[PAYLOAD_PATH_BYTES];
    snprintf(path, sizeof path, "%.400s/keys", folder);
    return file_sync_folder(path);
}

static fault open_file(const char *folder, const char *day, const char *ending, int flags, int *fd)
{
    char path[PAYLOAD_PATH_BYTES];
    payload_path(folder, day, ending, path);
    *fd = open(path, flags | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK, 0600);
    return *fd >= 0 ? DONE : RAISE(LOG_FAILED, "%s: %m", path);
}

static fault sync_file(int fd)
{
    return fdatasync(fd) == 0 ? DONE
                              : RAISE(LOG_FAILED, "an erasure could not be made durable: %m");
}

// --- what is held -------------------------------------------------------------------------------

static fault look(int fd, const struct slab_head *head, uint64_t first, uint64_t last, size_t most,
                  uint64_t *list, size_t *count, uint64_t *next)
{
    OWNED(bytes) chunk = NULL;
    uint64_t slots = last - first < SLOTS_A_STEP ? last - first + 1 : SLOTS_A_STEP, i = 0;
    TRY(bytes_new(SLOTS_A_STEP * SLOT_BYTES, &chunk));
    ssize_t got = pread(fd, chunk->data, slots * SLOT_BYTES, slot_place(head->first_index, first));
    if (got < 0)
        return RAISE(IO_FAILED, "a key slab: %m");
    uint64_t there = (uint64_t)got / SLOT_BYTES;
    for (*count = 0; i < there && *count < most; i++) {
        struct slot slot;
        if (!failed(slot_get(chunk->data + i * SLOT_BYTES, first + i, &slot)) &&
            slot_has_key(&slot))
            list[(*count)++] = first + i;
    }
    *next = i == there && there < slots ? last + 1 : first + i; /* or the slab has ended */
    return DONE;
}

fault payload_store_held(const struct payload_store *self, uint64_t first, uint64_t last,
                         size_t most, uint64_t *list, size_t *count, uint64_t *next)
{
    char day[DAY_TEXT_BYTES], damaged[DAY_TEXT_BYTES];
    struct slab_head head;
    uint64_t begins, ends;
    int fd = -1;
    *count = 0;
    *next = last + 1;
    payload_day_of(self->folder, first, day, &head, damaged);
    if (day[0] == '\0')
        return DONE; /* before the first day that is still here */
    TRY(payload_store_day(self->folder, day, &begins, &ends));
    TRY(open_file(self->folder, day, "slab", O_RDONLY, &fd));
    fault f = look(fd, &head, first, last < ends ? last : ends - 1, most, list, count, next);
    close(fd);
    return f;
}

// --- erasing ------------------------------------------------------------------------------------

/* Frames that lie side by side are overwritten, and given back to the disk, as one. */
struct run {
    int fd;
    off_t from, to;
};

static fault overwrite(struct run *run)
{
    static const uint8_t zeros[1 << 16];
    for (off_t at = run->from; at < run->to; at += (off_t)sizeof zeros) {
        size_t size = sizeof zeros;
        if (run->to - at < (off_t)size)
            size = (size_t)(run->to - at);
        TRY(file_write_at(run->fd, span_of(zeros, size), at));
    }
    return DONE;
}

/* Best effort: a file system that cannot make holes keeps the zeros. */
static void punch(const struct run *run)
{
    if (run->to - run->from >= PUNCH_LEAST)
        (void)!fallocate(run->fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, run->from,
                         run->to - run->from);
}

static fault end_run(struct run *run)
{
    if (run->to == run->from)
        return DONE;
    TRY(overwrite(run));
    TRY(sync_file(run->fd));
    punch(run);
    run->from = run->to = 0;
    return DONE;
}

static fault add_frame(struct run *run, const struct slot *slot, off_t size)
{
    off_t from = (off_t)slot->offset, to = from + FRAME_BYTES + (off_t)slot->length;
    if (slot->offset > (uint64_t)size || to > size)
        return DONE; /* it points nowhere: there is nothing to overwrite */
    if (from != run->to)
        TRY(end_run(run));
    if (run->to == run->from)
        run->from = from;
    run->to = to;
    return DONE;
}

static fault overwrite_frames(int slab, int payload, const struct slab_head *head,
                              const uint64_t *list, size_t count)
{
    struct run run = {.fd = payload};
    struct stat facts;
    if (fstat(payload, &facts) != 0)
        return RAISE(LOG_FAILED, "a payload file: %m");
    for (size_t i = 0; i < count; i++) {
        struct slot slot;
        if (!failed(slot_read(slab, head->first_index, list[i], &slot)) && slot_has_key(&slot))
            TRY(add_frame(&run, &slot, facts.st_size));
    }
    return end_run(&run);
}

/* Where the frame lay stays in the slot: the last slot says where to write on. */
static fault overwrite_slots(int slab, const struct slab_head *head, const uint64_t *list,
                             size_t count, uint64_t *erased)
{
    for (size_t i = 0; i < count; i++) {
        uint8_t raw[SLOT_BYTES];
        struct slot slot;
        if (failed(slot_read(slab, head->first_index, list[i], &slot)) || !slot_has_key(&slot))
            continue;
        slot.state = SLOT_ERASED;
        memset(slot.wrapped, 0, sizeof slot.wrapped);
        slot_put(&slot, list[i], raw);
        TRY(file_write_at(slab, span_of(raw, sizeof raw), slot_place(head->first_index, list[i])));
        (*erased)++;
    }
    return sync_file(slab);
}

static fault mark_day(const char *folder, const char *day)
{
    int fd = -1;
    TRY(open_file(folder, day, "rewrap", O_WRONLY | O_CREAT, &fd));
    close(fd);
    return payload_sync_keys(folder);
}

static fault erase_in(int slab, int payload, const uint64_t *list, size_t count, uint64_t *erased)
{
    struct slab_head head;
    TRY(slab_head_read(slab, &head));
    TRY(overwrite_frames(slab, payload, &head, list, count));
    return overwrite_slots(slab, &head, list, count, erased);
}

static fault erase_day(struct payload_store *self, const char *day, const uint64_t *list,
                       size_t count, uint64_t *erased)
{
    int slab = -1, payload = -1;
    if (strcmp(self->rewrap.day, day) == 0)
        payload_rewrap_drop(self); /* it would bring back what is erased now; it is begun again */
    TRY(mark_day(self->folder, day));
    TRY(open_file(self->folder, day, "slab", O_RDWR, &slab));
    fault f = open_file(self->folder, day, "seg", O_RDWR, &payload);
    if (!failed(f))
        f = erase_in(slab, payload, list, count, erased);
    if (payload >= 0)
        close(payload);
    close(slab);
    return f;
}

fault payload_store_erase(struct payload_store *self, const uint64_t *list, size_t count,
                          uint64_t *erased)
{
    *erased = 0;
    for (size_t i = 0, k; i < count; i = k) {
        char day[DAY_TEXT_BYTES], damaged[DAY_TEXT_BYTES];
        struct slab_head head;
        uint64_t first = 0, next = UINT64_MAX;
        payload_day_of(self->folder, list[i], day, &head, damaged);
        if (day[0] != '\0')
            TRY(payload_store_day(self->folder, day, &first, &next));
        for (k = i + 1; k < count && list[k] < next && day[0] != '\0';)
            k++;
        if (day[0] != '\0')
            TRY(erase_day(self, day, list + i, k - i, erased));
    }
    return DONE;
}

// --- days that are over -------------------------------------------------------------------------

/* The slab goes last: as long as it is there, the day can be found and removed again. */
static fault drop_day(const char *folder, const char *day)
{
    static const char *const endings[] = {"rewrap", "seg", "key", "slab"};
    for (size_t i = 0; i < sizeof endings / sizeof endings[0]; i++) {
        char path[PAYLOAD_PATH_BYTES];
        payload_path(folder, day, endings[i], path);
        if (unlink(path) != 0 && errno != ENOENT)
            return RAISE(IO_FAILED, "%s: %m", path);
    }
    return DONE;
}

fault payload_store_drop_before(struct payload_store *self, uint64_t first)
{
    for (;;) {
        char day[DAY_TEXT_BYTES];
        uint64_t begins = 0, next = 0;
        if (failed(payload_oldest_day(self->folder, day)) || strcmp(day, self->day) >= 0 ||
            failed(payload_store_day(self->folder, day, &begins, &next)) || next > first)
            return payload_sync_keys(self->folder);
        if (strcmp(self->rewrap.day, day) == 0)
            payload_rewrap_drop(self);
        TRY(drop_day(self->folder, day));
    }
}

// --- another key for a slab ---------------------------------------------------------------------

static void close_rewrap(const char *folder, struct rewrap *self)
{
    char path[PAYLOAD_PATH_BYTES];
    if (self->day[0] == '\0')
        return;
    payload_path(folder, self->day, "slab.new", path);
    if (self->from >= 0)
        close(self->from);
    if (self->to >= 0)
        close(self->to);
    unlink(path); /* gone already when all went well */
    day_key_free(&self->old);
    day_key_free(&self->fresh);
    *self = (struct rewrap){.from = -1, .to = -1};
}

void payload_rewrap_drop(struct payload_store *self)
{
    close_rewrap(self->folder, &self->rewrap);
}

static fault open_rewrap(const char *folder, struct rewrap *self)
{
    uint8_t head[SLAB_HEAD_BYTES];
    struct stat facts;
    TRY(open_file(folder, self->day, "slab", O_RDONLY, &self->from));
    TRY(slab_head_read(self->from, &self->head));
    if (self->head.key_id != self->old->id)
        return RAISE(REFUSED, "the slab of %s is under another key", self->day);
    if (fstat(self->from, &facts) != 0)
        return RAISE(LOG_FAILED, "a key slab: %m");
    self->slots = ((uint64_t)facts.st_size - SLAB_HEAD_BYTES) / SLOT_BYTES;
    TRY(open_file(folder, self->day, "slab.new", O_WRONLY | O_CREAT | O_TRUNC, &self->to));
    struct slab_head fresh = {self->head.first_index, self->fresh->id};
    slab_head_put(&fresh, head);
    return file_write_at(self->to, span_of(head, sizeof head), 0);
}

static fault begin_rewrap(const char *folder, const char *day, struct day_key **old,
                          struct day_key **fresh, struct rewrap *out)
{
    *out = (struct rewrap){.from = -1, .to = -1, .old = TAKE(*old), .fresh = TAKE(*fresh)};
    memcpy(out->day, day, DAY_TEXT_BYTES);
    fault f = open_rewrap(folder, out);
    if (failed(f))
        close_rewrap(folder, out);
    return f;
}

/* A slot that is damaged, or whose key does not unwrap, is carried over as it is: it opens nothing,
 * and whoever looks for damage shall find it. */
static void rewrap_slot(struct rewrap *self, uint64_t index, uint8_t raw[SLOT_BYTES])
{
    uint8_t key[KEY_WRAP_BYTES];
    struct slot slot;
    if (failed(slot_get(raw, index, &slot)) || !slot_has_key(&slot) ||
        failed(key_wrap_unwrap(self->old->wrap, slot.wrapped, key)))
        return;
    if (!failed(key_wrap_wrap(self->fresh->wrap, key, slot.wrapped)))
        slot_put(&slot, index, raw);
    explicit_bzero(key, sizeof key);
}

static fault rewrap_some(struct rewrap *self)
{
    static const size_t room = SLOTS_A_STEP * SLOT_BYTES;
    uint64_t left = self->slots - self->next;
    size_t count = left < SLOTS_A_STEP ? (size_t)left : SLOTS_A_STEP;
    off_t at = slot_place(0, self->next);
    OWNED(bytes) chunk = NULL;
    TRY(bytes_new(room, &chunk));
    TRY(file_read_at(self->from, chunk->data, count * SLOT_BYTES, at));
    for (size_t i = 0; i < count; i++)
        rewrap_slot(self, self->head.first_index + self->next + i, chunk->data + i * SLOT_BYTES);
    TRY(file_write_at(self->to, span_of(chunk->data, count * SLOT_BYTES), at));
    self->next += count;
    return DONE;
}

/* The key is in its file before a slab needs it; the old one goes when no slab does. */
static fault end_rewrap(const char *folder, struct rewrap *self)
{
    char from[PAYLOAD_PATH_BYTES], to[PAYLOAD_PATH_BYTES], mark[PAYLOAD_PATH_BYTES];
    payload_path(folder, self->day, "slab.new", from);
    payload_path(folder, self->day, "slab", to);
    payload_path(folder, self->day, "rewrap", mark);
    if (fsync(self->to) != 0)
        return RAISE(LOG_FAILED, "%s: %m", from);
    TRY(day_key_file_add(folder, self->day, self->old->id, self->fresh));
    if (rename(from, to) != 0)
        return RAISE(LOG_FAILED, "%s: %m", to);
    TRY(payload_sync_keys(folder));
    TRY(day_key_file_keep_only(folder, self->day, self->fresh->id));
    unlink(mark);
    return payload_sync_keys(folder);
}

static bool is_marked(const char *folder, const char *day)
{
    char path[PAYLOAD_PATH_BYTES];
    payload_path(folder, day, "rewrap", path);
    return access(path, F_OK) == 0;
}

static fault head_of_day(const char *folder, const char *day, struct slab_head *out)
{
    int fd = -1;
    TRY(open_file(folder, day, "slab", O_RDONLY, &fd));
    fault f = slab_head_read(fd, out);
    close(fd);
    return f;
}

fault payload_store_rewrap_due(const struct payload_store *self, char day[DAY_TEXT_BYTES],
                               uint8_t wrapped[KEY_WRAPPED_BYTES])
{
    char path[PAYLOAD_PATH_BYTES];
    struct slab_head head;
    snprintf(path, sizeof path, "%.400s/keys", self->folder);
    DIR *dir = self->rewrap.day[0] == '\0' ? opendir(path) : NULL;
    day[0] = '\0';
    for (struct dirent *entry; dir != NULL && (entry = readdir(dir)) != NULL;)
        if (strlen(entry->d_name) == 15 && strcmp(entry->d_name + 8, ".rewrap") == 0 &&
            strncmp(entry->d_name, self->day, 8) < 0 &&
            (day[0] == '\0' || strncmp(entry->d_name, day, 8) < 0)) {
            memcpy(day, entry->d_name, 8);
            day[8] = '\0';
        }
    if (dir != NULL)
        closedir(dir);
    if (day[0] == '\0')
        return RAISE(NOT_FOUND, "no slab is to change its key");
    TRY(head_of_day(self->folder, day, &head));
    return day_key_file_find(self->folder, day, head.key_id, wrapped);
}

fault payload_store_rewrap_begin(struct payload_store *self, const char *day, struct day_key **old,
                                 struct day_key **fresh)
{
    if (self->rewrap.day[0] != '\0' || strcmp(day, self->day) >= 0)
        return RAISE(REFUSED, "the slab of %s cannot change its key now", day);
    return begin_rewrap(self->folder, day, old, fresh, &self->rewrap);
}

/* The day before may still be read: with its new key from now on. */
static fault end_own(struct payload_store *self)
{
    fault f = end_rewrap(self->folder, &self->rewrap);
    if (!failed(f))
        key_ring_add(self->ring, &self->rewrap.fresh);
    payload_rewrap_drop(self);
    return f;
}

bool payload_store_rewraps(const struct payload_store *self)
{
    return self->rewrap.day[0] != '\0';
}

fault payload_store_rewrap_step(struct payload_store *self, bool *more)
{
    *more = false;
    if (self->rewrap.day[0] == '\0')
        return DONE;
    if (self->rewrap.next == self->rewrap.slots)
        return end_own(self);
    fault f = rewrap_some(&self->rewrap);
    if (failed(f))
        payload_rewrap_drop(self);
    *more = !failed(f);
    return f;
}

static fault rewrap_whole(const char *folder, const char *day, const struct key_holder *holder,
                          uint64_t id)
{
    uint8_t wrapped[KEY_WRAPPED_BYTES], key[KEY_WRAP_BYTES];
    OWNED(day_key) old = NULL;
    OWNED(day_key) fresh = NULL;
    struct rewrap work;
    TRY(day_key_file_find(folder, day, id, wrapped));
    if (failed(holder->unwrap(holder->owner, wrapped, key)))
        return DONE; /* the day cannot be opened either, which is said there */
    fault f = day_key_take(key, wrapped, &old);
    explicit_bzero(key, sizeof key);
    TRY(f);
    TRY(day_key_make(holder, &fresh));
    TRY(begin_rewrap(folder, day, &old, &fresh, &work));
    while (!failed(f) && work.next < work.slots)
        f = rewrap_some(&work);
    if (!failed(f))
        f = end_rewrap(folder, &work);
    close_rewrap(folder, &work);
    return f;
}

fault payload_rewrap_now(const char *folder, const char *day, const struct key_holder *holder)
{
    char path[PAYLOAD_PATH_BYTES];
    struct slab_head head;
    if (failed(head_of_day(folder, day, &head)))
        return DONE; /* blank, or damaged: whoever opens it sees it */
    payload_path(folder, day, "slab.new", path);
    unlink(path);
    TRY(day_key_file_keep_only(folder, day, head.key_id));
    return is_marked(folder, day) ? rewrap_whole(folder, day, holder, head.key_id) : DONE;
}
