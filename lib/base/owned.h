// SPDX-License-Identifier: MIT
/*
 * owned - who frees what, readable in the signature.
 *
 * `struct x *` lends, `struct x **` gives away and is nulled. OWNED(x) p = NULL; frees p with
 * x_free(&p) at every way out of the block; TAKE(p) moves it out. Every x_free accepts NULL and
 * half-built objects.
 *
 * Memory: small allocations go through owned_new, which ends the process when there is none (the
 * node is built to be killed at any moment, and an untested out-of-memory path is worse than a
 * restart). Allocations whose size a stranger chose go through bytes_new, which faults.
 */
#ifndef BASE_OWNED_H
#define BASE_OWNED_H

#include <stddef.h>

#define OWNED(type) __attribute__((cleanup(type##_free))) struct type *

#define TAKE(pointer)                   \
    __extension__({                     \
        __auto_type taken_ = (pointer); \
        (pointer) = NULL;               \
        taken_;                         \
    })

/* Zeroed memory; never NULL. free() it. */
void *owned_new(size_t size) __attribute__((malloc, returns_nonnull, warn_unused_result));
void *owned_array(size_t count, size_t size)
    __attribute__((malloc, returns_nonnull, warn_unused_result));
/* A copy of the text; never NULL. free() it. */
char *owned_text(const char *text) __attribute__((malloc, returns_nonnull, warn_unused_result));
/* What was freed goes back to the system, which the allocator does not do by itself once a large
 * block came and went: for after something large that is rare. Milliseconds. */
void owned_give_back(void);
/* Grows an array; the old pointer is dead. Never NULL. */
void *owned_grow(void *old, size_t count, size_t size)
    __attribute__((returns_nonnull, warn_unused_result));

#endif
