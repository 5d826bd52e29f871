// SPDX-License-Identifier: MIT
/*
 * policy_request - what a request for access, the arbiter's word and an emergency open.
 */
#ifndef BUS_POLICY_REQUEST_H
#define BUS_POLICY_REQUEST_H

#include "lib/bus/access.h"
#include "lib/bus/policy_private.h"

/* Where no grant opens: has the client a request for this service and purpose that decides, or that
 * waits? Says step and verdict then. false: there is none to speak of. */
bool policy_request_decides(const struct policy_case *self, struct policy_verdict *out);

/* Where a grant opens so much a day: has the client a request that opens it without a bound? Says
 * so then. Else a small grant would take back what silence or the arbiter gave. */
bool policy_request_opens(const struct policy_case *self, struct policy_verdict *out);

/* Is the service opened to the client in an emergency? NULL: no. */
const struct directory_break_glass *policy_break_glass(const struct policy_case *self);
void policy_say_break_glass(const struct policy_case *self,
                            const struct directory_break_glass *glass, struct policy_verdict *out);

#endif
