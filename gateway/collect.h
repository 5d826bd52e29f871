// SPDX-License-Identifier: MIT
/*
 * collect - all evidence of a plan, fetched side by side within a deadline: each piece by an
 * ordinary signed exchange of its own, in the name of the caller, with procedure, requirement,
 * purpose, legal basis and case. Of several ways to satisfy a requirement one is gone at a time,
 * and the next one when a piece of it cannot be had: nothing is fetched that is not needed.
 *
 * The subject goes into the payloads' targets only, which are sealed.
 */
#ifndef GATEWAY_COLLECT_H
#define GATEWAY_COLLECT_H

#include "gateway/gateway.h"
#include "gateway/once_only_ask.h"

struct Chaski__PlanAnswer; /* front.pb-c.h */

struct collect_options {
    struct gateway *gateway;
    const char *client; /* I/C/M/SUBSYSTEM; copied, as is what is wanted */
    const struct once_only_ask *wanted;
    uint32_t wait_ms;
    uint64_t (*next_ask)(void *owner); /* a number for an exchange, not used before */
    /* The whole, as JSON: the owner's. The collection may be freed in it. */
    void (*done)(void *owner, json_t *result);
    void *owner;
};

struct collect;

/* The plan is copied. Begins with collect_start. */
struct collect *collect_new(const struct collect_options *options,
                            const struct Chaski__PlanAnswer *plan);
void collect_free(struct collect **self);
/* May call `done` at once. */
void collect_start(struct collect *self);
/* false: the answer is to no question of this collection. */
bool collect_answered(struct collect *self, const struct front_answer *answer);
/* What is still on its way has failed for this reason; then `done`. */
void collect_give_up(struct collect *self, fault f);

#endif
