// SPDX-License-Identifier: MIT
/*
 * directory_snapshot_private - a snapshot while it is made and read: for directory_snapshot.c and
 * the rooms that add to it. What is made lives until the snapshot is packed.
 */
#ifndef BUS_DIRECTORY_SNAPSHOT_PRIVATE_H
#define BUS_DIRECTORY_SNAPSHOT_PRIVATE_H

#include "lib/base/arena.h"
#include "lib/bus/directory_acts.h"

struct Chaski__Snapshot; /* directory.pb-c.h */
struct making;

/* Zeroed, for `count` things and one more. */
void *making_get(struct making *self, size_t count, size_t size);
/* For what another room makes of it. */
struct arena *making_memory(struct making *self);
char *making_lend(const char *text);
char **making_lend_list(struct making *self, const char *const *texts, size_t count);
/* All values of a map in the order of the id with which each begins. */
const void **making_in_order(struct making *self, const struct map *map);

/* directory_snapshot_access.c: the calendar, requests, decisions, emergencies. Requests stand
 * before grants that answer them. */
void access_into_snapshot(const struct directory *self, struct making *making,
                          struct Chaski__Snapshot *out);
fault access_from_snapshot(struct directory *self, const struct Chaski__Snapshot *from);

#endif
