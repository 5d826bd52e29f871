// SPDX-License-Identifier: MIT
/*
 * directory_snapshot - a state as bytes: what a node begins with that has not seen the first acts.
 *
 * One state has one encoding (chaski.Snapshot, directory.proto), so that whoever folds all acts can
 * tell whether the authority vouched for what they lead to. A snapshot says nothing by itself: its
 * digest must stand in the Published act whose number is its size (directory_load checks).
 */
#ifndef BUS_DIRECTORY_SNAPSHOT_H
#define BUS_DIRECTORY_SNAPSHOT_H

#include "lib/bus/directory.h"

/* size: of the acts that were applied; bytes_free() the result. 20 ms for 20,000 services. */
fault directory_snapshot(const struct directory *self, uint64_t size, struct bytes **out);

/* DIRECTORY_BAD unless the bytes are what directory_snapshot makes of the state that they lead to.
 * The state's epoch is the snapshot's size, and its root is not known. trust: as in
 * directory_load. */
fault directory_restore(struct span snapshot, struct trust *trust, struct directory **out);

#endif
