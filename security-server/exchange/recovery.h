// SPDX-License-Identifier: MIT
/*
 * recovery - what a node must learn from its own log when it starts: which requests it has taken
 * lately (so that none runs twice), and which requests, asked or taken, a crash left without an
 * outcome.
 */
#ifndef EXCHANGE_RECOVERY_H
#define EXCHANGE_RECOVERY_H

#include "lib/bus/audit_log.h"
#include "security-server/exchange/node.h"

struct recovery;

struct recovery *recovery_new(struct node *node);
void recovery_free(struct recovery **self);

/* Whose entries come next: all epochs are read, the oldest first. */
void recovery_epoch(struct recovery *self, unsigned epoch);
/* An audit_visit for audit_log_open: owner is the recovery. */
fault recovery_visit(void *owner, uint64_t index, struct span leaf, const struct sha256 *leaf_hash);

/* Writes down, for each interrupted request, that its outcome is unknown: the service may have run,
 * and is not run again. Call it when exchanges can walk. Returns how many there were. */
size_t recovery_close_interrupted(struct recovery *self);

#endif
