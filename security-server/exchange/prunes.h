// SPDX-License-Identifier: MIT
/*
 * prunes - the beginning of the log is removed as an act: it is made sure that tiles, witnesses and
 * erasures are ready for it; then a signed PRUNED record, durable; then log/<epoch>/pruned; then
 * the files go, the oldest first. What a crash interrupts is done at the next start, by the record.
 */
#ifndef EXCHANGE_PRUNES_H
#define EXCHANGE_PRUNES_H

#include "security-server/exchange/erasures.h"

struct prunes;

struct prunes *prunes_new(struct node *node);
void prunes_free(struct prunes **self);

/* While the log is read: a PRUNED record stands at this place. */
void prunes_note(struct prunes *self, uint64_t place, const struct header *header);
/* After it was read, before anything else: does what was recorded and not carried out, and what is
 * left of that. A fault is said and harmless: it is tried again at the next start. */
void prunes_finish(struct prunes *self, struct audit_log *log);

struct prune_act {
    uint8_t id[EXCHANGE_ID_BYTES]; /* of the order: the record's exchange id */
    uint64_t before;               /* entries before this one, in whole segments */
    const char *ground, *officer;  /* lent for the call */
};

/* Carries one out; `done` gets the record's entry and the number of entries that were removed.
 * REFUSED: not ready, or another act is under way. NOT_FOUND: no whole segment lies before that. An
 * act whose id is in the log already is not recorded again. */
void prunes_do(struct prunes *self, const struct prune_act *act, erasure_done *done, void *owner);
bool prunes_busy(const struct prunes *self);

#endif
