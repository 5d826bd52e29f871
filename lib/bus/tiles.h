// SPDX-License-Identifier: MIT
/*
 * tiles - a log as static files: C2SP tlog-tiles. Entry bundles, hash tiles, checkpoint.
 */
#ifndef BUS_TILES_H
#define BUS_TILES_H

#include "lib/base/bytes.h"
#include "lib/crypto/note.h"

/* Path of a tile below the log folder: "tile/entries/x001/234.p/17". level < 0: entries. width 256
 * means a full tile. Returns the length. */
size_t tiles_path(int level, uint64_t number, unsigned width, char *out, size_t room);

/* Writes what the tree needs to grow from old_size to count entries, durably, then the checkpoint
 * note last. leaves: all entries from index 0 to count. */
fault tiles_publish(const char *folder, const struct span *leaves, uint64_t old_size,
                    uint64_t count, struct span checkpoint_note);

/* Writes all tiles of hashes from `level` up that `count` hashes of that level make, durably. */
fault tiles_write_hashes(const char *folder, int level, const struct sha256 *hashes,
                         uint64_t count);

/* Reads the first `count` entries; spans point into *backing. bytes_free() backing, free() leaves.
 */
fault tiles_read_entries(const char *folder, uint64_t count, struct bytes **backing,
                         struct span **leaves);
/* The same of the entries from `from` on: leaves[0] is that one, count - from of them. */
fault tiles_read_from(const char *folder, uint64_t from, uint64_t count, struct bytes **backing,
                      struct span **leaves);

#endif
