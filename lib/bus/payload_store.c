// SPDX-License-Identifier: MIT
#include "lib/bus/payload_store.h"

#include "lib/base/crc32c.h"
#include "lib/base/cursor.h"
#include "lib/base/event.h"
#include "lib/base/file.h"
#include "lib/base/text.h"
#include "lib/bus/limits.h"
#include "lib/crypto/random.h"
#include "lib/crypto/seal.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define PATH_BYTES 512
#define FRAME_BYTES 16
#define SLAB_MAGIC "CHSKSLAB"
#define SLAB_HEAD_BYTES 16
#define SLOT_BYTES 48
#define PAYLOAD_AHEAD (4u << 20) /* zero-filled ahead, so that a commit changes no metadata */
#define SLAB_AHEAD (256u << 10)

/* A file that is filled with zeros some way ahead of where it is written. */
struct ahead_file {
    int fd;
    off_t size;
    off_t step;
    bool touched;
};

struct payload_store {
    char folder[PATH_BYTES];
    char day[9]; /* yyyymmdd of the open files; "" before the first */
    uint64_t first_index;
    uint64_t next_index;
    uint64_t ahead; /* found when it was opened */
    off_t payload_end;
    struct ahead_file payload;
    struct ahead_file slab;
};

// --- files ahead --------------------------------------------------------------------------------

static fault file_open(const char *path, off_t step, struct ahead_file *out)
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

static fault file_grow(struct ahead_file *self, off_t needed)
{
    static const uint8_t zeros[1 << 16];
    while (self->size < needed) {
        off_t stop = self->size + self->step;
        for (off_t at = self->size; at < stop; at += (off_t)sizeof zeros)
            if (failed(file_write_at(self->fd, span_of(zeros, sizeof zeros), at)))
                return RAISE(LOG_FAILED, "no room for payloads: %s", strerror(errno));
        self->size = stop;
    }
    return DONE;
}

static fault file_put(struct ahead_file *self, struct span bytes, off_t at)
{
    TRY(file_grow(self, at + (off_t)bytes.size));
    self->touched = true;
    if (failed(file_write_at(self->fd, bytes, at)))
        return RAISE(LOG_FAILED, "a payload could not be written: %s", strerror(errno));
    return DONE;
}

static void file_sync(struct ahead_file *self, const char *folder)
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

// --- days ---------------------------------------------------------------------------------------

static void day_of(int64_t wall_ms, char out[9])
{
    time_t seconds = (time_t)(wall_ms / 1000);
    struct tm utc;
    gmtime_r(&seconds, &utc);
    strftime(out, 9, "%Y%m%d", &utc);
}

static void day_path(const char *folder, const char *kind, const char *day, char out[PATH_BYTES])
{
    const char *ending = strcmp(kind, "keys") == 0 ? "slab" : "seg";
    snprintf(out, PATH_BYTES, "%.400s/%s/%.8s.%s", folder, kind, day, ending);
}

/* NOT_FOUND while it is blank: its size came to the disk before its head did, and no record can
 * have come into the log since. LOG_BROKEN when it begins as anything else. */
static fault read_slab_head(int fd, uint64_t *first_index)
{
    static const uint8_t blank[SLAB_HEAD_BYTES];
    uint8_t head[SLAB_HEAD_BYTES];
    struct stat st;
    if (fstat(fd, &st) != 0)
        return RAISE(IO_FAILED, "a key slab: %s", strerror(errno));
    if (st.st_size < SLAB_HEAD_BYTES)
        return RAISE(NOT_FOUND, "a key slab without a head");
    TRY(file_read_at(fd, head, sizeof head, 0));
    if (memcmp(head, blank, sizeof head) == 0)
        return RAISE(NOT_FOUND, "a key slab without a head");
    if (memcmp(head, SLAB_MAGIC, 8) != 0)
        return RAISE(LOG_BROKEN, "a key slab does not begin as one");
    *first_index = get_u64(head + 8);
    return DONE;
}

