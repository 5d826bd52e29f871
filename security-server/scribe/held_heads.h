// SPDX-License-Identifier: MIT
/*
 * held_heads - what outside witnesses hold of our log, asked for the exchange process before it
 * signs anything after a start: GET <url>/<hex of SHA-256 of the origin>/checkpoint of each, which
 * is a note that our own log signed. C2SP tlog-witness calls the address that of monitoring; here
 * it is the one that add-checkpoint is posted to. Files: lib/bus/outside_files.h.
 */
#ifndef SCRIBE_HELD_HEADS_H
#define SCRIBE_HELD_HEADS_H

#include "lib/base/fault.h"

#include <time.h>

/* Zeroed: no question was seen yet. */
struct held_heads {
    struct timespec stamp; /* of the question that was answered last */
};

/* When there is a question that somebody still waits for, asks all witnesses at once and writes
 * what they hold; waits for them as long as the question says. What a witness does wrong is an
 * event. */
void held_heads_look(struct held_heads *self, const char *audit_folder);

#endif
