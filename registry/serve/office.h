// SPDX-License-Identifier: MIT
/*
 * office - what both faces of the registry work on: the directory as it stands, what waits for
 * approvals, what agencies ask for, and the line to the process that carries out.
 */
#ifndef REGISTRY_SERVE_OFFICE_H
#define REGISTRY_SERVE_OFFICE_H

#include "lib/base/loop.h"
#include "lib/base/map.h"
#include "registry/serve/authority_line.h"
#include "registry/serve/ending.h"
#include "registry/serve/held.h"
#include "registry/serve/outlook.h"
#include "registry/serve/proposals.h"
#include "registry/serve/push.h"
#include "registry/serve/reach_desk.h"
#include "registry/serve/reminder_desk.h"
#include "registry/serve/requests.h"
#include "registry/serve/status_desk.h"

struct office_options {
    struct loop *loop;
    const char *store, *folder;
    const char *push;             /* tcp://..., or NULL */
    struct authority_line *line;  /* lent */
    struct status_line *statuses; /* lent */
    unsigned statuses_s;          /* between rounds of asking */
    struct reach_line *callback;  /* lent */
    unsigned held_s;              /* how long a larger head's acts may be shown */
    void (*failed)(void *owner);  /* the authority's process has gone: end */
    void *owner;
};

struct office {
    struct office_options options;
    struct outlook *outlook;
    struct proposals *proposals;
    struct requests *requests;
    struct push *push; /* or NULL */
    struct status_desk *statuses;
    struct reach_desk *callback;
    struct reminder_desk *reminders;
    struct held *held;
    struct ending *ending;
    struct loop_timer beat, forget, first;
    struct map members; /* acts by themselves in this minute, see office_member_act */
    int64_t minute;
};

fault office_open(const struct office_options *options, struct office **out);
void office_free(struct office **self);

/* Carries out those of these proposals whose approvals suffice, in the order given: together when
 * that is possible, else one by one. What could not be carried out says so in `problem`. Acts of
 * one request keep their order, and those that follow are carried out with the last one that was
 * missing; so are acts of one label that could not be carried out before. A fault only when the
 * authority's process has gone. */
fault office_carry_out(struct office *self, struct proposal *const *proposals, size_t count);
/* A server's word for a request of its member (voucher_desk.h); what has its approvals and waited
 * for that is carried out. */
fault office_vouch(struct office *self, struct request *request, const char *server,
                   struct span signature);
/* Why an act is held back that has its approvals: nobody stands behind its request any more. NULL:
 * it is not. */
const char *office_held(const struct office *self, const struct proposal *proposal);
/* The first act of the same request that needs approvals yet and stands in front of this one, which
 * may lean on it; NULL: none does. */
const struct proposal *office_waits_for(const struct office *self, const struct proposal *proposal);
/* The same of one that was proposed with others under one label, and could not be carried out. */
const struct proposal *office_may_wait_for(const struct office *self,
                                           const struct proposal *proposal);

/* A member's own act: carried out at once or refused with what is missing. *epoch: of the directory
 * with it; the same act again gets the same. REFUSED, RATE_LIMITED, IO_FAILED, INTERNAL. */
fault office_member_act(struct office *self, struct span act, uint64_t *epoch);

/* A certificate for a server's next signing key, asked for with a present one (lib/bus/renewal.h).
 * That of a key which stands in the directory already is the one that stands there. bytes_free()
 * it. REFUSED, RATE_LIMITED, INTERNAL. */
fault office_member_renewal(struct office *self, const char *server, struct span request,
                            struct span signature, struct bytes **out);

#endif
