// SPDX-License-Identifier: MIT
#include "lib/base/bytes.h"

#include <stdlib.h>

size_t span_used(struct span self)
{
    static const uint8_t zeros[4096];
    size_t last = self.size;
    while (last >= sizeof zeros && memcmp(self.at + last - sizeof zeros, zeros, sizeof zeros) == 0)
        last -= sizeof zeros;
    while (last > 0 && self.at[last - 1] == 0)
        last--;
    return last;
}

fault bytes_new(size_t size, struct bytes **out)
{
    struct bytes *self = owned_new(sizeof *self);
    self->data = calloc(1, size == 0 ? 1 : size);
    if (self->data == NULL) {
        free(self);
        return RAISE(NO_MEMORY, "no room for %zu bytes", size);
    }
    self->size = size;
    self->capacity = size;
    *out = self;
    return DONE;
}

fault bytes_copy(struct span from, struct bytes **out)
{
    struct bytes *self = NULL;
    TRY(bytes_new(from.size, &self));
    if (from.size > 0)
        memcpy(self->data, from.at, from.size);
    *out = self;
    return DONE;
}

void bytes_free(struct bytes **self)
{
    if (*self == NULL)
        return;
    free((*self)->data);
    free(*self);
    *self = NULL;
}

struct bytes *bytes_empty(size_t room)
{
    struct bytes *self = owned_new(sizeof *self);
    self->data = owned_array(room == 0 ? 1 : room, 1);
    self->capacity = room;
    return self;
}

fault bytes_reserve(struct bytes *self, size_t more, uint8_t **out)
{
    if (more > SIZE_MAX / 2 - self->size)
        return RAISE(NO_MEMORY, "%zu bytes more is beyond all bounds", more);
    size_t needed = self->size + more;
    if (needed > self->capacity) {
        size_t capacity = self->capacity < 64 ? 64 : self->capacity;
        while (capacity < needed)
            capacity += capacity / 2;
        uint8_t *grown = realloc(self->data, capacity);
        if (grown == NULL)
            return RAISE(NO_MEMORY, "no room for %zu bytes", capacity);
        self->data = grown;
        self->capacity = capacity;
    }
    *out = self->data + self->size;
    return DONE;
}

fault bytes_append(struct bytes *self, struct span more)
{
    uint8_t *at = NULL;
    TRY(bytes_reserve(self, more.size, &at));
    if (more.size > 0)
        memcpy(at, more.at, more.size);
    self->size += more.size;
    return DONE;
}

fault bytes_append_text(struct bytes *self, const char *text)
{
    return bytes_append(self, span_of_text(text));
}
