// SPDX-License-Identifier: MIT
#include "lib/bus/payload_private.h"

#include "lib/base/cursor.h"
#include "lib/base/file.h"
#include "lib/base/text.h"
#include "lib/bus/store_key.h"

#include <dirent.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#define PAYLOAD_AHEAD (4u << 20) /* zero-filled ahead, so that a commit changes no metadata */
#define SLAB_AHEAD (256u << 10)

// --- days ---------------------------------------------------------------------------------------

static void day_of(int64_t wall_ms, char out[9])
{
    time_t seconds = (time_t)(wall_ms / 1000);
    struct tm utc;
    gmtime_r(&seconds, &utc);
    strftime(out, 9, "%Y%m%d", &utc);
}

/* A damaged slot must not say where to write on: payloads would be written over, or the disk filled
 * up to a place far away. */
static fault check_last(struct payload_store *self, const char *slab, uint64_t index,
                        const struct slot *slot)
{
    uint8_t head[FRAME_BYTES];
    uint64_t size = (uint64_t)self->payload.size;
    uint64_t frame = slot->length > 0 ? FRAME_BYTES + (uint64_t)slot->length : 0;
    if (slot->offset > size || frame > size - slot->offset)
        return RAISE(LOG_BROKEN, "%s: entry %" PRIu64 " points beyond the payloads", slab, index);
    if (slot->state > SLOT_SALT)
        return RAISE(LOG_BROKEN, "%s: entry %" PRIu64 " is in no known state", slab, index);
    if (slot_has_key(slot)) {
        TRY(file_read_at(self->payload.fd, head, sizeof head, (off_t)slot->offset));
        if (get_u32(head) != slot->length || get_u64(head + 8) != index)
            return RAISE(LOG_BROKEN, "%s: entry %" PRIu64 " points to no payload of its own", slab,
                         index);
    }
    return DONE;
}

static off_t end_of(const struct slot *slot)
{
    return (off_t)(slot->offset + (slot->length > 0 ? FRAME_BYTES + slot->length : 0));
}

/* Where the next payload goes: the last slot that was written says it. */
static fault find_payload_end(struct payload_store *self, const char *slab)
{
    self->payload_end = 0;
    for (uint64_t index = self->next_index; index > self->head.first_index; index--) {
        struct slot slot;
        TRY(slot_read(self->slab.fd, self->head.first_index, index - 1, &slot));
        if (slot.blank)
            continue;
        TRY(check_last(self, slab, index - 1, &slot));
        self->payload_end = end_of(&slot);
        return DONE;
    }
    return DONE;
}

/* A slab that was there before: it must fit the log, or growing it would go anywhere. */
static fault check_slab(const struct payload_store *self, const char *slab)
{
    if (self->head.first_index > self->next_index)
        return RAISE(LOG_SHRUNK,
                     "%s holds keys from entry %" PRIu64 " on, but the log ends at %" PRIu64
                     ". Put back the complete files",
                     slab, self->head.first_index, self->next_index);
    uint64_t slots = ((uint64_t)self->slab.size - SLAB_HEAD_BYTES) / SLOT_BYTES;
    if (self->next_index - self->head.first_index > slots)
        return RAISE(LOG_BROKEN,
                     "%s holds keys for %" PRIu64 " entries from %" PRIu64
                     " on, but the log has %" PRIu64,
                     slab, slots, self->head.first_index, self->next_index);
    return DONE;
}

/* Whatever stands in a slot, it was written: half a group may have come to the disk. */
static fault count_ahead(struct payload_store *self)
{
    uint64_t slots = ((uint64_t)self->slab.size - SLAB_HEAD_BYTES) / SLOT_BYTES;
    self->ahead = 0;
    for (uint64_t index = self->next_index; index < self->head.first_index + slots; index++) {
        struct slot slot;
        fault f = slot_read(self->slab.fd, self->head.first_index, index, &slot);
        if (failed(f) && f.code != LOG_BROKEN)
            return f;
        if (!slot.blank)
            self->ahead = index + 1 - self->next_index;
    }
    return DONE;
}

