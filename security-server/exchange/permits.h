// SPDX-License-Identifier: MIT
/*
 * permits - permits to ask a citizen that this server's log holds, by their codes. The log is the
 * only place where they are kept: what is here is read from it at each start.
 *
 * PERMITS_HELD_MAX in force at once: then no more are given (permits_room). One that is in force is
 * always found; those that have ended are found until their room is needed.
 */
#ifndef EXCHANGE_PERMITS_H
#define EXCHANGE_PERMITS_H

#include "lib/bus/header.h"
#include "lib/bus/permit_code.h"

struct permit {
    char code[PERMIT_CODE_ROOM];
    enum permit_reason reason;
    int64_t since_ms, given_ms, until_ms;
    const char *member, *procedure, *requirement, *territory; /* borrowed from it */
    const char
        *case_ref;  /* for which it is given alone; empty: none was named, and it needs none */
    uint64_t place; /* audit_place */
    struct sha256 leaf_hash;
    bool has_evidence;
    struct sha256 evidence; /* leaf hash of the record that bears it out ... */
    uint64_t evidence_place;
};

struct permits;
struct permits *permits_new(void);
void permits_free(struct permits **self);

/* OVERLOADED: as many are in force at that time as are held, and when the first of them ends. */
fault permits_room(struct permits *self, int64_t now_ms);

/* A PERMIT record stands in our log. It is held, and those that have ended by `now_ms` make room.
 */
void permits_take(struct permits *self, const struct header *header, uint64_t place,
                  const struct sha256 *leaf_hash, int64_t now_ms);
/* NULL: there is none; good until the next permits_take or permits_room. */
const struct permit *permits_find(const struct permits *self, const char *code);

/* PERMIT_UNPROVEN unless that leaf, as it was read from our log, is the record that the permit
 * names; `reading`: what came of the reading, with nothing in `leaf` when it is not OK. */
fault permit_check_evidence(const struct permit *permit, enum fault_code reading, struct span leaf);

#endif
