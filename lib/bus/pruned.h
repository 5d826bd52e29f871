// SPDX-License-Identifier: MIT
/*
 * pruned - the beginning of a log that was removed by an act: which entries, by which record, and
 * the complete subtrees that they were, so that the tree goes on without them.
 *
 *   log/<epoch>/pruned   chaski pruned v1\n <first entry left>\n <entry of the act>\n
 *                        <base64 hash>\n for each complete subtree before it, the largest first
 *
 *   log/<epoch>/first.leaf   of a later epoch: the leaf of its entry 0, which says what became of
 *                            the epoch before
 *
 * Nothing here is believed by itself: a root over it and the entries that are left must be the one
 * that was signed, and the act is a record of the log.
 */
#ifndef BUS_PRUNED_H
#define BUS_PRUNED_H

#include "lib/bus/tile_log.h"

struct pruned {
    uint64_t first; /* 0: nothing was pruned */
    uint64_t act;
    struct merkle tree; /* of the entries before `first` */
};

fault pruned_parse(struct span text, struct pruned *out); /* BAD_FRAME, BAD_REQUEST */
/* Without a file: nothing was pruned. LOG_BROKEN: it is none. */
fault pruned_read(const char *folder, unsigned epoch, struct pruned *out);
fault pruned_write(const char *folder, unsigned epoch, const struct pruned *self);

/* Entry 0 of a later epoch, which stays; durable. Read it only to compare it with the hash in the
 * tree. NOT_FOUND, IO_FAILED. */
fault pruned_first_write(const char *folder, unsigned epoch, struct span leaf);
fault pruned_first_read(const char *folder, unsigned epoch, struct bytes **out);

/* The tree of the first `size` entries, from tiles that reach at least so far. LOG_BROKEN. */
fault pruned_tree(struct tile_reader *tiles, uint64_t size, struct merkle *out);

/* Removes bundles of tile/entries that end at or before `first`, from *next on, a bounded number;
 * *next goes on, and *more says whether there are any left. IO_FAILED. */
fault pruned_drop_bundles(const char *folder, unsigned epoch, uint64_t first, uint64_t *next,
                          bool *more);

#endif
