// SPDX-License-Identifier: MIT
#include "lib/base/cursor.h"

fault cursor_take(struct cursor *self, size_t size, struct span *out)
{
    if (size > self->left.size)
        return RAISE(BAD_FRAME, "%zu bytes wanted, %zu left", size, self->left.size);
    *out = span_of(self->left.at, size);
    self->left = span_of(self->left.at + size, self->left.size - size);
    return DONE;
}

fault cursor_take_u8(struct cursor *self, uint8_t *out)
{
    struct span at;
    TRY(cursor_take(self, 1, &at));
    *out = at.at[0];
    return DONE;
}

fault cursor_take_u16(struct cursor *self, uint16_t *out)
{
    struct span at;
    TRY(cursor_take(self, 2, &at));
    *out = (uint16_t)(at.at[0] << 8 | at.at[1]);
    return DONE;
}

fault cursor_take_u32(struct cursor *self, uint32_t *out)
{
    struct span at;
    TRY(cursor_take(self, 4, &at));
    *out = get_u32(at.at);
    return DONE;
}

fault cursor_take_u64(struct cursor *self, uint64_t *out)
{
    struct span at;
    TRY(cursor_take(self, 8, &at));
    *out = get_u64(at.at);
    return DONE;
}

fault cursor_take_until(struct cursor *self, uint8_t stop, struct span *out)
{
    const uint8_t *found =
        self->left.size == 0 ? NULL : memchr(self->left.at, stop, self->left.size);
    if (found == NULL)
        return RAISE(BAD_FRAME, "no byte 0x%02x in the %zu left", stop, self->left.size);
    TRY(cursor_take(self, (size_t)(found - self->left.at), out));
    struct span stopper;
    return cursor_take(self, 1, &stopper);
}

bool cursor_at_end(const struct cursor *self)
{
    return self->left.size == 0;
}

void put_u16(uint8_t *at, uint16_t value)
{
    at[0] = (uint8_t)(value >> 8);
    at[1] = (uint8_t)value;
}

void put_u32(uint8_t *at, uint32_t value)
{
    put_u16(at, (uint16_t)(value >> 16));
    put_u16(at + 2, (uint16_t)value);
}

void put_u64(uint8_t *at, uint64_t value)
{
    put_u32(at, (uint32_t)(value >> 32));
    put_u32(at + 4, (uint32_t)value);
}

uint32_t get_u32(const uint8_t *at)
{
    return (uint32_t)at[0] << 24 | (uint32_t)at[1] << 16 | (uint32_t)at[2] << 8 | at[3];
}

uint64_t get_u64(const uint8_t *at)
{
    return (uint64_t)get_u32(at) << 32 | get_u32(at + 4);
}
