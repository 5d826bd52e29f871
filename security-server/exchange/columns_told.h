// SPDX-License-Identifier: MIT
/* columns_told - which columns a caller gets, as a gateway is told it: with a call, and with the
 * answer to "may I?". */
#ifndef EXCHANGE_COLUMNS_TOLD_H
#define EXCHANGE_COLUMNS_TOLD_H

#include "lib/bus/policy_columns.h"

struct Chaski__Call; /* front.pb-c.h */
struct Chaski__CanAnswer;

/* What the messages point into; *out is the caller's, who frees it behind them. Texts are those of
 * `columns`. NULL: nothing is told. */
struct columns_told;
struct columns_told *columns_told_call(const struct policy_columns *columns,
                                       struct Chaski__Call *call);
struct columns_told *columns_told_can(const struct policy_columns *columns,
                                      struct Chaski__CanAnswer *answer);
void columns_told_free(struct columns_told **self);

#endif
