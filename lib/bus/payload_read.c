// SPDX-License-Identifier: MIT
#include "lib/bus/payload_private.h"

#include "lib/base/crc32c.h"
#include "lib/base/cursor.h"
#include "lib/base/file.h"
#include "lib/bus/limits.h"
#include "lib/crypto/seal.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

struct payload_reader {
    char folder[PAYLOAD_PATH_BYTES];
    struct key_ring *ring;
    bool open;
    char day[DAY_TEXT_BYTES], damaged[DAY_TEXT_BYTES];
    struct slab_head head;
    uint64_t looked; /* for this entry */
    uint64_t next;
    struct day_index *days;
    struct seal_once *cipher; /* NULL before the first that is opened */
    int slab_fd, payload_fd;  /* -1: not open */
};

static void close_day(struct payload_reader *self)
{
    if (self->slab_fd >= 0)
        close(self->slab_fd);
    if (self->payload_fd >= 0)
        close(self->payload_fd);
    self->slab_fd = self->payload_fd = -1;
    self->open = false;
}

struct payload_reader *payload_reader_new(const char *folder, struct key_ring *ring)
{
    struct payload_reader *self = owned_new(sizeof *self);
    snprintf(self->folder, sizeof self->folder, "%s", folder);
    self->ring = ring;
    self->days = day_index_new(folder);
    self->slab_fd = self->payload_fd = -1;
    return self;
}

void payload_reader_free(struct payload_reader **self)
{
    if (*self == NULL)
        return;
    close_day(*self);
    day_index_free(&(*self)->days);
    seal_once_free(&(*self)->cipher);
    free(*self);
    *self = NULL;
}

/* The day of this entry; its slab is opened when one is read. */
static void open_day(struct payload_reader *self, uint64_t index)
{
    close_day(self);
    day_index_look(self->days);
    day_index_find(self->days, index, self->day, &self->head, self->damaged, &self->next);
    self->looked = index;
    self->open = true;
}

/* Where no day was found there is none up to where the next one begins. */
static bool serves(const struct payload_reader *self, uint64_t index)
{
    uint64_t from = self->day[0] != '\0' ? self->head.first_index : self->looked;
    return self->open && index >= from && index < self->next;
}

// --- one record ---------------------------------------------------------------------------------

/* The head comes with the slot out of one file: a slab that changes its key is another file. */
static fault open_slab(struct payload_reader *self)
{
    char path[PAYLOAD_PATH_BYTES];
    if (self->slab_fd >= 0)
        return DONE;
    payload_path(self->folder, self->day, "slab", path);
    int fd = open(path, PAYLOAD_READ_FLAGS);
    if (fd < 0)
        return RAISE(IO_FAILED, "%s: %s", path, strerror(errno));
    fault f = slab_head_read(fd, &self->head);
    if (failed(f))
        close(fd);
    else
        self->slab_fd = fd;
    return f;
}

static fault load_slot(struct payload_reader *self, uint64_t index, struct slot *out)
{
    TRY(open_slab(self));
    fault f = slot_read(self->slab_fd, self->head.first_index, index, out);
    if (f.code != IO_FAILED)
        return f;
    *out = (struct slot){.blank = true}; /* the slab ends before: nothing was ever kept for it */
    return DONE;
}

static fault open_payloads(struct payload_reader *self)
{
    char path[PAYLOAD_PATH_BYTES];
    if (self->payload_fd >= 0)
        return DONE;
    payload_path(self->folder, self->day, "seg", path);
    self->payload_fd = open(path, PAYLOAD_READ_FLAGS);
    return self->payload_fd >= 0 ? DONE : RAISE(LOG_BROKEN, "%s: %s", path, strerror(errno));
}

static fault load_frame(struct payload_reader *self, const struct slot *slot, uint64_t index,
                        struct bytes **out)
{
    if (slot->length < SEAL_TAG_BYTES ||
        slot->length > PAYLOAD_BYTES_MAX + SALT_BYTES + SEAL_TAG_BYTES)
        return RAISE(LOG_BROKEN, "the slot of %" PRIu64 " names an impossible length", index);
    TRY(open_payloads(self));
    OWNED(bytes) frame = NULL;
    fault f = bytes_new(FRAME_BYTES + slot->length, &frame);
    if (!failed(f))
        f = file_read_at(self->payload_fd, frame->data, frame->size, (off_t)slot->offset);
    if (failed(f) || get_u32(frame->data) != slot->length || get_u64(frame->data + 8) != index ||
        get_u32(frame->data + 4) != crc32c(0, span_of(frame->data + 8, 8 + slot->length)))
        return RAISE(LOG_BROKEN, "the payload frame of %" PRIu64 " is damaged", index);
    *out = TAKE(frame);
    return DONE;
}

