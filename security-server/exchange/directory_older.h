// SPDX-License-Identifier: MIT
/*
 * directory_older - fills in what our own copy of the directory lacks when this node began with a
 * snapshot: a bundle at each look, from what the follower has fetched meanwhile, on the thread of
 * the sets. What old acts are needed for (an audit, proofs of records) needs them in the copy.
 */
#ifndef EXCHANGE_DIRECTORY_OLDER_H
#define EXCHANGE_DIRECTORY_OLDER_H

#include "security-server/exchange/set_reader.h"

struct directory_older;

/* Names are copied; NULL folders are not allowed. */
struct directory_older *directory_older_new(const char *followed, const char *copy);
void directory_older_free(struct directory_older **self);
/* size: of the copy. To be called every second or so; sets may be NULL: not yet. */
void directory_older_look(struct directory_older *self, struct set_reader *sets, uint64_t size);
/* The copy was written anew: it may begin later again. */
void directory_older_again(struct directory_older *self);
/* Nothing was missing at the last look. */
bool directory_older_is_whole(const struct directory_older *self);

#endif
