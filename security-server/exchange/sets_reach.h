// SPDX-License-Identifier: MIT
/*
 * sets_reach - how far the scribe has sorted this log's leaves (lib/bus/leaf_set.h). It follows by
 * itself and nobody waits for it; who compares sets must know that nothing is missing in them.
 */
#ifndef EXCHANGE_SETS_REACH_H
#define EXCHANGE_SETS_REACH_H

#include "security-server/exchange/node.h"

/* Do the sets hold all that the log held at this wall time? */
bool sets_reach_time(const struct node *node, int64_t time_ms);
/* Do they hold the first `entries` entries of the present epoch, and all of those before? */
bool sets_reach_entry(const struct node *node, uint64_t entries);
/* Something in them is damaged: the scribe makes them anew. */
void sets_reach_begin_anew(const struct node *node);

#endif
