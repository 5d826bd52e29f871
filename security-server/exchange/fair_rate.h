// SPDX-License-Identifier: MIT
/*
 * fair_rate - how many requests a second a service takes, shared among who asks. Pure: time comes
 * from the caller.
 *
 * The service has a bucket of tokens, `rate` a second and at most `burst`. Each member that asked
 * within FAIR_ACTIVE_US has a bucket of its own with its even share of both. Who is within its
 * share is served while the service has a token; who is above it, only while more than half of the
 * burst is unused. So one that asks without end gets all that others leave, and takes nothing of
 * what is theirs.
 */
#ifndef EXCHANGE_FAIR_RATE_H
#define EXCHANGE_FAIR_RATE_H

#include "lib/base/bytes.h"

struct fair_limit {
    uint32_t rate;  /* requests a second; 0: no limit */
    uint32_t burst; /* at once; 0: as many as a second's */
};

struct fair_rate;
struct fair_rate *fair_rate_new(void);
void fair_rate_free(struct fair_rate **self);

/* Takes a token for this member. 0: taken; else nothing is, and so many microseconds are to be
 * waited before there may be one. Of FAIR_MEMBERS_MAX members the one that has been silent longest
 * is forgotten. */
int64_t fair_rate_take(struct fair_rate *self, struct fair_limit limit, struct span member,
                       int64_t now_us);

#endif