struct slot {
    uint64_t offset;
    uint32_t length;
    uint32_t state;
    uint8_t key[SEAL_KEY_BYTES];
};

static off_t slot_place(uint64_t first_index, uint64_t index)
{
    return (off_t)(SLAB_HEAD_BYTES + (index - first_index) * SLOT_BYTES);
}

static fault read_slot(int fd, uint64_t first_index, uint64_t index, struct slot *out)
{
    uint8_t raw[SLOT_BYTES];
    TRY(file_read_at(fd, raw, sizeof raw, slot_place(first_index, index)));
    out->offset = get_u64(raw);
    out->length = get_u32(raw + 8);
    out->state = get_u32(raw + 12);
    memcpy(out->key, raw + 16, SEAL_KEY_BYTES);
    seal_wipe(raw, sizeof raw);
    return DONE;
}

/* A damaged slot must not say where to write on: payloads would be written over, or the disk filled
 * up to a place far away. */
static fault check_last(struct payload_store *self, const char *slab, uint64_t index,
                        const struct slot *slot)
{
    uint8_t head[FRAME_BYTES];
    uint64_t size = (uint64_t)self->payload.size;
    if (slot->offset > size || FRAME_BYTES + (uint64_t)slot->length > size - slot->offset)
        return RAISE(LOG_BROKEN, "%s: entry %" PRIu64 " points beyond the payloads", slab, index);
    if (slot->state > PAYLOAD_ERASED)
        return RAISE(LOG_BROKEN, "%s: entry %" PRIu64 " is in no known state", slab, index);
    if (slot->state == PAYLOAD_HELD) {
        TRY(file_read_at(self->payload.fd, head, sizeof head, (off_t)slot->offset));
        if (get_u32(head) != slot->length || get_u64(head + 8) != index)
            return RAISE(LOG_BROKEN, "%s: entry %" PRIu64 " points to no payload of its own", slab,
                         index);
    }
    return DONE;
}

/* Where the next payload goes: after the last one that a committed record points to. */
static fault find_payload_end(struct payload_store *self, const char *slab)
{
    self->payload_end = 0;
    for (uint64_t index = self->next_index; index > self->first_index; index--) {
        struct slot slot;
        TRY(read_slot(self->slab.fd, self->first_index, index - 1, &slot));
        seal_wipe(slot.key, sizeof slot.key);
        if (slot.state == PAYLOAD_NONE)
            continue;
        TRY(check_last(self, slab, index - 1, &slot));
        self->payload_end = (off_t)(slot.offset + FRAME_BYTES + slot.length);
        return DONE;
    }
    return DONE;
}

/* A slab that was there before: it must fit the log, or growing it would go anywhere. */
static fault check_slab(const struct payload_store *self, const char *slab)
{
    if (self->first_index > self->next_index)
        return RAISE(LOG_SHRUNK,
                     "%s holds keys from entry %" PRIu64 " on, but the log ends at %" PRIu64
                     ". Put back the complete files",
                     slab, self->first_index, self->next_index);
    uint64_t slots = ((uint64_t)self->slab.size - SLAB_HEAD_BYTES) / SLOT_BYTES;
    if (self->next_index - self->first_index > slots)
        return RAISE(LOG_BROKEN,
                     "%s holds keys for %" PRIu64 " entries from %" PRIu64
                     " on, but the log has %" PRIu64,
                     slab, slots, self->first_index, self->next_index);
    return DONE;
}

static fault count_ahead(struct payload_store *self)
{
    uint64_t slots = ((uint64_t)self->slab.size - SLAB_HEAD_BYTES) / SLOT_BYTES;
    self->ahead = 0;
    for (uint64_t index = self->next_index; index < self->first_index + slots; index++) {
        struct slot slot;
        TRY(read_slot(self->slab.fd, self->first_index, index, &slot));
        seal_wipe(slot.key, sizeof slot.key);
        if (slot.state != PAYLOAD_NONE)
            self->ahead = index + 1 - self->next_index;
    }
    return DONE;
}

