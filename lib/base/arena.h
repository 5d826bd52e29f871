// SPDX-License-Identifier: MIT
/*
 * arena - many small things that live together and go together: one allocation for hundreds of
 * them, and nothing to be remembered of each.
 *
 * A zeroed struct arena is an empty one. What it gave out is never moved, and is freed all at once.
 * Ends the process when there is no memory, as owned_new does.
 */
#ifndef BASE_ARENA_H
#define BASE_ARENA_H

#include "lib/base/owned.h"

#include <stddef.h>

struct arena {
    struct arena_block *newest;
    size_t left; /* bytes of the newest block that were not given out */
};

/* Zeroed, fit for any type; at least one byte. */
void *arena_make(struct arena *self, size_t size)
    __attribute__((malloc, returns_nonnull, warn_unused_result));
/* A copy of the text; of an empty one, a constant. */
const char *arena_text(struct arena *self, const char *text)
    __attribute__((returns_nonnull, warn_unused_result));
void arena_clear(struct arena *self);

#endif
