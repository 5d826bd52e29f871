// SPDX-License-Identifier: MIT
/*
 * offer_parts - which endpoints and columns of a subsystem's services one caller may have, as its
 * gateway is told it when somebody asks what is offered: so that a description names nothing that
 * an exchange would withhold. Decided by policy.h, as for a real exchange.
 */
#ifndef EXCHANGE_OFFER_PARTS_H
#define EXCHANGE_OFFER_PARTS_H

#include "lib/base/arena.h"
#include "lib/bus/metaservice.h"
#include "lib/bus/offer.h"
#include "lib/bus/policy.h"

struct Chaski__Offer; /* front.pb-c.h */

/* Lists lie in `memory`, texts are the state's. caller: its service counts for nothing. Of more
 * than OFFER_PARTS_MAX parts in all the others are told as not for the caller. */
void offer_parts_tell(struct arena *memory, const struct directory *directory,
                      const struct offer *offer, enum metaservice metaservice,
                      const struct policy_question *caller, struct Chaski__Offer *out);

#endif