static void close_day(struct payload_store *self)
{
    payload_store_sync(self);
    if (self->payload.fd >= 0)
        close(self->payload.fd);
    if (self->slab.fd >= 0)
        close(self->slab.fd);
    self->payload.fd = self->slab.fd = -1;
    self->day[0] = '\0';
}

/* Takes over what the slab says, or gives a new one its head. A damaged one is left as it is: with
 * another first index its keys would be written over. */
static fault begin_slab(struct payload_store *self, const char *slab)
{
    uint8_t head[SLAB_HEAD_BYTES] = SLAB_MAGIC;
    fault f = read_slab_head(self->slab.fd, &self->first_index);
    if (!failed(f))
        return check_slab(self, slab);
    if (f.code != NOT_FOUND)
        return f;
    self->first_index = self->next_index;
    put_u64(head + 8, self->first_index);
    return file_put(&self->slab, span_of(head, sizeof head), 0);
}

static fault open_day(struct payload_store *self, const char *day)
{
    char payload[PATH_BYTES], slab[PATH_BYTES], folder[PATH_BYTES];
    day_path(self->folder, "payload", day, payload);
    day_path(self->folder, "keys", day, slab);
    TRY(file_open(payload, PAYLOAD_AHEAD, &self->payload));
    TRY(file_open(slab, SLAB_AHEAD, &self->slab));
    TRY(begin_slab(self, slab));
    TRY(file_grow(&self->slab, slot_place(self->first_index, self->next_index)));
    TRY(find_payload_end(self, slab));
    snprintf(folder, sizeof folder, "%.400s/payload", self->folder);
    TRY(file_sync_folder(folder));
    snprintf(folder, sizeof folder, "%.400s/keys", self->folder);
    TRY(file_sync_folder(folder));
    memcpy(self->day, day, 9);
    return DONE;
}

/* The newest day on disk: a clock that went back must not reopen an older one. */
static fault newest_day(const char *folder, char out[9])
{
    char path[PATH_BYTES];
    snprintf(path, sizeof path, "%.400s/keys", folder);
    DIR *dir = opendir(path);
    if (dir == NULL)
        return RAISE(IO_FAILED, "%s: %s", path, strerror(errno));
    out[0] = '\0';
    for (struct dirent *entry; (entry = readdir(dir)) != NULL;)
        if (strlen(entry->d_name) == 13 && strcmp(entry->d_name + 8, ".slab") == 0 &&
            strncmp(entry->d_name, out, 8) > 0) {
            memcpy(out, entry->d_name, 8);
            out[8] = '\0';
        }
    closedir(dir);
    return DONE;
}

// --- the store ----------------------------------------------------------------------------------

fault payload_store_open(const char *folder, uint64_t next_index, struct payload_store **out)
{
    OWNED(payload_store) self = owned_new(sizeof *self);
    self->payload.fd = self->slab.fd = -1;
    self->next_index = next_index;
    if (strlen(folder) > 400 || !text_format(self->folder, sizeof self->folder, "%s", folder))
        return RAISE(BAD_CONFIG, "the log folder's name is too long");
    char path[PATH_BYTES], day[9];
    snprintf(path, sizeof path, "%.400s/payload", folder);
    TRY(file_make_folders(path, 0700));
    snprintf(path, sizeof path, "%.400s/keys", folder);
    TRY(file_make_folders(path, 0700));
    TRY(newest_day(folder, day));
    if (day[0] != '\0') {
        fault f = open_day(self, day);
        if (failed(f)) {
            close_day(self);
            return f;
        }
        TRY(count_ahead(self));
    }
    *out = TAKE(self);
    return DONE;
}

uint64_t payload_store_ahead(const struct payload_store *self)
{
    return self->ahead;
}

void payload_store_free(struct payload_store **self)
{
    if (*self == NULL)
        return;
    close_day(*self);
    free(*self);
    *self = NULL;
}

static fault go_to_day(struct payload_store *self, int64_t wall_ms)
{
    char day[9];
    day_of(wall_ms, day);
    if (self->day[0] != '\0' && strcmp(day, self->day) <= 0)
        return DONE;
    close_day(self);
    fault f = open_day(self, day);
    if (failed(f))
        close_day(self);
    return f;
}

