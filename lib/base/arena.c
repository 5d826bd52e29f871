// SPDX-License-Identifier: MIT
#include "lib/base/arena.h"

#include <stdlib.h>
#include <string.h>

#define BLOCK_BYTES 65536 /* with its head */
#define ALIGNMENT _Alignof(max_align_t)

struct arena_block {
    struct arena_block *before;
    _Alignas(max_align_t) char at[];
};

#define BLOCK_ROOM (BLOCK_BYTES - sizeof(struct arena_block))

/* What does not fit is a block of its own behind the newest, whose rest stays in use. */
static void *make_alone(struct arena *self, size_t size)
{
    struct arena_block *block = owned_array(1, sizeof *block + size);
    if (self->newest == NULL) {
        self->newest = block;
        return block->at;
    }
    block->before = self->newest->before;
    self->newest->before = block;
    return block->at;
}

/* From the end of the block downwards, so that rounding down aligns. */
static void *take(struct arena *self, size_t size, size_t alignment)
{
    if (size > BLOCK_ROOM / 4)
        return make_alone(self, size);
    if (self->left < size) {
        struct arena_block *block = owned_array(1, BLOCK_BYTES);
        block->before = self->newest;
        self->newest = block;
        self->left = BLOCK_ROOM;
    }
    self->left = (self->left - size) & ~(alignment - 1);
    return self->newest->at + self->left;
}

void *arena_make(struct arena *self, size_t size)
{
    return take(self, size == 0 ? 1 : size, ALIGNMENT);
}

const char *arena_text(struct arena *self, const char *text)
{
    size_t size = strlen(text) + 1;
    if (size == 1)
        return "";
    return memcpy(take(self, size, 1), text, size);
}

void arena_clear(struct arena *self)
{
    for (struct arena_block *at = self->newest, *before; at != NULL; at = before) {
        before = at->before;
        free(at);
    }
    *self = (struct arena){0};
}
