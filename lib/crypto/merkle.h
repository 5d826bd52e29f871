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

#endif
