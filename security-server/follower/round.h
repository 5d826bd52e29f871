// SPDX-License-Identifier: MIT
/*
 * round - asks the anchor's addresses in turn for the directory, until one gives what is whole,
 * sound and fresh. Of each: the heartbeat, the checkpoint, and when that has grown the acts that
 * are not held yet, in the bundles of C2SP tlog-tiles. What an address does wrong is an event, at a
 * bounded rate, and the next one's turn.
 */
#ifndef FOLLOWER_ROUND_H
#define FOLLOWER_ROUND_H

#include "security-server/follower/fetcher.h"
#include "security-server/follower/followed.h"

struct round;

/* All borrowed. lag_ms: for so long an address may be behind what is held before that is told of.
 * `done`, at the end of each round, is told whether one address was good. */
struct round *round_new(struct fetcher *fetcher, struct followed *followed,
                        const struct anchor_file *anchor, int64_t lag_ms,
                        void (*done)(void *owner, bool good), void *owner);
void round_free(struct round **self);
/* Begins with the address that was good last. While one is under way it does nothing. */
void round_begin(struct round *self);

#endif
