// SPDX-License-Identifier: MIT
/*
 * bytes - borrowed bytes (span) and owned bytes (struct bytes).
 */
#ifndef BASE_BYTES_H
#define BASE_BYTES_H

#include "lib/base/fault.h"
#include "lib/base/owned.h"

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

struct span {
    const uint8_t *at;
    size_t size;
};

/* Owned, growable bytes. `data` is valid up to `size`. */
struct bytes {
    size_t size;
    size_t capacity;
    uint8_t *data;
};

static inline struct span span_of(const void *at, size_t size)
{
    return (struct span){(const uint8_t *)at, size};
}

static inline struct span span_of_text(const char *text)
{
    return span_of(text, strlen(text));
}

static inline bool span_equal(struct span a, struct span b)
{
    return a.size == b.size && (a.size == 0 || memcmp(a.at, b.at, a.size) == 0);
}

static inline bool span_is_text(struct span a, const char *text)
{
    return span_equal(a, span_of_text(text));
}

/* Bytes up to the last one that is not zero: of files that are filled with zeros ahead. */
size_t span_used(struct span self);

/* `size` zeroed bytes; NO_MEMORY when there are none. bytes_free() it. */
fault bytes_new(size_t size, struct bytes **out);
fault bytes_copy(struct span from, struct bytes **out);
void bytes_free(struct bytes **self);

/* Empty, with room for `room` bytes without growing; ends the process when there is no memory. */
struct bytes *bytes_empty(size_t room);
/* Adds at the end, growing as needed. NO_MEMORY leaves it unchanged. */
fault bytes_append(struct bytes *self, struct span more);
fault bytes_append_text(struct bytes *self, const char *text);
/* Makes room for `more` further bytes and returns where they go; the caller raises size. */
fault bytes_reserve(struct bytes *self, size_t more, uint8_t **out);

static inline struct span bytes_span(const struct bytes *self)
{
    return self == NULL ? (struct span){NULL, 0} : span_of(self->data, self->size);
}

#endif
