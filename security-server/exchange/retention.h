// SPDX-License-Identifier: MIT
/*
 * retention - what of payloads is kept and for how long, by the settings. What is over is erased at
 * the start and then hourly, as an act like any other: by day, and by the rule that a service is
 * under.
 */
#ifndef EXCHANGE_RETENTION_H
#define EXCHANGE_RETENTION_H

#include "security-server/exchange/node.h"

struct retention;

struct retention *retention_new(struct node *node);
void retention_free(struct retention **self);

/* What is kept of which service. */
const struct keeping *retention_keeping(const struct retention *self);
/* What must be said of it in a STARTED record: NULL when all of everything is kept. */
const struct keeping *retention_said(const struct retention *self);

/* From now on, while the loop runs. */
void retention_begin(struct retention *self);

#endif
