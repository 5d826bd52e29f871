// SPDX-License-Identifier: MIT
#include "lib/crypto/merkle.h"

#include <assert.h>

/* The prefixes keep a leaf from ever passing for an inner node. */
static const uint8_t leaf_prefix = 0x00;
static const uint8_t node_prefix = 0x01;

struct sha256 merkle_leaf_hash(struct span leaf)
{
    return SHA256_OF(span_of(&leaf_prefix, 1), leaf);
}

struct sha256 merkle_node_hash(const struct sha256 *left, const struct sha256 *right)
{
    return SHA256_OF(span_of(&node_prefix, 1), sha256_span(left), sha256_span(right));
}

void merkle_append(struct merkle *self, const struct sha256 *leaf_hash)
{
    assert(self->size < UINT64_MAX);
    struct sha256 hash = *leaf_hash;
    size_t level = 0;
    for (uint64_t left = self->size; left & 1; left >>= 1)
        hash = merkle_node_hash(&self->edge[level++], &hash);
    self->edge[level] = hash;
    self->size++;
}

struct sha256 merkle_root(const struct merkle *self)
{
    if (self->size == 0)
        return digest_sha256(NULL, 0);
    size_t level = (size_t)__builtin_ctzll(self->size);
    struct sha256 root = self->edge[level];
    for (level++; level < MERKLE_LEVELS; level++)
        if (self->size >> level & 1)
            root = merkle_node_hash(&self->edge[level], &root);
    return root;
}

/* RFC 9162 section 2.1.3.2, with its names fn (index) and sn (last). */
fault merkle_inclusion_root(uint64_t index, uint64_t size, const struct sha256 *leaf_hash,
                            const struct sha256 *path, size_t path_length, struct sha256 *out)
{
    if (index >= size)
        return RAISE(BAD_FRAME, "leaf %llu is not in a tree of %llu", (unsigned long long)index,
                     (unsigned long long)size);
    uint64_t last = size - 1;
    struct sha256 root = *leaf_hash;
    for (size_t i = 0; i < path_length; i++) {
        if (last == 0)
            return RAISE(BAD_FRAME, "an inclusion path of %zu hashes is too long", path_length);
        if ((index & 1) == 0 && index != last) {
            root = merkle_node_hash(&root, &path[i]);
        } else {
            root = merkle_node_hash(&path[i], &root);
            for (; (index & 1) == 0 && index != 0; index >>= 1)
                last >>= 1;
        }
        index >>= 1;
        last >>= 1;
    }
    if (last != 0)
        return RAISE(BAD_FRAME, "an inclusion path of %zu hashes is too short", path_length);
    *out = root;
    return DONE;
}
