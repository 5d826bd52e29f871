// SPDX-License-Identifier: MIT
/*
 * acts_file - the authority's acts on disk, signed, in order.
 *
 *   acts.log    frames: u32 length | u32 crc32c(leaf) | leaf      (big-endian, append-only)
 *   acts.head   "<entries> <bytes> <root, hex>\n": how far acts.log counts
 *
 * The head is replaced after the frames are durable, so a command's acts are all there or none is:
 * what stands behind the head belongs to a command that was cut short, was told to nobody, and is
 * cut off. What stands before it and is damaged is refused and never repaired silently.
 */
#ifndef REGISTRY_ACTS_FILE_H
#define REGISTRY_ACTS_FILE_H

#include "lib/base/bytes.h"
#include "lib/crypto/merkle.h"

struct acts_file;

/* A new empty one; the folder must be there. */
fault acts_file_make(const char *folder);

/* Reads all. With `mend`, cuts off an unfinished command (the caller holds the store's lock) and
 * says how many bytes; without, only leaves it aside. NOT_FOUND: no store. LOG_SHRUNK: acts.log is
 * shorter than its head. LOG_BROKEN: damaged. */
fault acts_file_open(const char *folder, bool mend, uint64_t *cut_bytes, struct acts_file **out);
void acts_file_free(struct acts_file **self);

/* Entries with those added and not yet committed. */
size_t acts_file_count(const struct acts_file *self);
const struct span *acts_file_leaves(const struct acts_file *self);
struct sha256 acts_file_root(const struct acts_file *self);

/* Takes a leaf; it counts after acts_file_commit. */
void acts_file_add(struct acts_file *self, struct bytes **leaf);
/* Forgets all added and not committed. */
void acts_file_rewind(struct acts_file *self);
/* Makes all added durable. IO_FAILED: none of them counts. Waits for the disk. */
fault acts_file_commit(struct acts_file *self);

#endif
