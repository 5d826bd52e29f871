// SPDX-License-Identifier: MIT
/*
 * plan_json - plans, permits and receipts as callers read them.
 */
#ifndef GATEWAY_PLAN_JSON_H
#define GATEWAY_PLAN_JSON_H

#include <jansson.h>

struct Chaski__PlanAnswer; /* front.pb-c.h */
struct Chaski__PlanRequirement;
struct Chaski__PermitSaid;
struct Chaski__Receipt;

/* As PLAN_… in lib/bus/plan.h. */
const char *plan_json_state(unsigned state);
json_t *plan_json(const struct Chaski__PlanAnswer *plan);
/* `procedure` and `purpose` stand in the ready requests. */
json_t *plan_json_requirement(const struct Chaski__PlanRequirement *from, const char *procedure,
                              const char *purpose);
json_t *plan_json_receipt(const struct Chaski__Receipt *receipt);
/* With "state": valid or expired, as of now. */
json_t *plan_json_permit(const struct Chaski__PermitSaid *permit);
/* "2026-11-21T20:00:00.000Z", or null for 0. */
json_t *plan_json_time(unsigned long long ms);

#endif
