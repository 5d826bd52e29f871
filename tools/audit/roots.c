// SPDX-License-Identifier: MIT
#include "tools/audit/roots.h"

#include <assert.h>
#include <stdlib.h>

/* Hashes of the complete subtrees of 2^level leaves, from the left. */
struct level {
    struct sha256 *hash;
    uint64_t count, room;
};

struct roots {
    uint64_t size;
    struct level level[MERKLE_LEVELS];
    uint64_t asked; /* last, and what came of it; 0: nothing yet */
    struct sha256 root;
};

struct roots *roots_new(void)
{
    return owned_new(sizeof(struct roots));
}

void roots_free(struct roots **self)
{
    if (*self == NULL)
        return;
    for (size_t i = 0; i < MERKLE_LEVELS; i++)
        free((*self)->level[i].hash);
    free(*self);
    *self = NULL;
}

static void put(struct level *self, const struct sha256 *hash)
{
    if (self->count == self->room) {
        self->room = self->room == 0 ? 1024 : 2 * self->room;
        self->hash = owned_grow(self->hash, self->room, sizeof *self->hash);
    }
    self->hash[self->count++] = *hash;
}

void roots_append(struct roots *self, const struct sha256 *leaf_hash)
{
    struct sha256 hash = *leaf_hash;
    struct level *level = self->level;
    put(level, &hash);
    for (uint64_t left = self->size++; left & 1; left >>= 1) {
        hash = merkle_node_hash(&level->hash[level->count - 2], &level->hash[level->count - 1]);
        put(++level, &hash);
    }
}

struct sha256 roots_at(struct roots *self, uint64_t size)
{
    assert(size <= self->size);
    if (size == 0)
        return digest_sha256(NULL, 0);
    if (size == self->asked)
        return self->root;
    size_t at = (size_t)__builtin_ctzll(size);
    struct sha256 root = self->level[at].hash[(size >> at) - 1];
    for (at++; at < MERKLE_LEVELS && size >> at != 0; at++)
        if (size >> at & 1)
            root = merkle_node_hash(&self->level[at].hash[(size >> at) - 1], &root);
    self->asked = size;
    self->root = root;
    return root;
}