/* Frame with the encrypted blob; the record key goes to `key`. */
static fault build_frame(uint64_t index, const struct sha256 *leaf_hash, struct span blob,
                         uint8_t key[SEAL_KEY_BYTES], struct bytes **out)
{
    OWNED(seal_key) cipher = NULL;
    OWNED(bytes) frame = NULL;
    random_fill(key, SEAL_KEY_BYTES);
    TRY(seal_key_make(key, &cipher));
    size_t length = blob.size + SEAL_TAG_BYTES;
    TRY(bytes_new(FRAME_BYTES + length, &frame));
    TRY(seal_encrypt(cipher, 0, sha256_span(leaf_hash), blob, frame->data + FRAME_BYTES));
    put_u32(frame->data, (uint32_t)length);
    put_u64(frame->data + 8, index);
    put_u32(frame->data + 4, crc32c(0, span_of(frame->data + 8, 8 + length)));
    *out = TAKE(frame);
    return DONE;
}

static fault put_slot(struct payload_store *self, uint64_t index, const struct slot *slot)
{
    uint8_t raw[SLOT_BYTES];
    put_u64(raw, slot->offset);
    put_u32(raw + 8, slot->length);
    put_u32(raw + 12, slot->state);
    memcpy(raw + 16, slot->key, SEAL_KEY_BYTES);
    fault f = file_put(&self->slab, span_of(raw, sizeof raw), slot_place(self->first_index, index));
    seal_wipe(raw, sizeof raw);
    return f;
}

fault payload_store_write(struct payload_store *self, uint64_t index,
                          const struct sha256 *leaf_hash, struct span blob, int64_t wall_ms)
{
    self->next_index = index; /* a group that failed is tried again with the same indexes */
    TRY(go_to_day(self, wall_ms));
    struct slot slot = {.state = PAYLOAD_NONE};
    if (blob.size > 0) {
        OWNED(bytes) frame = NULL;
        TRY(build_frame(index, leaf_hash, blob, slot.key, &frame));
        slot.offset = (uint64_t)self->payload_end;
        slot.length = (uint32_t)(frame->size - FRAME_BYTES);
        slot.state = PAYLOAD_HELD;
        TRY(file_put(&self->payload, bytes_span(frame), self->payload_end));
    }
    fault f = put_slot(self, index, &slot);
    seal_wipe(slot.key, sizeof slot.key);
    TRY(f);
    if (blob.size > 0)
        self->payload_end = (off_t)(slot.offset + FRAME_BYTES + slot.length);
    self->next_index = index + 1;
    return DONE;
}

void payload_store_sync(struct payload_store *self)
{
    file_sync(&self->payload, self->folder);
    file_sync(&self->slab, self->folder);
}

// --- reading back -------------------------------------------------------------------------------

/* Keeps the day of this file when it is newer. */
static bool take_newer(const char *name, char day[9])
{
    if (strncmp(name, day, 8) <= 0)
        return false;
    memcpy(day, name, 8);
    day[8] = '\0';
    return true;
}

/* The day whose slab holds this index: the newest one that begins at or below it. Where a damaged
 * slab begins is not known: *damaged is the newest such day, or "". */
