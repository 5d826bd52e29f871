// SPDX-License-Identifier: MIT
/*
 * front - the gateways' door: takes what agencies ask, gives answers, and passes on calls to the
 * member's own services (proto/front.proto).
 */
#ifndef EXCHANGE_FRONT_H
#define EXCHANGE_FRONT_H

#include "security-server/exchange/exchange.h"

struct front;

/* Binds; IO_FAILED with the address. */
fault front_open(struct node *node, const char *address, struct front **out);
void front_free(struct front **self);

/* Asks a gateway that serves this subsystem to call the service. SERVICE_DOWN when there is none.
 */
fault front_call(struct front *self, struct exchange *x, int64_t wait_ms);
/* The answer, or the problem, of an exchange that a gateway asked for. */
void front_answer(struct front *self, const struct exchange *x);

struct Chaski__FrontMessage; /* front.pb-c.h */
/* To the gateway that asked; nobody hears it when that one is gone. */
void front_send(struct front *self, struct span route, const struct Chaski__FrontMessage *message);

/* What a witness says to the gateway that asked for somebody over HTTP. */
void front_answer_witness(struct front *self, struct span route, uint64_t ask, unsigned status,
                          struct span body);

#endif
