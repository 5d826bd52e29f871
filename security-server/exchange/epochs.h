// SPDX-License-Identifier: MIT
/*
 * epochs - the closed epochs of this node's log, and the closing of one on an operator's order:
 *
 *   <audit_folder>/orders/new-epoch.order   chaski.EpochOrder, taken at a start
 *
 * A start with an order does not open the epoch that is to end: it reads what is left of it, asks
 * witnesses and peers what they hold, and begins the next epoch with a record of all that. The
 * files of the closed epoch are never written again.
 */
#ifndef EXCHANGE_EPOCHS_H
#define EXCHANGE_EPOCHS_H

#include "lib/bus/log_epoch.h"
#include "security-server/exchange/node.h"

struct recovery;
struct epochs;

/* Finds out which epoch this node writes and takes the order, if there is one; fills the node's
 * log_epoch, log_key and log_folder from `registered`. LOG_SHRUNK: a later epoch was begun, and its
 * folder is gone. BAD_CONFIG: an order that is none. */
fault epochs_new(struct node *node, struct epochs **out);
void epochs_free(struct epochs **self);

/* Reads the closed ones, the oldest first, into the recovery. */
fault epochs_read(struct epochs *self, struct recovery *recovery);
/* Gives them to the log of the present epoch. */
void epochs_give(struct epochs *self, struct audit_log *log);
/* How much is left of one; 0 for none such. */
uint64_t epochs_size(const struct epochs *self, unsigned epoch);

/* While the log is read: this epoch begins with such a record, of that time. */
void epochs_begun(struct epochs *self, const struct epoch_closed *closed, int64_t time_ms);
/* May a request of that time, which is not in the log, be taken? One that was taken before, and
 * lost with the end of an epoch, must not run again: STALE. */
fault epochs_check_request(const struct epochs *self, int64_t time_ms);

// --- closing ------------------------------------------------------------------------------------

bool epochs_closing(const struct epochs *self);
/* Somebody holds our signature over a head of that epoch. */
void epochs_heard(struct epochs *self, const char *by, unsigned epoch,
                  const struct checkpoint *head);
/* So many were asked, so many answered. PEER_UNREACHABLE: some were asked, and nobody answered;
 * what they hold must stand in the record. */
fault epochs_asked(struct epochs *self, uint32_t asked, uint32_t answered);
/* Writes the first record of the next epoch. */
void epochs_record(struct epochs *self, void (*done)(struct node *node, fault f));
/* The new epoch has begun for good: notes its number and removes the order. Also what a crash left
 * of an order that was carried out. */
fault epochs_end(struct epochs *self);

#endif