static void close_day(struct payload_store *self)
{
    payload_store_sync(self);
    ahead_file_close(&self->payload);
    ahead_file_close(&self->slab);
    self->day[0] = '\0';
    self->key = NULL;
}

/* The spare key becomes this day's: in its file before the slab names it. */
static fault begin_slab(struct payload_store *self, const char *day)
{
    uint8_t head[SLAB_HEAD_BYTES];
    if (self->spare == NULL)
        return RAISE(LOG_FAILED, "no key lies ready for the payloads of %s", day);
    self->head = (struct slab_head){self->next_index, self->spare->id};
    TRY(day_key_file_begin(self->folder, day, self->spare));
    slab_head_put(&self->head, head);
    TRY(ahead_file_put(&self->slab, span_of(head, sizeof head), 0));
    self->key = self->spare;
    key_ring_add(self->ring, &self->spare);
    return DONE;
}

/* Takes over what the slab says, or gives a new one its head and a key. A damaged one is left as it
 * is: with another first index its keys would be written over. */
static fault take_slab(struct payload_store *self, const char *day, const char *slab)
{
    fault f = slab_head_read(self->slab.fd, &self->head);
    if (f.code == NOT_FOUND)
        return begin_slab(self, day);
    TRY(f);
    TRY(check_slab(self, slab));
    TRY(key_ring_find(self->ring, self->folder, day, self->head.key_id, &self->key));
    if (self->key == NULL)
        return RAISE(BAD_KEY,
                     "the key of %s is not under this server's " STORE_KEY_FILE
                     ": put back the one that was in use",
                     slab);
    return DONE;
}

static fault open_day(struct payload_store *self, const char *day)
{
    char payload[PAYLOAD_PATH_BYTES], slab[PAYLOAD_PATH_BYTES], folder[PAYLOAD_PATH_BYTES];
    payload_path(self->folder, day, "seg", payload);
    payload_path(self->folder, day, "slab", slab);
    TRY(ahead_file_open(payload, PAYLOAD_AHEAD, &self->payload));
    TRY(ahead_file_open(slab, SLAB_AHEAD, &self->slab));
    TRY(take_slab(self, day, slab));
    TRY(ahead_file_grow(&self->slab, slot_place(self->head.first_index, self->next_index)));
    TRY(find_payload_end(self, slab));
    snprintf(folder, sizeof folder, "%.400s/payload", self->folder);
    TRY(file_sync_folder(folder));
    TRY(payload_sync_keys(self->folder));
    ahead_file_sync(&self->slab, self->folder); /* slots that a journal keeps lie below its head */
    memcpy(self->day, day, DAY_TEXT_BYTES);
    return DONE;
}

