// SPDX-License-Identifier: MIT
/*
 * stamp_feed - takes the scribe's time stamps into the log: a token that is logged is covered by
 * every later one, and a message that covers it was signed after it (ref/evidence F.3).
 */
#ifndef EXCHANGE_STAMP_FEED_H
#define EXCHANGE_STAMP_FEED_H

#include "security-server/exchange/node.h"

struct stamp_feed;

fault stamp_feed_new(struct node *node, struct stamp_feed **out);
void stamp_feed_free(struct stamp_feed **self);
/* UNWITNESSED when authorities are named and none has stamped a log that grew for witness_stop_ms.
 */
fault stamp_feed_check(const struct stamp_feed *self);

#endif
