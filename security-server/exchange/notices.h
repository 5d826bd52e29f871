// SPDX-License-Identifier: MIT
/*
 * notices - what this node's own log is to say of restrictions that concern it (lib/bus/notice.h):
 * of its own services, that one ends soon and that it ended; of others', that one ended which had
 * shut out one of its subsystems, or about which one of them had asked. Each once: what was said
 * stands in the log, and is read from there at a start.
 */
#ifndef EXCHANGE_NOTICES_H
#define EXCHANGE_NOTICES_H

#include "lib/bus/header.h"
#include "security-server/exchange/node.h"

struct notices;

struct notices *notices_new(struct node *node);
void notices_free(struct notices **self);

/* An own record of our log, at a start. */
void notices_note(struct notices *self, const struct header *header);
/* Records may be kept from now on. */
void notices_begin(struct notices *self);

#endif
