// SPDX-License-Identifier: MIT
/*
 * erasures - payloads are erased as acts: first a signed ERASED record, durable; then frames and
 * record keys are overwritten, step by step; then it is noted that this act is carried out. What a
 * crash interrupts in between is done at the next start, by the record.
 *
 *   <audit_folder>/keys/erased   all acts before this entry are carried out: its number; of a later
 *                                epoch than the first EPOCH/NUMBER
 */
#ifndef EXCHANGE_ERASURES_H
#define EXCHANGE_ERASURES_H

#include "security-server/exchange/node.h"
#include "security-server/exchange/own_record.h"

struct erasures;

fault erasures_new(struct node *node, struct erasures **out);
void erasures_free(struct erasures **self);

/* While the log is read: an ERASED record stands at this place. */
fault erasures_note(struct erasures *self, uint64_t place, struct span header);
/* After it was read, before anything else: does what was recorded and not carried out. */
fault erasures_finish(struct erasures *self, struct audit_log *log);

/* What came of an act. */
struct erasure_end {
    uint64_t record; /* its entry */
    uint64_t place;  /* ... and in which epoch */
    uint64_t erased; /* payloads */
};
typedef void erasure_done(void *owner, fault f, const struct erasure_end *end);

/* Carries one out; lends nothing beyond the call. NOT_FOUND: it covers no payload that is held, and
 * nothing was recorded. An act whose id is in the log already is not recorded again. One at a time:
 * REFUSED, in `done` too, while another runs. `done` is called later. */
void erasures_do(struct erasures *self, const struct erasure_act *act, erasure_done *done,
                 void *owner);
bool erasures_busy(const struct erasures *self);

#endif
