// SPDX-License-Identifier: MIT
/*
 * directory_push - what the registry pushes behind the note of a new head: the newest acts, as many
 * as fit (chaski.DirectoryPush in proto/directory.proto). Read by processes that believe nothing in
 * it.
 */
#ifndef BUS_DIRECTORY_PUSH_H
#define BUS_DIRECTORY_PUSH_H

#include "lib/base/bytes.h"

struct directory_push {
    uint64_t from; /* index of the first leaf */
    size_t count;
    struct span *leaf; /* point into what is owned here */
    struct Chaski__DirectoryPush *owned;
};

/* BAD_FRAME: no such message, more than PUSH_BYTES_MAX, PUSH_LEAVES_MAX, or an empty or too long
 * leaf. */
fault directory_push_read(struct span frame, struct directory_push *out);
void directory_push_clear(struct directory_push *self);

/* The last of the leaves 0 to size, not before old_size, as far as they fit into bytes_max;
 * bytes_free() it. When not all of them do, followers fetch the rest. */
fault directory_push_write(const struct span *leaves, uint64_t old_size, uint64_t size,
                           size_t bytes_max, struct bytes **out);

#endif
