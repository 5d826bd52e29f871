// SPDX-License-Identifier: MIT
/* Frames and slots of a group are gathered and go to the files in one write each. */
#include "lib/base/crc32c.h"
#include "lib/base/cursor.h"
#include "lib/bus/limits.h"
#include "lib/bus/payload_private.h"
#include "lib/crypto/random.h"

#include <stdlib.h>

/* Adds the frame with the encrypted blob; the record key, under the day's, goes to `wrapped`. */
static fault add_frame(struct payload_store *self, uint64_t index, const struct sha256 *leaf_hash,
                       struct span blob, uint8_t wrapped[KEY_WRAPPED_BYTES])
{
    uint8_t key[SEAL_KEY_BYTES];
    uint8_t *frame = NULL;
    size_t length = blob.size + SEAL_TAG_BYTES;
    TRY(bytes_reserve(self->frames, FRAME_BYTES + length, &frame));
    random_fill(key, sizeof key);
    fault f = key_wrap_wrap(self->key->wrap, key, wrapped);
    if (!failed(f))
        f = seal_once_encrypt(self->cipher, key, sha256_span(leaf_hash), blob, frame + FRAME_BYTES);
    seal_wipe(key, sizeof key);
    TRY(f);
    put_u32(frame, (uint32_t)length);
    put_u64(frame + 8, index);
    put_u32(frame + 4, crc32c(0, span_of(frame + 8, 8 + length)));
    self->frames->size += FRAME_BYTES + length;
    return DONE;
}

static fault add_slot(struct payload_store *self, uint64_t index, const struct slot *slot)
{
    uint8_t *raw = NULL;
    TRY(bytes_reserve(self->slots, SLOT_BYTES, &raw));
    slot_put(slot, index, raw);
    self->slots->size += SLOT_BYTES;
    return DONE;
}

static off_t frames_end(const struct payload_store *self)
{
    return self->payload_end + (off_t)self->frames->size;
}

static void drop_group(struct payload_store *self)
{
    self->frames->size = self->slots->size = 0;
    if (self->frames->capacity > 2 * PAYLOAD_GROUP_BYTES) { /* a large one was among them */
        bytes_free(&self->frames);
        self->frames = bytes_empty(0);
    }
}

fault payload_store_put(struct payload_store *self)
{
    uint64_t count = self->slots->size / SLOT_BYTES;
    if (count == 0)
        return DONE;
    if (self->frames->size > 0)
        TRY(ahead_file_put(&self->payload, bytes_span(self->frames), self->payload_end));
    TRY(ahead_file_put(&self->slab, bytes_span(self->slots),
                       slot_place(self->head.first_index, self->next_index - count)));
    self->payload_end = frames_end(self); /* before they are dropped */
    drop_group(self);
    return DONE;
}

fault payload_store_stage(struct payload_store *self, struct payload_part parts[PAYLOAD_PARTS_MAX],
                          size_t *count)
{
    uint64_t slots = self->slots->size / SLOT_BYTES, day = strtoull(self->day, NULL, 10);
    uint64_t key = self->head.key_id;
    *count = 0;
    if (self->spilled || self->frames->size > JOURNAL_BLOBS_BYTES) {
        TRY(payload_store_put(self));
        payload_store_sync(self);
        self->spilled = false;
        return DONE;
    }
    if (slots == 0)
        return DONE;
    off_t at = slot_place(self->head.first_index, self->next_index - slots);
    TRY(ahead_file_grow(&self->payload, frames_end(self)));
    TRY(ahead_file_grow(&self->slab, at + (off_t)self->slots->size));
    if (self->frames->size > 0)
        parts[(*count)++] = (struct payload_part){false, day, (uint64_t)self->payload_end, key,
                                                  bytes_span(self->frames)};
    parts[(*count)++] =
        (struct payload_part){true, day, (uint64_t)at, key, bytes_span(self->slots)};
    return DONE;
}

static fault spill(struct payload_store *self)
{
    self->spilled |= self->slots->size > 0;
    return payload_store_put(self);
}

/* The first of a group that was given up comes again. */
static void go_back_to(struct payload_store *self, uint64_t index)
{
    if (index != self->next_index)
        drop_group(self);
    self->next_index = index;
}

static fault write_as(struct payload_store *self, enum slot_state state, uint64_t index,
                      const struct sha256 *leaf_hash, struct span blob, int64_t wall_ms)
{
    go_back_to(self, index);
    TRY(payload_go_to_day(self, wall_ms));
    if (self->frames->size + blob.size > PAYLOAD_GROUP_BYTES)
        TRY(spill(self));
    struct slot slot = {.state = state, .offset = (uint64_t)frames_end(self)};
    if (state != SLOT_NONE) {
        TRY(add_frame(self, index, leaf_hash, blob, slot.wrapped));
        slot.length = (uint32_t)(blob.size + SEAL_TAG_BYTES);
    }
    TRY(add_slot(self, index, &slot));
    self->next_index = index + 1;
    return DONE;
}

fault payload_store_write(struct payload_store *self, uint64_t index,
                          const struct sha256 *leaf_hash, struct span blob, int64_t wall_ms)
{
    return write_as(self, blob.size > 0 ? SLOT_HELD : SLOT_NONE, index, leaf_hash, blob, wall_ms);
}

fault payload_store_write_salt(struct payload_store *self, uint64_t index,
                               const struct sha256 *leaf_hash, struct span salt, int64_t wall_ms)
{
    return write_as(self, SLOT_SALT, index, leaf_hash, salt, wall_ms);
}

void payload_store_sync(struct payload_store *self)
{
    ahead_file_sync(&self->payload, self->folder);
    ahead_file_sync(&self->slab, self->folder);
}

void payload_store_sync_ahead(struct payload_store *self)
{
    ahead_file_sync_ahead(&self->payload);
    ahead_file_sync_ahead(&self->slab);
}
