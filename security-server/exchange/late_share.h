// SPDX-License-Identifier: MIT
/*
 * late_share - how much of what peers bring late is taken into the log: of each peer so many leaves
 * a day (late_a_day), so many of one hour (late_an_hour), so many that wait
 * (LATE_QUEUE_LEAVES_A_PEER); and none when the disk is nearly full (late_free_mib). Each becomes a
 * record that is kept for years, and a line in the set of its hour that every comparison reads.
 */
#ifndef EXCHANGE_LATE_SHARE_H
#define EXCHANGE_LATE_SHARE_H

#include "security-server/exchange/late_leaf.h"

struct late_share;

struct late_share *late_share_new(struct node *node);
void late_share_free(struct late_share **self);

/* One more leaf of this peer wants to wait. DONE: it is counted until late_share_leave();
 * OVERLOADED: not now, and not counted. */
fault late_share_enter(struct late_share *self, const char *peer);
/* It waits no more; recorded: it has become a record. */
void late_share_leave(struct late_share *self, const struct late_leaf *leaf, bool recorded);

/* What the hour of this leaf has of late leaves in its set already. Counts from the first call on,
 * until late_share_forget_hours(); what is recorded in between is added. */
void late_share_note_hour(struct late_share *self, const struct late_leaf *leaf, uint64_t lates);
/* OVERLOADED: that hour has its share. It was noted before. */
fault late_share_check_hour(struct late_share *self, const struct late_leaf *leaf);
/* The sets reach further now: what was counted beside them stands in them. */
void late_share_forget_hours(struct late_share *self);
/* Too many hours are being counted: it is time to forget them. */
bool late_share_is_full(const struct late_share *self);

#endif
