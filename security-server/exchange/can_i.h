// SPDX-License-Identifier: MIT
/*
 * can_i - "may I?": the decision that an exchange would begin with, without one, and how it came
 * about. Nothing is sent and nothing is logged: nobody learns anything but the asker.
 */
#ifndef EXCHANGE_CAN_I_H
#define EXCHANGE_CAN_I_H

#include "lib/bus/policy_columns.h"
#include "security-server/exchange/exchange_steps.h"

#define CAN_I_MS_MAX INT64_C(2524608000000) /* 2050 */

struct can_i {
    struct problem problem; /* fault OK: it may, by problem.rule */
    struct policy_trace trace;
    uint64_t epoch;
    uint32_t volume_a_day, rate;   /* of the grant by which it may, and of the service; 0: none */
    uint64_t used_today;           /* of the volume, as our own evidence has it */
    bool subject_required;         /* each request to the service names a person */
    struct policy_columns columns; /* of a table, when it may be asked */
};

void can_i(struct node *node, const struct admission *question, struct can_i *out);

#endif
