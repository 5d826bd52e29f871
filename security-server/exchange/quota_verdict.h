// SPDX-License-Identifier: MIT
/*
 * quota_verdict - is a request that may be one too many for now? By the rate of its service, and by
 * the volume of the grant that allows it; with the rule, and when to ask again. No clock and no
 * process: time comes from the caller.
 */
#ifndef EXCHANGE_QUOTA_VERDICT_H
#define EXCHANGE_QUOTA_VERDICT_H

#include "lib/bus/policy.h"
#include "security-server/exchange/quota.h"

struct quota_question {
    const struct directory *directory;
    const struct directory_service *service;
    struct span member;                     /* who asks */
    const char *rule;                       /* by which it is allowed */
    int64_t at_ms;                          /* on the wall */
    int64_t steady_us;                      /* for rates */
    int64_t class_rate[POLICY_CLASSES_END]; /* this server's settings, a second; 0: no limit */
};

struct quota_verdict {
    char rule[POLICY_RULE_ROOM]; /* that refuses: rate/service, rate/class, quota/grant ID */
    uint32_t retry_s;            /* when it is refused */
    bool counted;                /* under a grant: to be given back when no answer comes of it */
};

/* RATE_LIMITED: it is one too many. OVERLOADED: as quota_take. */
fault quota_verdict(struct quota *self, const struct quota_question *question,
                    struct quota_verdict *out);

#endif
