// SPDX-License-Identifier: MIT
/*
 * permits - permits to ask a citizen that this server's log holds, by their codes. The log is the
 * only place where they are kept: what is here is read from it at each start.
 *
 * At most PERMITS_HELD_MAX; then the oldest is found no more (its record stays).
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
    uint64_t place;                                           /* audit_place */
    struct sha256 leaf_hash;
};

struct permits;
struct permits *permits_new(void);
void permits_free(struct permits **self);

/* A PERMIT record stands in our log. */
void permits_take(struct permits *self, const struct header *header, uint64_t place,
                  const struct sha256 *leaf_hash);
/* NULL: there is none; good until the next permits_take. */
const struct permit *permits_find(const struct permits *self, const char *code);

#endif
