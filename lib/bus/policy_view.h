// SPDX-License-Identifier: MIT
/*
 * policy_view - who may ask a server what its log holds about a person: who has a competence for
 * POLICY_VIEW_PURPOSE, and names it. It is over the logs of all, so it is no matter of one owner.
 */
#ifndef BUS_POLICY_VIEW_H
#define BUS_POLICY_VIEW_H

#include "lib/bus/policy_private.h"

/* The client is known. Says step and verdict. */
void policy_view_decide(struct policy_case *self, struct policy_verdict *out);

#endif