/* The newest day on disk: a clock that went back must not reopen an older one. */
static fault newest_day(const char *folder, char out[DAY_TEXT_BYTES])
{
    char path[PAYLOAD_PATH_BYTES];
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

/* Outcomes of the last minutes may lie in the day before. */
static void add_day_before(struct payload_store *self)
{
    char day[DAY_TEXT_BYTES], damaged[DAY_TEXT_BYTES];
    struct slab_head head = {0};
    struct day_key *key = NULL;
    if (self->head.first_index == 0)
        return;
    payload_day_of(self->folder, self->head.first_index - 1, day, &head, damaged);
    if (day[0] != '\0') /* what cannot be opened is told when somebody wants it */
        ignore(key_ring_find(self->ring, self->folder, day, head.key_id, &key));
}

static fault open_newest(struct payload_store *self, const struct key_holder *holder)
{
    char day[DAY_TEXT_BYTES];
    TRY(newest_day(self->folder, day));
    if (day[0] == '\0')
        return DONE;
    TRY(payload_rewrap_now(self->folder, day, holder));
    fault f = open_day(self, day);
    if (failed(f)) {
        close_day(self);
        return f;
    }
    add_day_before(self);
    return count_ahead(self);
}

fault payload_store_open(const char *folder, uint64_t next_index, const struct key_holder *holder,
                         struct payload_store **out)
{
    OWNED(payload_store) self = owned_new(sizeof *self);
    self->payload.fd = self->slab.fd = -1;
    self->rewrap.from = self->rewrap.to = -1;
    self->next_index = next_index;
    if (strlen(folder) > 400 || !text_format(self->folder, sizeof self->folder, "%s", folder))
        return RAISE(BAD_CONFIG, "the log folder's name is too long");
    char path[PAYLOAD_PATH_BYTES];
    snprintf(path, sizeof path, "%.400s/payload", folder);
    TRY(file_make_folders(path, 0700));
    snprintf(path, sizeof path, "%.400s/keys", folder);
    TRY(file_make_folders(path, 0700));
    self->frames = bytes_empty(0);
    self->slots = bytes_empty(0);
    TRY(seal_once_new(&self->cipher));
    self->ring = key_ring_new(holder);
    TRY(day_key_make(holder, &self->spare));
    TRY(open_newest(self, holder));
    if (self->spare == NULL) /* a slab that was still blank took it */
        TRY(day_key_make(holder, &self->spare));
    key_ring_close(self->ring);
    *out = TAKE(self);
    return DONE;
}

/* Each once: what cannot be opened stays due. */
static fault rewrap_all_due(struct payload_store *self, const struct key_holder *holder)
{
    char before[DAY_TEXT_BYTES] = "", day[DAY_TEXT_BYTES];
    uint8_t wrapped[KEY_WRAPPED_BYTES];
    for (;;) {
        fault f = payload_store_rewrap_due(self, day, wrapped);
        if (failed(f) || strcmp(day, before) <= 0)
            return f.code == NOT_FOUND || f.code == LOG_BROKEN ? DONE : f;
        memcpy(before, day, sizeof before);
        TRY(payload_rewrap_now(self->folder, day, holder));
    }
}

static void add_newest_keys(struct payload_store *self)
{
    char day[DAY_TEXT_BYTES], damaged[DAY_TEXT_BYTES];
    struct slab_head head = {0};
    struct day_key *key = NULL;
    for (uint64_t index = UINT64_MAX, i = 0; i < 2; index = head.first_index - 1, i++) {
        payload_day_of(self->folder, index, day, &head, damaged);
        if (day[0] == '\0')
            return;
        ignore(key_ring_find(self->ring, self->folder, day, head.key_id, &key));
        if (head.first_index == 0)
            return;
    }
}

fault payload_store_open_closed(const char *folder, const struct key_holder *holder,
                                struct payload_store **out)
{
    OWNED(payload_store) self = owned_new(sizeof *self);
    self->payload.fd = self->slab.fd = -1;
    self->rewrap.from = self->rewrap.to = -1;
    if (strlen(folder) > 400 || !text_format(self->folder, sizeof self->folder, "%s", folder))
        return RAISE(BAD_CONFIG, "the log folder's name is too long");
    memcpy(self->day, "99999999", DAY_TEXT_BYTES); /* no day is open: each lies before this one */
    self->ring = key_ring_new(holder);
    TRY(rewrap_all_due(self, holder));
    add_newest_keys(self);
    key_ring_close(self->ring);
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
    payload_rewrap_drop(*self);
    key_ring_free(&(*self)->ring);
    day_key_free(&(*self)->spare);
    seal_once_free(&(*self)->cipher);
    bytes_free(&(*self)->frames);
    bytes_free(&(*self)->slots);
    free(*self);
    *self = NULL;
}

bool payload_store_wants_spare(const struct payload_store *self)
{
    return self->spare == NULL;
}

void payload_store_give_spare(struct payload_store *self, struct day_key **key)
{
    if (self->spare == NULL)
        self->spare = TAKE(*key);
    day_key_free(key);
}

fault payload_go_to_day(struct payload_store *self, int64_t wall_ms)
{
    char day[DAY_TEXT_BYTES];
    day_of(wall_ms, day);
    if (self->day[0] != '\0' && (strcmp(day, self->day) <= 0 || self->spare == NULL))
        return DONE;
    uint64_t before = self->key == NULL ? 0 : self->key->id;
    TRY(payload_store_put(self));
    close_day(self);
    fault f = open_day(self, day);
    if (failed(f))
        close_day(self);
    else
        key_ring_keep(self->ring, self->key->id, before);
    return f;
}
