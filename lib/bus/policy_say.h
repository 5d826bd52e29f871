// SPDX-License-Identifier: MIT
/*
 * policy_say - what a decision says: the verdict's rule, reason and remedy, and the trace of what
 * was looked at. Decides nothing. No personal data: identifiers of the directory and codes only.
 */
#ifndef BUS_POLICY_SAY_H
#define BUS_POLICY_SAY_H

#include "lib/bus/policy_private.h"

/* Who supplies what no member can. */
#define POLICY_AUTHORITY "authority"

/* What was looked at, and what was found. Without a trace nothing happens. */
void policy_say_step(const struct policy_case *self, const char *name, bool holds,
                     const char *format, ...) __attribute__((format(printf, 4, 5)));
/* Who can supply what is missing, and by which command. */
void policy_say_supply(const struct policy_case *self, const char *who, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* Allowed, by the rule of that name; id is "" or that of the right. */
void policy_say_allowed(struct policy_verdict *out, const char *rule, const char *id,
                        const char *reason);

/* Refused; each fills verdict and trace. */
void policy_say_unknown_client(const struct policy_case *self, struct policy_verdict *out);
void policy_say_unknown_service(struct policy_verdict *out);
void policy_say_unknown_endpoint(const struct policy_case *self, struct policy_verdict *out);
void policy_say_disabled(const struct policy_case *self, struct policy_verdict *out);
void policy_say_no_subject(const struct policy_case *self, struct policy_verdict *out);
struct directory_procedure; /* once_only.h */
void policy_say_outside_plan(const struct policy_case *self,
                             const struct directory_procedure *procedure,
                             struct policy_verdict *out);
void policy_say_not_owner(const struct policy_case *self,
                          const struct directory_procedure *procedure, struct policy_verdict *out);
/* The request is a source's own query, and names no procedure of the register. */
void policy_say_source_alone(const struct policy_case *self, struct policy_verdict *out);
void policy_say_no_agency(const struct policy_case *self, struct policy_verdict *out);
void policy_say_no_purpose(const struct policy_case *self, struct policy_verdict *out);
void policy_say_unknown_purpose(const struct policy_case *self, struct policy_verdict *out);
void policy_say_not_competent(const struct policy_case *self, struct policy_verdict *out);
/* ended is the grant that was there, or NULL. */
void policy_say_no_grant(const struct policy_case *self,
                         const struct directory_restriction *restriction, const struct right *ended,
                         struct policy_verdict *out);

#endif
