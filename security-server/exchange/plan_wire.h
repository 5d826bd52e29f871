// SPDX-License-Identifier: MIT
/*
 * plan_wire - plans between a gateway's messages and lib/bus/plan.h.
 */
#ifndef EXCHANGE_PLAN_WIRE_H
#define EXCHANGE_PLAN_WIRE_H

#include "lib/bus/plan.h"

struct Chaski__PlanAsk; /* front.pb-c.h */
struct Chaski__PlanAnswer;
struct Chaski__PlanRequirement;

/* What a gateway asks, into `question` and room for PLAN_ANSWERS_MAX answers; texts are lent.
 * with_versions: as the caller likes them; else any will do. BAD_QUESTION. */
fault plan_wire_read(const struct Chaski__PlanAsk *ask, bool with_versions,
                     struct plan_question *question, struct plan_answer *answer);

/* The plan, without ask and epoch; everything lies in `memory` or is the plan's. */
void plan_wire_fill(const struct plan *plan, struct arena *memory, struct Chaski__PlanAnswer *out);
struct Chaski__PlanRequirement *plan_wire_requirement(const struct plan_requirement *from,
                                                      struct arena *memory);

#endif
