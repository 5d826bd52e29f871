// SPDX-License-Identifier: MIT
/*
 * cursor - bounded reading and writing of raw bytes; the only pointer arithmetic on strangers'
 * bytes.
 *
 * A reader walks a borrowed span. Every take either gives all it was asked for or faults BAD_FRAME
 * and moves nothing. Integers are big-endian unless the name says le.
 */
#ifndef BASE_CURSOR_H
#define BASE_CURSOR_H

#include "lib/base/bytes.h"

struct cursor {
    struct span left;
};

static inline struct cursor cursor_over(struct span bytes)
{
    return (struct cursor){bytes};
}

fault cursor_take(struct cursor *self, size_t size, struct span *out);
fault cursor_take_u8(struct cursor *self, uint8_t *out);
fault cursor_take_u16(struct cursor *self, uint16_t *out);
fault cursor_take_u32(struct cursor *self, uint32_t *out);
fault cursor_take_u64(struct cursor *self, uint64_t *out);
/* Up to (not with) the first `stop`, which is passed over. BAD_FRAME when there is none. */
fault cursor_take_until(struct cursor *self, uint8_t stop, struct span *out);
bool cursor_at_end(const struct cursor *self);

void put_u16(uint8_t *at, uint16_t value);
void put_u32(uint8_t *at, uint32_t value);
void put_u64(uint8_t *at, uint64_t value);
uint32_t get_u32(const uint8_t *at);
uint64_t get_u64(const uint8_t *at);

#endif
