// SPDX-License-Identifier: MIT
/*
 * permit_look - anybody asks about a permit by its code. What it leans on is looked up in our log
 * each time: a permit whose evidence is not there is not said to be good (PERMIT_UNPROVEN).
 */
#ifndef EXCHANGE_PERMIT_LOOK_H
#define EXCHANGE_PERMIT_LOOK_H

#include "security-server/exchange/node.h"

struct permit;
struct Chaski__PermitLook; /* front.pb-c.h */
struct Chaski__PermitSaid;
struct Chaski__Receipt;

/* Answers `route` by front_send, when the evidence has been read. */
void permit_look(struct node *node, struct span route, const struct Chaski__PermitLook *ask);

/* A record of our log, for a message; texts and hash are borrowed. */
void permit_receipt(const struct node *node, uint64_t index, const struct sha256 *leaf_hash,
                    struct Chaski__Receipt *out);
/* What is said of a permit; borrowed from it, from the directory in use and from *receipt, which is
 * filled too. */
void permit_said(const struct node *node, const struct permit *permit,
                 struct Chaski__Receipt *receipt, struct Chaski__PermitSaid *out);

#endif
