// SPDX-License-Identifier: MIT
/*
 * records - hands out records of our own subsystems' exchanges as ASiC-E containers: what
 * `chaski-audit export --asice` makes, for X-Road's GET /asic. One ask after the other, each in
 * bounded steps, so that files are read beside it.
 *
 * A record is given out only to the client whose end of the exchange it is, and only under a time
 * stamp; `force` asks the scribe to hurry (log/<epoch>/hurry) and waits.
 */
#ifndef CLERK_RECORDS_H
#define CLERK_RECORDS_H

#include "security-server/clerk/clerk.h"

struct records;

struct record_ask {
    const char *client; /* subsystem, canonical */
    const char *message_id;
    bool request, response, unique, force;
};

/* Reads the store key: before the jail. BAD_KEY, NOT_FOUND. */
fault records_new(struct clerk *clerk, struct records **out);
void records_free(struct records **self);

/* Answers later. */
void records_take(struct records *self, const struct clerk_reply *reply,
                  const struct record_ask *ask);
/* What containers are checked against: instance, anchors, directory, verify.sh. Answers at once. */
void records_take_verification(struct records *self, const struct clerk_reply *reply);

#endif
