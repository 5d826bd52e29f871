// SPDX-License-Identifier: MIT
#include "lib/bus/slab.h"

#include "lib/base/crc32c.h"
#include "lib/base/cursor.h"
#include "lib/base/file.h"

#include <inttypes.h>
#include <sys/stat.h>

#define CRC_AT 60

_Static_assert(SLAB_HEAD_BYTES == CRC_AT + 4 && SLOT_BYTES == CRC_AT + 4, "both end in a checksum");

static const uint8_t blank[SLOT_BYTES];
static const uint8_t magic[8] = {'C', 'H', 'S', 'K', 'S', 'L', 'B', '2'};

void slab_head_put(const struct slab_head *head, uint8_t out[SLAB_HEAD_BYTES])
{
    memset(out, 0, SLAB_HEAD_BYTES);
    memcpy(out, magic, sizeof magic);
    put_u64(out + 8, head->first_index);
    put_u64(out + 16, head->key_id);
    put_u32(out + CRC_AT, crc32c(0, span_of(out, CRC_AT)));
}

fault slab_head_read(int fd, struct slab_head *out)
{
    uint8_t raw[SLAB_HEAD_BYTES];
    struct stat facts;
    if (fstat(fd, &facts) != 0)
        return RAISE(IO_FAILED, "a key slab: %m");
    if (facts.st_size < SLAB_HEAD_BYTES)
        return RAISE(NOT_FOUND, "a key slab without a head");
    TRY(file_read_at(fd, raw, sizeof raw, 0));
    if (memcmp(raw, blank, sizeof raw) == 0)
        return RAISE(NOT_FOUND, "a key slab without a head");
    if (memcmp(raw, magic, sizeof magic) != 0 ||
        get_u32(raw + CRC_AT) != crc32c(0, span_of(raw, CRC_AT)))
        return RAISE(LOG_BROKEN, "a key slab does not begin as one");
    *out = (struct slab_head){get_u64(raw + 8), get_u64(raw + 16)};
    return DONE;
}

off_t slot_place(uint64_t first_index, uint64_t index)
{
    return (off_t)(SLAB_HEAD_BYTES + (index - first_index) * SLOT_BYTES);
}

static uint32_t slot_crc(const uint8_t raw[SLOT_BYTES], uint64_t index)
{
    uint8_t number[8];
    put_u64(number, index);
    return crc32c(crc32c(0, span_of(number, sizeof number)), span_of(raw, CRC_AT));
}

void slot_put(const struct slot *slot, uint64_t index, uint8_t out[SLOT_BYTES])
{
    memset(out, 0, SLOT_BYTES);
    put_u64(out, slot->offset);
    put_u32(out + 8, slot->length);
    put_u32(out + 12, slot->state);
    memcpy(out + 16, slot->wrapped, KEY_WRAPPED_BYTES);
    put_u32(out + CRC_AT, slot_crc(out, index));
}

fault slot_get(const uint8_t raw[SLOT_BYTES], uint64_t index, struct slot *out)
{
    *out = (struct slot){.blank = memcmp(raw, blank, SLOT_BYTES) == 0};
    if (out->blank)
        return DONE;
    if (get_u32(raw + CRC_AT) != slot_crc(raw, index))
        return RAISE(LOG_BROKEN, "the slot of %" PRIu64 " is damaged", index);
    out->offset = get_u64(raw);
    out->length = get_u32(raw + 8);
    out->state = get_u32(raw + 12);
    memcpy(out->wrapped, raw + 16, KEY_WRAPPED_BYTES);
    return DONE;
}

fault slot_read(int fd, uint64_t first_index, uint64_t index, struct slot *out)
{
    uint8_t raw[SLOT_BYTES];
    TRY(file_read_at(fd, raw, sizeof raw, slot_place(first_index, index)));
    return slot_get(raw, index, out);
}
