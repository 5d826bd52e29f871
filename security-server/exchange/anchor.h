// SPDX-License-Identifier: MIT
/*
 * anchor - has our own checkpoints cosigned: each time the scribe has published one, its head goes
 * to the witnesses that the directory assigns, with the proof that each needs. What they signed is
 * kept (log/<epoch>/cosigned) when it makes a quorum. Messages never wait for it; a log that nobody
 * has confirmed for too long raises an alarm, and in the end stops taking exchanges.
 */
#ifndef EXCHANGE_ANCHOR_H
#define EXCHANGE_ANCHOR_H

#include "security-server/exchange/node.h"

struct anchor;

fault anchor_new(struct node *node, struct anchor **out);
void anchor_free(struct anchor **self);
/* Entries that a quorum has confirmed. */
uint64_t anchor_confirmed_size(const struct anchor *self);
/* UNWITNESSED when no quorum has confirmed a log that grew for witness_stop_ms. */
fault anchor_check(const struct anchor *self);

#endif
