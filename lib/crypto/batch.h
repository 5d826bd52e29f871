// SPDX-License-Identifier: MIT
/*
 * batch - several contents under one signature: what is signed is a head over all of them, and each
 * carries its place, which leads from it to that head.
 *
 * Head: text, `chaski batch v1`, the number of contents, the base64 root, a line each. Root: of the
 * tree of RFC 6962 section 2.1 whose leaves are the contents. Place: u16 index || u16 count ||
 * path, the content's sibling first; its length follows from the two numbers. A content alone has
 * no place (no bytes): it is signed itself. Why so: docs/decisions/0049-batch-signatures.md.
 */
#ifndef CRYPTO_BATCH_H
#define CRYPTO_BATCH_H

#include "lib/crypto/digest.h"

#define BATCH_MAX 64 /* contents under one head */
#define BATCH_PATH_MAX 6
#define BATCH_PLACE_BYTES_MAX (4 + BATCH_PATH_MAX * SHA256_BYTES)
#define BATCH_HEAD_BYTES_MAX 72

struct batch_head {
    size_t size;
    uint8_t at[BATCH_HEAD_BYTES_MAX];
};

/* The tree over contents, for who signs it. */
struct batch_tree {
    size_t count;
    struct sha256 node[2 * BATCH_MAX + BATCH_PATH_MAX]; /* level by level, the contents first */
};

/* leaf: merkle_leaf_hash of each content. count: 2 to BATCH_MAX. */
void batch_make(struct batch_tree *self, const struct sha256 *leaf, size_t count);
void batch_make_head(const struct batch_tree *self, struct batch_head *out);
/* Writes the place of one content; returns its size. */
size_t batch_place(const struct batch_tree *self, size_t index, uint8_t out[BATCH_PLACE_BYTES_MAX]);

/* The head to which a place leads from this content. BAD_FRAME: it is no place, or not in its one
 * form. */
fault batch_head_of(struct span content, struct span place, struct batch_head *out);

/* How many are in the batch of a place that batch_head_of took. */
unsigned batch_place_count(struct span place);

/* Begins it as a head does? Such bytes are never signed as a content. */
bool batch_is_head(struct span content);

/* SHA-256 of what is signed of a content: of itself, or, with a place, of its head. */
fault batch_signed_content(struct span content, struct span place, struct sha256 *out);

static inline struct span batch_head_span(const struct batch_head *self)
{
    return span_of(self->at, self->size);
}

#endif
