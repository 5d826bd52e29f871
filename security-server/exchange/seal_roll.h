// SPDX-License-Identifier: MIT
/*
 * seal_roll - our own sealing keys: a new one every so often, by a KEY_CARD record in our log, and
 * the end of the one before when its overlap is over. Orders of an operator are files
 * (<audit_folder>/orders/<32 hex digits>.roll). Reasons: docs/decisions/0028.
 */
#ifndef EXCHANGE_SEAL_ROLL_H
#define EXCHANGE_SEAL_ROLL_H

#include "security-server/exchange/node.h"

struct seal_roll;

/* BAD_CONFIG, IO_FAILED: no folder for orders. */
fault seal_roll_new(struct node *node, struct seal_roll **out);
void seal_roll_free(struct seal_roll **self);

/* The first key of this run, which no letter may come before; `done` is called when its record is
 * durable, or at once when keys are not to change (seal_roll_s = 0). A key that could not be made
 * is no reason not to start: it is told of, and tried again. */
void seal_roll_begin(struct seal_roll *self, void (*done)(struct node *node, fault f));

/* The newest card, a leaf; empty: none yet. Lent until the next turn of the loop. */
struct span seal_roll_card(const struct seal_roll *self);

#endif
