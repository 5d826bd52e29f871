// SPDX-License-Identifier: MIT
/*
 * roots - the root over the first n leaf hashes of a log, for any n that is asked for. The hashes
 * of all complete subtrees are kept, 64 bytes a leaf; a root is made of at most 63 of them. RFC
 * 9162 section 2.1.
 */
#ifndef TOOLS_AUDIT_ROOTS_H
#define TOOLS_AUDIT_ROOTS_H

#include "lib/crypto/merkle.h"

struct roots;

struct roots *roots_new(void);
void roots_free(struct roots **self);
void roots_append(struct roots *self, const struct sha256 *leaf_hash);
/* size: not more than were appended. The one that was asked for last costs nothing. */
struct sha256 roots_at(struct roots *self, uint64_t size);

#endif
