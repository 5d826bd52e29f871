// SPDX-License-Identifier: MIT
/*
 * merkle - RFC 6962 section 2.1 tree hashing (= RFC 9162 section 2.1), SHA-256.
 *
 * A struct merkle is the right edge of a growing tree: O(log n) memory, O(1) amortised append.
 */
#ifndef CRYPTO_MERKLE_H
#define CRYPTO_MERKLE_H

#include "lib/crypto/digest.h"

#define MERKLE_LEVELS 64

struct merkle {
    uint64_t size;
    struct sha256 edge[MERKLE_LEVELS]; /* edge[l] is set when bit l of size is */
};

/* SHA-256 of 0x00 || leaf, and of 0x01 || left || right. */
struct sha256 merkle_leaf_hash(struct span leaf);
struct sha256 merkle_node_hash(const struct sha256 *left, const struct sha256 *right);

void merkle_append(struct merkle *self, const struct sha256 *leaf_hash);
struct sha256 merkle_root(const struct merkle *self); /* of the empty tree: SHA256("") */

/* Root that an inclusion proof leads to; BAD_FRAME when index, size and path length do not fit. */
fault merkle_inclusion_root(uint64_t index, uint64_t size, const struct sha256 *leaf_hash,
                            const struct sha256 *path, size_t path_length, struct sha256 *out);

/* Proofs as the ranges [start, end) of leaves whose hashes they are, in the order of the RFC: who
 * keeps the hashes looks them up (lib/bus/tile_log). At most MERKLE_PROOF_MAX. */
#define MERKLE_PROOF_MAX 64
struct merkle_range {
    uint64_t start, end;
};
size_t merkle_inclusion_ranges(uint64_t index, uint64_t size,
                               struct merkle_range out[MERKLE_PROOF_MAX]);
/* Empty when old_size is 0 or new_size. */
size_t merkle_consistency_ranges(uint64_t old_size, uint64_t new_size,
                                 struct merkle_range out[MERKLE_PROOF_MAX]);

/* That the tree of old_size is a prefix of the one of new_size (RFC 9162 section 2.1.4.2).
 * BAD_FRAME when sizes and length of the proof do not fit, INCONSISTENT when it leads to other
 * roots. An old size of 0 is consistent with all, by an empty proof. */
fault merkle_consistency_check(uint64_t old_size, const struct sha256 *old_root, uint64_t new_size,
                               const struct sha256 *new_root, const struct sha256 *proof,
                               size_t length);

#endif
