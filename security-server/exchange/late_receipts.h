// SPDX-License-Identifier: MIT
/*
 * late_receipts - leaves that were missing here and have been checked become LATE records:
 * appended, never put in their old place; once per leaf.
 *
 * What waits is taken as one batch. Before anything of it is recorded, the scribe must have sorted
 * all that the log held when the batch began: so a leaf that stands in the log, by itself or by a
 * LATE record, is seen; what is appended after that moment is remembered until the batch ends. A
 * leaf younger than reconcile_grace_ms is not taken: it may still come by itself. Bounded by
 * LATE_QUEUE_LEAVES, LATE_QUEUE_BYTES and LATE_QUEUE_LEAVES_A_PEER; one record at a time.
 */
#ifndef EXCHANGE_LATE_RECEIPTS_H
#define EXCHANGE_LATE_RECEIPTS_H

#include "security-server/exchange/late_leaf.h"

struct late_receipts;

struct late_receipts *late_receipts_new(struct node *node);
void late_receipts_free(struct late_receipts **self);

/* What became of one: in the log (new: by a record made now), or not. */
typedef void late_done(void *owner, fault f, const struct sha256 *leaf_hash, bool new);

/* Takes the leaf over. `done`, which may be NULL, is called later, once; without it a leaf that
 * waits already is not taken twice, and DONE. OVERLOADED: too many wait, or it is too young. */
fault late_receipts_take(struct late_receipts *self, struct late_leaf **leaf, late_done *done,
                         void *owner);
/* The owner goes away: nothing is called for it any more. */
void late_receipts_forget(struct late_receipts *self, const void *owner);

#endif