static fault open_frame(struct payload_reader *self, struct day_key *day_key,
                        const struct slot *slot, const struct sha256 *leaf_hash,
                        const struct bytes *frame, struct bytes **out)
{
    uint8_t key[SEAL_KEY_BYTES];
    OWNED(bytes) blob = NULL;
    if (self->cipher == NULL)
        TRY(seal_once_new(&self->cipher));
    TRY(bytes_new(slot->length - SEAL_TAG_BYTES, &blob));
    if (failed(key_wrap_unwrap(day_key->wrap, slot->wrapped, key)))
        return RAISE(LOG_BROKEN, "a record key is not under its day's key");
    struct span sealed = span_of(frame->data + FRAME_BYTES, slot->length);
    fault f = seal_once_decrypt(self->cipher, key, sha256_span(leaf_hash), sealed, blob->data);
    seal_wipe(key, sizeof key);
    if (failed(f))
        return RAISE(LOG_BROKEN, "a payload does not decrypt with its key");
    *out = TAKE(blob);
    return DONE;
}

/* What has a key: a frame that is whole, and with the day key what is in it. */
static fault open_slot(struct payload_reader *self, const struct slot *slot, uint64_t index,
                       const struct sha256 *leaf_hash, struct bytes **out)
{
    OWNED(bytes) frame = NULL;
    struct day_key *key = NULL;
    TRY(load_frame(self, slot, index, &frame));
    TRY(key_ring_find(self->ring, self->folder, self->day, self->head.key_id, &key));
    return key == NULL ? DONE : open_frame(self, key, slot, leaf_hash, frame, out);
}

static enum payload_state state_of(const struct slot *slot, bool opened)
{
    switch (slot->state) {
    case SLOT_HELD:
        return opened ? PAYLOAD_HELD : PAYLOAD_SEALED;
    case SLOT_SALT:
        return PAYLOAD_SALT;
    case SLOT_ERASED:
        return PAYLOAD_ERASED;
    default:
        return PAYLOAD_NONE;
    }
}

static fault read_once(struct payload_reader *self, uint64_t index, const struct sha256 *leaf_hash,
                       enum payload_state *state, struct bytes **out)
{
    struct slot slot = {.blank = true};
    OWNED(bytes) blob = NULL;
    *state = PAYLOAD_NONE;
    if (self->day[0] != '\0')
        TRY(load_slot(self, index, &slot));
    if (slot.blank && strcmp(self->damaged, self->day) > 0)
        return RAISE(LOG_BROKEN, "a key slab of %s does not begin as one", self->damaged);
    if (slot.state > SLOT_SALT)
        return RAISE(LOG_BROKEN, "the slot of %" PRIu64 " is in no known state", index);
    if (slot_has_key(&slot))
        TRY(open_slot(self, &slot, index, leaf_hash, &blob));
    *state = state_of(&slot, blob != NULL);
    if (blob != NULL)
        *out = TAKE(blob);
    return DONE;
}

/* A second look, into files opened anew, at what seems damaged or missing: a running node may have
 * changed the day's key, erased the payload, or begun a day, since we opened them. */
fault payload_reader_read(struct payload_reader *self, uint64_t index,
                          const struct sha256 *leaf_hash, enum payload_state *state,
                          struct bytes **out)
{
    if (!serves(self, index))
        open_day(self, index);
    fault f = read_once(self, index, leaf_hash, state, out);
    if (f.code != LOG_BROKEN &&
        (failed(f) || *state != PAYLOAD_NONE || !day_index_is_stale(self->days)))
        return f;
    open_day(self, index);
    return read_once(self, index, leaf_hash, state, out);
}

fault payload_reader_day(struct payload_reader *self, uint64_t index, char day[DAY_TEXT_BYTES])
{
    if (!serves(self, index))
        open_day(self, index);
    if (self->day[0] == '\0')
        return RAISE(NOT_FOUND, "no slab holds entry %" PRIu64, index);
    memcpy(day, self->day, DAY_TEXT_BYTES);
    return DONE;
}

fault payload_store_read(const char *folder, struct key_ring *ring, uint64_t index,
                         const struct sha256 *leaf_hash, enum payload_state *state,
                         struct bytes **out)
{
    OWNED(payload_reader) reader = payload_reader_new(folder, ring);
    return payload_reader_read(reader, index, leaf_hash, state, out);
}

fault payload_store_read_own(struct payload_store *self, uint64_t index,
                             const struct sha256 *leaf_hash, enum payload_state *state,
                             struct bytes **out)
{
    return payload_store_read(self->folder, self->ring, index, leaf_hash, state, out);
}
