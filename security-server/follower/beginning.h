// SPDX-License-Identifier: MIT
/*
 * beginning - fetches what a first start needs, of one address: a snapshot, the tiles of hashes of
 * the bundles before it, and the entries from its bundle on. Only their form is checked here.
 */
#ifndef FOLLOWER_BEGINNING_H
#define FOLLOWER_BEGINNING_H

#include "lib/bus/directory_partial.h"
#include "security-server/follower/fetcher.h"

struct beginning;

/* Is it worth it? Not before the snapshot spares a whole bundle. */
bool beginning_fits(uint64_t snapshot, uint64_t head);
/* Of the log below URL/directory/. `done` is told once, and may free it: BAD_FRAME for what has not
 * the form, or what a fetch raises. */
struct beginning *beginning_new(struct fetcher *fetcher, const char *url, uint64_t snapshot,
                                uint64_t head, void (*done)(void *owner, fault f), void *owner);
void beginning_free(struct beginning **self);
void beginning_begin(struct beginning *self);
/* After a good end; lent. */
struct directory_partial beginning_partial(const struct beginning *self);

#endif
