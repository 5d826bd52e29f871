// SPDX-License-Identifier: MIT
/*
 * permit_decision - may a citizen be asked for what a requirement needs? By the plan and by what
 * our log bears out (outages.h); has no effect. Source: ref B.5, H.1; docs/ONCE-ONLY.md.
 */
#ifndef EXCHANGE_PERMIT_DECISION_H
#define EXCHANGE_PERMIT_DECISION_H

#include "lib/bus/plan.h"
#include "security-server/exchange/outages.h"

struct permit_question {
    const struct plan_requirement *requirement; /* of a plan without wishes for versions */
    enum permit_reason wanted;                  /* 0: whatever is found */
    const char *case_ref;                       /* "" */
    struct span subject;                        /* whose pseudonym; empty: nobody's */
    const struct outages *outages;
    unsigned log_epoch; /* records of an earlier one are no evidence: a permit names an entry */
    int64_t now_ms;
};

/* Pointers live as long as the plan. */
struct permit_verdict {
    bool denied;
    enum permit_reason reason;   /* the others: unless denied */
    int64_t permit_ms, since_ms; /* for how long; SOURCE_DOWN: since when */
    bool has_evidence;
    struct outcome_place evidence;
    const struct plan_leaf *leaf; /* denied: who is to be asked, or NULL; with evidence: whose */
    const char *why;              /* a sentence for people */
};

/* Is a permit for that reason about one person, so that its question names one? */
bool permit_reason_is_personal(enum permit_reason reason);

void permit_decide(const struct permit_question *question, struct permit_verdict *out);

#endif
