// SPDX-License-Identifier: MIT
/*
 * directory_quorum - which heads of the directory its witnesses have cosigned. A new head is taken
 * without its quorum, for a revocation must not wait; when none comes there is an alarm.
 */
#ifndef EXCHANGE_DIRECTORY_QUORUM_H
#define EXCHANGE_DIRECTORY_QUORUM_H

#include "lib/bus/directory.h"

/* A zeroed one has seen nothing. */
struct directory_quorum {
    uint64_t size;      /* of the head that was seen last */
    unsigned have;      /* most cosignatures that a note of it had */
    unsigned quorum;    /* how many make it good; 0: the directory names no witnesses */
    uint64_t confirmed; /* largest head that a quorum cosigned */
    int64_t time_s;     /* when: of the cosignature that made the quorum, the newest ones first */
    int64_t waiting_ms; /* steady: since when the head waits; 0: it does not */
    int64_t said_ms;    /* steady */
};

/* A note of the head in use. Cosignatures are verified with the keys that the state has for its
 * witnesses. True when this note has more good ones than any of this head before. */
bool directory_quorum_see(struct directory_quorum *self, const struct directory *state,
                          struct span note);
/* To be called every second or so: the event, once per alarm_ms while a head waits for so long. */
void directory_quorum_watch(struct directory_quorum *self, int64_t alarm_ms);

#endif
