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

// --- proofs -------------------------------------------------------------------------------------

/* Largest power of two below n; n > 1. */
static uint64_t split(uint64_t n)
{
    return (uint64_t)1 << (63 - __builtin_clzll(n - 1));
}

/* PATH(m, D[n]), from the root down; the RFC's order is the reverse. */
size_t merkle_inclusion_ranges(uint64_t index, uint64_t size,
                               struct merkle_range out[MERKLE_PROOF_MAX])
{
    assert(index < size);
    struct merkle_range down[MERKLE_PROOF_MAX];
    size_t count = 0;
    for (uint64_t start = 0, end = size; end - start > 1;) {
        uint64_t middle = start + split(end - start);
        if (index < middle) {
            down[count++] = (struct merkle_range){middle, end};
            end = middle;
        } else {
            down[count++] = (struct merkle_range){start, middle};
            start = middle;
        }
    }
    for (size_t i = 0; i < count; i++)
        out[i] = down[count - 1 - i];
    return count;
}

/* SUBPROOF(m, D[n], b): `whole` is b, true as long as the old tree is a subtree of its own. */
size_t merkle_consistency_ranges(uint64_t old_size, uint64_t new_size,
                                 struct merkle_range out[MERKLE_PROOF_MAX])
{
    assert(old_size <= new_size);
    struct merkle_range down[MERKLE_PROOF_MAX];
    size_t count = 0;
    bool whole = true;
    uint64_t start = 0, end = new_size;
    if (old_size == 0 || old_size == new_size)
        return 0;
    while (old_size < end) {
        uint64_t middle = start + split(end - start);
        if (old_size <= middle) {
            down[count++] = (struct merkle_range){middle, end};
            end = middle;
        } else {
            down[count++] = (struct merkle_range){start, middle};
            start = middle;
            whole = false;
        }
    }
    if (!whole)
        down[count++] = (struct merkle_range){start, end};
    for (size_t i = 0; i < count; i++)
        out[i] = down[count - 1 - i];
    return count;
}

fault merkle_consistency_check(uint64_t old_size, const struct sha256 *old_root, uint64_t new_size,
                               const struct sha256 *new_root, const struct sha256 *proof,
                               size_t length)
{
    if (old_size > new_size || ((old_size == 0 || old_size == new_size) && length != 0))
        return RAISE(BAD_FRAME, "no proof leads from a tree of %llu to one of %llu",
                     (unsigned long long)old_size, (unsigned long long)new_size);
    if (old_size == new_size && !sha256_equal(old_root, new_root))
        return RAISE(INCONSISTENT, "two roots for a tree of %llu", (unsigned long long)old_size);
    if (old_size == 0 || old_size == new_size)
        return DONE;
    bool power = (old_size & (old_size - 1)) == 0; /* then the old root begins the proof */
    size_t at = power ? 0 : 1;
    if (length < at)
        return RAISE(BAD_FRAME, "an empty proof");
    uint64_t index = old_size - 1, last = new_size - 1;
    for (; (index & 1) != 0; index >>= 1)
        last >>= 1;
    struct sha256 from = power ? *old_root : proof[0], to = from;
    for (; at < length; at++) {
        if (last == 0)
            return RAISE(BAD_FRAME, "a consistency proof of %zu hashes is too long", length);
        if ((index & 1) != 0 || index == last) {
            from = merkle_node_hash(&proof[at], &from);
            to = merkle_node_hash(&proof[at], &to);
            for (; (index & 1) == 0 && index != 0; index >>= 1)
                last >>= 1;
        } else {
            to = merkle_node_hash(&to, &proof[at]);
        }
        index >>= 1;
        last >>= 1;
    }
    if (last != 0)
        return RAISE(BAD_FRAME, "a consistency proof of %zu hashes is too short", length);
    if (!sha256_equal(&from, old_root) || !sha256_equal(&to, new_root))
        return RAISE(INCONSISTENT, "the tree of %llu is not a prefix of the one of %llu",
                     (unsigned long long)old_size, (unsigned long long)new_size);
    return DONE;
}
