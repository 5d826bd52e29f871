// SPDX-License-Identifier: MIT
/*
 * closed_log - an epoch of this node's log that was closed (log_epoch.h): read, and its payloads
 * erased when their time is over; nothing is ever added. Used by the thread that owns the log.
 */
#ifndef BUS_CLOSED_LOG_H
#define BUS_CLOSED_LOG_H

#include "lib/bus/audit_log.h"

struct closed_log;

/* `visit` sees what is left of it from its beginning, in order; a leaf that it cannot read
 * (LOG_BROKEN) does not end the walk, for the log was closed as it is. Faults: IO_FAILED,
 * LOG_FAILED, REFUSED (another process has it open), and others of the visitor. */
fault closed_log_open(const char *folder, unsigned epoch, const struct key_holder *holder,
                      audit_visit *visit, void *owner, struct closed_log **out);
void closed_log_free(struct closed_log **self);

unsigned closed_log_epoch(const struct closed_log *self);
/* What is left. */
struct audit_head closed_log_head(const struct closed_log *self);
struct wal *closed_log_leaves(struct closed_log *self);
struct payload_store *closed_log_payloads(struct closed_log *self);

#endif
