// SPDX-License-Identifier: MIT
/*
 * stamping - has a published checkpoint time-stamped by the authorities that the directory names,
 * one after the other. The bytes of strangers are read here, in a process that holds no key.
 *
 *   cp/<size>.tst   the bare token over the bytes of cp/<size>
 *   stamped         "<size> <time in ms> <name of the authority>\n", of the newest token
 */
#ifndef SCRIBE_STAMPING_H
#define SCRIBE_STAMPING_H

#include "lib/base/bytes.h"

struct stamping;

/* `folder` is that of one epoch of the log. */
fault stamping_new(const char *audit_folder, unsigned epoch, struct stamping **out);
void stamping_free(struct stamping **self);

/* Stamps the checkpoint of this size, whose note is given. DONE too when no authority is named. The
 * fault is that of the last authority asked. Waits for at most STAMP_WAIT_MS an authority. */
fault stamping_stamp(struct stamping *self, uint64_t size, struct span note);
/* How many witnesses make a checkpoint good, as the node has it from the directory; 0: none do. */
unsigned stamping_quorum(struct stamping *self);

#endif
