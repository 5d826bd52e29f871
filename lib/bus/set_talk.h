// SPDX-License-Identifier: MIT
/*
 * set_talk - what is packed into the byte fields of the messages about sets of leaves
 * (proto/logtalk.proto): digests, hashes, leaves, verdicts. Lengths are checked, contents are not.
 */
#ifndef BUS_SET_TALK_H
#define BUS_SET_TALK_H

#include "lib/bus/leaf_set.h"
#include "lib/bus/limits.h"

#define SET_DIGEST_BYTES (8 + SHA256_BYTES)

/* Adds at the end; NO_MEMORY. */
fault set_talk_put_digests(const struct set_digest *digests, size_t count, struct bytes *out);
/* BAD_FRAME unless there are exactly `count`. */
fault set_talk_get_digests(struct span bytes, size_t count, struct set_digest *out);

/* Borrowed from the bytes. BAD_FRAME: not whole hashes, more than `most`, not in order (each larger
 * than the one before, the first larger than `after` if there is one). */
fault set_talk_get_hashes(struct span bytes, size_t most, const struct sha256 *after,
                          const struct sha256 **out, size_t *count);

/* Adds u16 length and leaf (empty: not at hand). False, and nothing is added, when it is too much
 * for a message. */
bool set_talk_put_leaf(struct span leaf, struct bytes *out);
/* Leaves one by one. BAD_FRAME: a leaf that ends outside. */
fault set_talk_get_leaf(struct span *left, struct span *leaf);
/* How many there are; BAD_FRAME: more than RECONCILE_LEAVES_A_MESSAGE, or one ends outside. */
fault set_talk_count_leaves(struct span bytes, size_t *count);

void set_talk_put_verdict(enum fault_code code, uint8_t out[2]);
/* The verdict on leaf number `at`; an unknown number is INTERNAL. BAD_FRAME: there is none. */
fault set_talk_get_verdict(struct span bytes, size_t at, enum fault_code *out);

#endif
