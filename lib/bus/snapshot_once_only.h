// SPDX-License-Identifier: MIT
/*
 * snapshot_once_only - the registers of once_only.h in a snapshot of the directory: for
 * directory_snapshot.c alone.
 */
#ifndef BUS_SNAPSHOT_ONCE_ONLY_H
#define BUS_SNAPSHOT_ONCE_ONLY_H

#include "lib/bus/directory_snapshot_private.h"

void snapshot_once_only_fill(const struct directory *self, struct making *making,
                             struct Chaski__Snapshot *out);
/* After services, purposes, legal bases and groups. */
fault snapshot_once_only_take(struct directory *self, const struct Chaski__Snapshot *from);

#endif
