// SPDX-License-Identifier: MIT
/*
 * directory_partial - a published folder that lacks its beginning: a snapshot, the hashes of the
 * bundles of entries before it (tiles of level 1 and above), and all entries from its own bundle
 * on. directory_load() takes it, tile_writer goes on with it, and a static web server may show it.
 * The entries before are filled in later, from the newest down, until nothing tells it from a whole
 * one.
 *
 * docs/decisions/0033: why nodes begin so.
 */
#ifndef BUS_DIRECTORY_PARTIAL_H
#define BUS_DIRECTORY_PARTIAL_H

#include "lib/base/bytes.h"
#include "lib/crypto/merkle.h"
#include "lib/crypto/note.h"

#define DIRECTORY_BUNDLE 256 /* entries in a full one */

/* What there is to begin with; all of it lent. */
struct directory_partial {
    uint64_t snapshot; /* acts that `state` accounts for */
    struct span state;
    const struct sha256 *bundle; /* tree hashes of the bundles before the first entry */
    const struct span *leaf;     /* entries from directory_partial_first() to the head's size */
};

/* The first entry of the bundle that holds the act behind the snapshot. */
uint64_t directory_partial_first(uint64_t snapshot);

/* Is that what was signed? Writes nothing. tree: of the head. INCONSISTENT: hashes and entries lead
 * to another root, or the act behind the snapshot does not vouch for it. */
fault directory_partial_check(const struct directory_partial *self, const struct checkpoint *head,
                              struct merkle *tree);
/* Writes what was checked, durably, the checkpoint last; not authority.pem. */
fault directory_partial_write(const char *folder, const struct directory_partial *self,
                              const struct checkpoint *head, struct span note);

/* The same from a folder whose head has `size` entries. Zero it, and clear it in any case.
 * NOT_FOUND: it holds no snapshot, or not the entries behind it. */
struct directory_partial_read {
    struct directory_partial partial;
    struct bytes *state, *backing;
    struct sha256 *bundle;
    struct span *leaf;
};
fault directory_partial_read(const char *folder, uint64_t size, struct directory_partial_read *out);
void directory_partial_clear(struct directory_partial_read *self);

/* Acts of the newest snapshot in the folder that is smaller than `size`; NOT_FOUND. */
fault directory_partial_newest(const char *folder, uint64_t size, uint64_t *out);
/* From this entry on all are there; 0: the folder is whole. Only names are looked at. */
uint64_t directory_partial_begins(const char *folder, uint64_t size);
/* For who needs the old acts too. NOT_FOUND, with what to do about it, when the folder is not
 * whole.
 */
fault directory_partial_refuse(const char *folder, uint64_t size);
/* Tree of the entries before `first`, a multiple of DIRECTORY_BUNDLE, by the word of the tiles. */
fault directory_partial_tree(const char *folder, uint64_t size, uint64_t first, struct merkle *out);
/* Puts a full bundle of entries where it was missing, with its tile of hashes, durably.
 * INCONSISTENT: it is not the one whose hash the tiles hold. */
fault directory_partial_fill(const char *folder, uint64_t size, uint64_t number,
                             struct span bundle);

#endif
