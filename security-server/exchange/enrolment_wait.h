// SPDX-License-Identifier: MIT
/*
 * enrolment_wait - a node that has keys and is not in the directory yet waits here, and follows the
 * directory: when its server stands there with a certificate of its signing key, sign.crt is
 * written and the process is started anew, as any enrolled one.
 *
 * Meanwhile it listens where its mesh will be, to nobody's words: who knows its transport key may
 * end a CURVE handshake there, by which the registry sees that it is reached (lib/net/reach.h).
 *
 * Whose certificate it is, is for the keys process to say; when a token signs, the request that
 * `chaski enrol` left beside the keys (enrolment.json) says it.
 */
#ifndef EXCHANGE_ENROLMENT_WAIT_H
#define EXCHANGE_ENROLMENT_WAIT_H

#include "security-server/exchange/node.h"

struct enrolment_wait;

/* Has this node anything to wait for? Only one that follows by an anchor. */
bool enrolment_wait_is_needed(const struct node *node);
/* `done` is called once, later, from the loop: DONE when sign.crt is there; BAD_CONFIG when it
 * could not be written. */
struct enrolment_wait *enrolment_wait_new(struct node *node,
                                          void (*done)(struct node *node, fault f));
void enrolment_wait_free(struct enrolment_wait **self);
/* ENROLMENT, with what is waited for. */
fault enrolment_wait_check(const struct enrolment_wait *self);

#endif
