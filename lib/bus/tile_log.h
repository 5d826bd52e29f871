// SPDX-License-Identifier: MIT
/*
 * tile_log - a growing log as static files (C2SP tlog-tiles), leaf by leaf: what the write-ahead
 * segments hold, in the form that any tlog checker reads from a file share.
 *
 * The segments are the source of truth and durable; tiles are derived. A bundle is written when it
 * is full, and what is not full when the log is flushed; one flush makes all of it durable. After a
 * crash the writer goes on from the last flush, writing the same bytes again.
 */
#ifndef BUS_TILE_LOG_H
#define BUS_TILE_LOG_H

#include "lib/base/bytes.h"
#include "lib/crypto/digest.h"
#include "lib/crypto/merkle.h"

// --- writing ------------------------------------------------------------------------------------

struct tile_writer;

/* Goes on after `size` entries, whose tiles were flushed in this folder. LOG_BROKEN when they are
 * not there or lead to another root. */
fault tile_writer_open(const char *folder, uint64_t size, const struct sha256 *root,
                       struct tile_writer **out);
void tile_writer_free(struct tile_writer **self);
fault tile_writer_add(struct tile_writer *self, struct span leaf);
/* What is not full is written too, and all of it is durable when this returns. */
fault tile_writer_flush(struct tile_writer *self);
uint64_t tile_writer_size(const struct tile_writer *self);
struct sha256 tile_writer_root(const struct tile_writer *self);

// --- reading ------------------------------------------------------------------------------------

struct tile_reader;

/* The tiles of a log of `size` entries. Nothing is read yet. */
struct tile_reader *tile_reader_new(const char *folder, uint64_t size);
void tile_reader_free(struct tile_reader **self);
/* Tree hash of a range that a proof names. LOG_BROKEN when a tile is missing or of a wrong size. */
fault tile_reader_hash(struct tile_reader *self, struct merkle_range range, struct sha256 *out);
/* Hashes of a proof; *length of them in out. */
fault tile_reader_inclusion(struct tile_reader *self, uint64_t index,
                            struct sha256 out[MERKLE_PROOF_MAX], size_t *length);
fault tile_reader_consistency(struct tile_reader *self, uint64_t old_size,
                              struct sha256 out[MERKLE_PROOF_MAX], size_t *length);
/* One entry; bytes_free() it. */
fault tile_reader_entry(struct tile_reader *self, uint64_t index, struct bytes **out);

#endif
