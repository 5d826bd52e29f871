// SPDX-License-Identifier: MIT
/*
 * late_receipts - leaves that were missing here and have been checked become LATE records:
 * appended, never put in their old place; once per leaf.
 *
 * What waits is taken as one batch. Before anything is recorded, the scribe must have sorted all
 * that the log held when it began to be watched: so a leaf that stands in the log, by itself or by
 * a LATE record, is seen; what is appended after that moment is remembered, for LATE_WATCH_MS, so
 * that the next batch need not wait. A leaf younger than reconcile_grace_ms is not taken: it may
 * still come by itself; nor one of which this log says otherwise. Bounded by LATE_QUEUE_LEAVES,
 * LATE_QUEUE_BYTES and what late_share allows; one record at a time.
 */
#ifndef EXCHANGE_LATE_RECEIPTS_H
#define EXCHANGE_LATE_RECEIPTS_H

#include "security-server/exchange/late_leaf.h"

struct late_receipts;

struct late_receipts *late_receipts_new(struct node *node);
void late_receipts_free(struct late_receipts **self);

/* What became of one: durable in the log (new: by a record made now), or not. INCONSISTENT: the log
 * holds it and says otherwise of it; other faults are this node's own, or OVERLOADED. */
typedef void late_done(void *owner, fault f, const struct sha256 *leaf_hash, bool new);

/* Takes the leaf over. `done` is called later, once, unless the owner is forgotten; a leaf that
 * waits for nobody any more then waits for this owner. OVERLOADED: not now. */
fault late_receipts_take(struct late_receipts *self, struct late_leaf **leaf, late_done *done,
                         void *owner);
/* The owner goes away: nothing is called for it any more. */
void late_receipts_forget(struct late_receipts *self, const void *owner);

#endif
