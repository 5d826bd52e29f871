// SPDX-License-Identifier: MIT
/*
 * start_check - before anything is signed: does somebody hold more of our log than we do? Witnesses
 * are asked for the checkpoint that they cosigned, peers for the largest head that we signed to
 * them, a few at a time within start_check_ms; how many are left out is said. Witnesses that are no
 * servers are asked over HTTP, by the scribe, in the same time. Only what we signed ourselves
 * counts. Source: ref/evidence B.4, third refusal.
 */
#ifndef EXCHANGE_START_CHECK_H
#define EXCHANGE_START_CHECK_H

#include "security-server/exchange/node.h"

/* Calls done once, later (node->check is there until then): DONE, or LOG_SHRUNK with who knows
 * what, what is missing and the ways out. Nobody answering within start_check_ms is an event, not a
 * refusal: a node may be alone. */
void start_check_begin(struct node *node, void (*done)(struct node *node, fault f));
/* A stop that comes first: done is not called. */
void start_check_free(struct start_check **self);

#endif
