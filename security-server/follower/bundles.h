// SPDX-License-Identifier: MIT
/*
 * bundles - fetches the entries of a published log from one on: whole C2SP bundles over HTTP, a few
 * at once. Only their form is checked here.
 */
#ifndef FOLLOWER_BUNDLES_H
#define FOLLOWER_BUNDLES_H

#include "security-server/follower/fetcher.h"

struct bundles;

/* Entries from (rounded down to a bundle) to `to`, of the log below URL/directory/. `done` is told
 * once, and may free it: BAD_FRAME for what is no bundle, or what a fetch raises. */
struct bundles *bundles_new(struct fetcher *fetcher, const char *url, uint64_t from, uint64_t to,
                            void (*done)(void *owner, fault f), void *owner);
void bundles_free(struct bundles **self);
void bundles_begin(struct bundles *self);

/* After a good end: the entries, and the index of the first. Lent. */
uint64_t bundles_from(const struct bundles *self);
const struct span *bundles_leaves(const struct bundles *self, size_t *count);

#endif