static void day_holding(const char *folder, uint64_t index, char out[9], uint64_t *first_index,
                        char damaged[9])
{
    char path[PATH_BYTES];
    snprintf(path, sizeof path, "%.400s/keys", folder);
    out[0] = damaged[0] = '\0';
    DIR *dir = opendir(path);
    if (dir == NULL)
        return;
    for (struct dirent *entry; (entry = readdir(dir)) != NULL;) {
        if (strlen(entry->d_name) != 13 || strcmp(entry->d_name + 8, ".slab") != 0)
            continue;
        uint64_t first = 0;
        int fd = openat(dirfd(dir), entry->d_name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
        if (fd < 0)
            continue;
        fault f = read_slab_head(fd, &first);
        close(fd);
        if (f.code == LOG_BROKEN)
            take_newer(entry->d_name, damaged);
        else if (!failed(f) && first <= index && take_newer(entry->d_name, out))
            *first_index = first;
    }
    closedir(dir);
}

static fault load_slot(const char *folder, const char *day, uint64_t first_index, uint64_t index,
                       struct slot *out)
{
    char path[PATH_BYTES];
    day_path(folder, "keys", day, path);
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
    if (fd < 0)
        return RAISE(IO_FAILED, "%s: %s", path, strerror(errno));
    fault f = read_slot(fd, first_index, index, out);
    close(fd);
    if (failed(f)) /* the slab ends before: nothing was ever kept for this index */
        *out = (struct slot){.state = PAYLOAD_NONE};
    return DONE;
}

static fault load_frame(const char *folder, const char *day, const struct slot *slot,
                        uint64_t index, struct bytes **out)
{
    if (slot->length < SEAL_TAG_BYTES ||
        slot->length > PAYLOAD_BYTES_MAX + SALT_BYTES + SEAL_TAG_BYTES)
        return RAISE(LOG_BROKEN, "the slot of %" PRIu64 " names an impossible length", index);
    char path[PATH_BYTES];
    day_path(folder, "payload", day, path);
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
    if (fd < 0)
        return RAISE(LOG_BROKEN, "%s: %s", path, strerror(errno));
    OWNED(bytes) frame = NULL;
    fault f = bytes_new(FRAME_BYTES + slot->length, &frame);
    if (!failed(f))
        f = file_read_at(fd, frame->data, frame->size, (off_t)slot->offset);
    close(fd);
    if (failed(f) || get_u32(frame->data) != slot->length || get_u64(frame->data + 8) != index ||
        get_u32(frame->data + 4) != crc32c(0, span_of(frame->data + 8, 8 + slot->length)))
        return RAISE(LOG_BROKEN, "the payload frame of %" PRIu64 " is damaged", index);
    *out = TAKE(frame);
    return DONE;
}

static fault open_frame(const struct slot *slot, const struct sha256 *leaf_hash,
                        const struct bytes *frame, struct bytes **out)
{
    OWNED(seal_key) cipher = NULL;
    OWNED(bytes) blob = NULL;
    TRY(seal_key_make(slot->key, &cipher));
    TRY(bytes_new(slot->length - SEAL_TAG_BYTES, &blob));
    struct span sealed = span_of(frame->data + FRAME_BYTES, slot->length);
    if (failed(seal_decrypt(cipher, 0, sha256_span(leaf_hash), sealed, blob->data)))
        return RAISE(LOG_BROKEN, "a payload does not decrypt with its key");
    *out = TAKE(blob);
    return DONE;
}

fault payload_store_read(const char *folder, uint64_t index, const struct sha256 *leaf_hash,
                         enum payload_state *state, struct bytes **out)
{
    char day[9], damaged[9];
    uint64_t first_index = 0;
    struct slot slot = {.state = PAYLOAD_NONE};
    OWNED(bytes) frame = NULL;
    *state = PAYLOAD_NONE;
    day_holding(folder, index, day, &first_index, damaged);
    if (day[0] != '\0')
        TRY(load_slot(folder, day, first_index, index, &slot));
    if (slot.state == PAYLOAD_NONE && strcmp(damaged, day) > 0)
        return RAISE(LOG_BROKEN, "a key slab of %s does not begin as one", damaged);
    fault f = DONE;
    if (slot.state > PAYLOAD_ERASED)
        f = RAISE(LOG_BROKEN, "the slot of %" PRIu64 " is in no known state", index);
    if (slot.state == PAYLOAD_HELD) {
        f = load_frame(folder, day, &slot, index, &frame);
        if (!failed(f))
            f = open_frame(&slot, leaf_hash, frame, out);
    }
    seal_wipe(slot.key, sizeof slot.key);
    if (!failed(f))
        *state = (enum payload_state)slot.state;
    return f;
}
