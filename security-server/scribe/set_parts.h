// SPDX-License-Identifier: MIT
/*
 * set_parts - records on their way into the files of the sets (lib/bus/leaf_set.h): each peer and
 * hour is a part, written and tried again by itself.
 *
 * Before a file is first written to, its end is looked at: a crash may have left anything where
 * nothing was durable yet, and the log gives those records again. No more than the last
 * CHECK_RECORDS are read, in steps; what is damaged further back its readers find. A part whose
 * file cannot be written is marked broken, once, and the others go on: its hour is not compared
 * until all is made anew. A full disk is everybody's, and waits for room.
 */
#ifndef SCRIBE_SET_PARTS_H
#define SCRIBE_SET_PARTS_H

#include "lib/bus/leaf_set.h"

struct set_parts;

struct set_parts *set_parts_new(const char *audit_folder);
void set_parts_free(struct set_parts **self);

/* peer: the identifier of a server, at most ID_TEXT_BYTES_MAX are taken. */
fault set_parts_add(struct set_parts *self, struct span peer, const struct set_entry *entry);
/* Writes what was added. A fault: some parts are left, and they alone are tried by the next call.
 * INCONSISTENT: a file is damaged more than a crash explains, and `next` was removed; IO_FAILED. */
fault set_parts_write(struct set_parts *self);
/* All was written, or is not wanted any more. */
void set_parts_clear(struct set_parts *self);
/* The files were removed: nothing is known of them. */
void set_parts_forget(struct set_parts *self);

#endif
