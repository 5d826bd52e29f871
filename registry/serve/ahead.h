// SPDX-License-Identifier: MIT
/*
 * ahead - who follows holds more of this directory than this store: it is an old copy. Followers
 * say so by themselves (POST /directory/head, the note of what they hold) when an address shows
 * them less; what they send counts because this directory's own log key signed it. It is kept in
 * the store, which is not served again until it holds as much.
 *
 *   STORE/ahead    that note
 */
#ifndef REGISTRY_SERVE_AHEAD_H
#define REGISTRY_SERVE_AHEAD_H

#include "lib/bus/directory.h"

/* own: how many acts are known to be here. DONE: it tells nothing new. DIRECTORY_OLD: this store is
 * behind it; durable, and told as an event. */
fault ahead_take(const char *store, uint64_t own, const struct checkpoint *head, struct span note);
/* Before a store is served. REFUSED: it is still behind what somebody showed. */
fault ahead_check(const char *store);

#endif
