// SPDX-License-Identifier: MIT
/*
 * policy - may this exchange be? Access by default: open to any member; shared to any public agency
 * for a purpose for which it is competent; while a restriction holds, to who has a grant. Always
 * with the rule that decided, and on refusal with what to do. A pure function of the directory and
 * the time, equal on both sides.
 *
 * Rules. Their names are signed into evidence and stay for ever; ID is a competence's,
 * restriction's or grant's.
 *   allowed   open/any-member                         any registered subsystem
 *             shared/competence ID                    the one that ends last, if several fit
 *             shared/grant ID                         where no competence fits; likewise
 *             restricted/grant ID                     likewise
 *             restricted/silence ID                   the request that nobody answered (access.h)
 *             restricted/decision ID                  the arbiter's, on this consumer's request
 *             restricted/precedent ID                 the arbiter's, on an equal request
 *             break-glass/opened ID                   in an emergency
 *             metadata/any-member                     what a subsystem offers (metaservice.h)
 *             citizen-view/competence ID             who looked at a person (metaservice.h)
 *   refused   directory/unknown-client                UNKNOWN_CLIENT
 *             directory/unknown-service               UNKNOWN_SERVICE
 *             directory/unknown-endpoint              UNKNOWN_ENDPOINT
 *             service/disabled                        SERVICE_DISABLED, even for a grant's holder
 *             subject/not-named                       SUBJECT_REQUIRED, likewise
 *             once-only/not-owner PROCEDURE           ACCESS_DENIED, as are all below
 *             once-only/outside-plan PROCEDURE
 *             shared/not-a-public-agency
 *             shared/no-purpose
 *             shared/unknown-purpose
 *             shared/not-competent
 *             restricted/no-grant ID                  the restriction
 *             restricted/grant-expired ID
 *             restricted/denied ID                    the arbiter's decision
 *             restricted/waiting ID                   the request; whose turn it is, is said
 *             citizen-view/not-competent
 * Until competences stood in the directory: shared/public-agency-with-purpose, restricted/no-grant.
 */
#ifndef BUS_POLICY_H
#define BUS_POLICY_H

#include "lib/bus/directory.h"

struct policy_question {
    struct span client;  /* I/C/M/S, canonical */
    struct span service; /* I/C/M/S/SERVICE, canonical */
    struct span purpose; /* may be empty */
    int64_t at_ms;
    struct span endpoint; /* of the service, by its id; empty: none of them */
    /* As the request names them, or empty. A procedure of the register binds: the client must run
     * it, and the service be in its plan (once_only.h), for that requirement. Any other name is the
     * caller's own. */
    struct span procedure, requirement;
    struct span source; /* whose own query it is, of a collection; or empty */
    bool names_nobody;  /* the request says of no person that it is about them */
};

#define POLICY_TEXT_BYTES 512

/* Who has a competence for it may ask every server who looked at a person. */
#define POLICY_VIEW_PURPOSE "CITIZEN-VIEW"

struct policy_verdict {
    enum fault_code fault;          /* OK, UNKNOWN_CLIENT, UNKNOWN_SERVICE, UNKNOWN_ENDPOINT,
                                       SUBJECT_REQUIRED,
                                       SERVICE_DISABLED,          ACCESS_DENIED */
    char rule[POLICY_TEXT_BYTES];   /* such as "shared/public-agency-with-purpose" or
                                       "restricted/grant G-1" */
    char reason[POLICY_TEXT_BYTES]; /* a sentence for people */
    char remedy[POLICY_TEXT_BYTES]; /* what to do; "" when allowed */
};

void policy_decide(const struct directory *directory, const struct policy_question *question,
                   struct policy_verdict *out);

/* The same, and how it came about: what was looked at, in order. The first that does not hold is
 * what is missing. */
#define POLICY_STEPS_MAX 12
struct policy_step {
    const char *name; /* client, service, endpoint, switch, subject, owner, procedure, restriction,
                         grant, request, class, agency, purpose, competence, emergency */
    bool holds;
    char detail[POLICY_TEXT_BYTES];
};
struct policy_trace {
    size_t steps;
    struct policy_step step[POLICY_STEPS_MAX];
    const char *missing;              /* the name of a step; "" when allowed */
    char supplier[POLICY_TEXT_BYTES]; /* who can supply it: a member's id, or "authority" */
    char command[POLICY_TEXT_BYTES];  /* the one that asks for it or sets it; "": none helps */
};
void policy_explain(const struct directory *directory, const struct policy_question *question,
                    struct policy_verdict *out, struct policy_trace *trace);

/* How closed a service is at that time, to whoever asks, by its most closed part; what is not there
 * counts as open. */
enum policy_class { POLICY_OPEN = 1, POLICY_SHARED, POLICY_RESTRICTED, POLICY_CLASSES_END };
enum policy_class policy_class_of(const struct directory *directory, struct span service,
                                  int64_t at_ms);

/* Would it be allowed: with the purpose that is named, or with none or any registered one? */
bool policy_allows_part_somehow(const struct directory *directory,
                                const struct policy_question *question);

/* Would it be allowed, or one of the service's endpoints, if it names none? When the question names
 * no purpose: with none, or with any registered one? */
bool policy_allows_somehow(const struct directory *directory,
                           const struct policy_question *question);

#endif
