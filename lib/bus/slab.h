// SPDX-License-Identifier: MIT
/*
 * slab - the file keys/<yyyymmdd>.slab: where each payload of a day lies, and its record key.
 *
 *   head   64 bytes: "CHSKSLB2" | u64 first index | u64 id of the day key | zeros | u32 crc32c
 *   slots  64 bytes each, by index: u64 offset | u32 length | u32 state | record key, wrapped under
 *          the day key (40) | u32 zero | u32 crc32c(index || the 60 bytes before)
 *
 * A slot never lies across two sectors. One of zeros was never written. The checksums find rot;
 * that nobody exchanged a record key for another is proved by the payload, which opens under its
 * leaf only.
 */
#ifndef BUS_SLAB_H
#define BUS_SLAB_H

#include "lib/bus/day_key.h"

#include <sys/types.h>

#define SLAB_HEAD_BYTES 64
#define SLOT_BYTES 64

/* As they stand in a slot. */
enum slot_state {
    SLOT_NONE = 0,   /* nothing was kept */
    SLOT_HELD = 1,   /* salt || payload */
    SLOT_ERASED = 2, /* the key is gone */
    SLOT_SALT = 3,   /* the salt alone */
};

struct slab_head {
    uint64_t first_index;
    uint64_t key_id;
};

struct slot {
    uint64_t offset; /* of the frame; without one, where the next frame went */
    uint32_t length; /* of the frame's body */
    uint32_t state;
    uint8_t wrapped[KEY_WRAPPED_BYTES];
    bool blank; /* never written */
};

void slab_head_put(const struct slab_head *head, uint8_t out[SLAB_HEAD_BYTES]);
/* NOT_FOUND while it is blank: its size came to the disk before its head did, and no record can
 * have come into the log since. LOG_BROKEN when it begins as anything else. */
fault slab_head_read(int fd, struct slab_head *out);

off_t slot_place(uint64_t first_index, uint64_t index);
void slot_put(const struct slot *slot, uint64_t index, uint8_t out[SLOT_BYTES]);
/* LOG_BROKEN: damaged, or of another index. */
fault slot_get(const uint8_t raw[SLOT_BYTES], uint64_t index, struct slot *out);
/* IO_FAILED: the slab ends before. */
fault slot_read(int fd, uint64_t first_index, uint64_t index, struct slot *out);

static inline bool slot_has_key(const struct slot *slot)
{
    return slot->state == SLOT_HELD || slot->state == SLOT_SALT;
}

#endif
