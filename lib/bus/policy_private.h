// SPDX-License-Identifier: MIT
/*
 * policy_private - one decision under way: shared by the rooms of policy.
 *
 * policy.c decides which right opens a service; policy_say.c says it to people. A further source of
 * a right is a file of its own that looks its rules up with policy_longest().
 */
#ifndef BUS_POLICY_PRIVATE_H
#define BUS_POLICY_PRIVATE_H

#include "lib/bus/consumer.h"
#include "lib/bus/policy.h"
#include "lib/bus/rights.h"

struct policy_case {
    const struct directory *directory;
    const struct policy_question *question;
    const struct directory_subsystem *client;
    const struct directory_service *service;
    const struct endpoint *endpoint; /* of it, or NULL */
    const struct directory_column
        *column;                 /* the one that is asked for, or NULL: all of the answer */
    struct policy_trace *trace;  /* or NULL */
    struct consumer_names names; /* under which rules may mean the client */
    bool misused;                /* it is shut out for misuse: only its own grants count */
};

typedef bool policy_fits(const struct policy_case *self, const void *rule);

/* The fitting rule that ends last, among all that mean the client; the smallest id among equals, so
 * that both sides name the same. NULL: none. */
const struct right *policy_longest(const struct policy_case *self, const struct rights *table,
                                   struct span about, policy_fits *fits);

/* By emergencies, restrictions, grants and class of what is asked for: client and service are
 * there. Fills self->names. */
void policy_decide_right(struct policy_case *self, struct policy_verdict *out);

/* Is a right that names these endpoints about the request? One that names none is about all. */
bool policy_is_about(const struct policy_case *self, const char *const *endpoint, size_t count);

#endif
