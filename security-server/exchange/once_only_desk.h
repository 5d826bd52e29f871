// SPDX-License-Identifier: MIT
/*
 * once_only_desk - where gateways ask what has to be fetched (lib/bus/plan.h), and whether a
 * citizen may be asked instead. Whatever is decided about a citizen is a record of our log before
 * the answer goes out; the record of a permit is the permit.
 *
 * A permit is given when nobody delivers the evidence, or when our own log bears out that who
 * delivers it could not (permit_decision.h), or when the citizen prefers it; to whom runs the
 * procedure, and to nobody else. Plans are public: they say what the register says. Which version
 * of a form the caller would like plays no part: it would make a source disappear.
 */
#ifndef EXCHANGE_ONCE_ONLY_DESK_H
#define EXCHANGE_ONCE_ONLY_DESK_H

#include "security-server/exchange/node.h"

struct Chaski__PlanAsk; /* front.pb-c.h */
struct Chaski__PermitAsk;

/* Each answers `route` by front_send, now or when its record is durable. */
void once_only_plan(struct node *node, struct span route, const struct Chaski__PlanAsk *ask);
void once_only_permit(struct node *node, struct span route, const struct Chaski__PermitAsk *ask);

#endif
