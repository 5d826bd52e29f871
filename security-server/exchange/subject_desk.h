// SPDX-License-Identifier: MIT
/*
 * subject_desk - what this server's log holds about a person, for the view of that person: answers
 * exchanges of the metaservice subjectAccesses (proto/subject.proto), which were verified, allowed
 * by policy.h and kept like any other. Follows the log with lib/bus/subject_index.h, on the thread
 * of set_reader.h.
 */
#ifndef EXCHANGE_SUBJECT_DESK_H
#define EXCHANGE_SUBJECT_DESK_H

#include "security-server/exchange/exchange.h"

struct subject_desk;

/* Begins to follow the log. IO_FAILED. */
fault subject_desk_new(struct node *node, struct subject_desk **out);
void subject_desk_free(struct subject_desk **self);

/* Step 11 of such an exchange: the answer's blob is made, and the exchange resumed. */
enum step_end subject_desk_answer(struct subject_desk *self, struct exchange *x);

#endif
