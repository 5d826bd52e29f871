// SPDX-License-Identifier: MIT
/*
 * ask - the consumer's side: an agency's HTTP request becomes an Ask to the security server, and
 * its Answer becomes the HTTP answer.
 *
 *   request -> (Admit -> Admitted -> body ->) Ask -> Answer -> HTTP answer
 *
 * Whether it may be sent is asked before a body is taken in, unless the whole body is small and
 * came along with its head: then there is nothing to spare, and the refusal of an Ask leaves
 * evidence.
 */
#ifndef GATEWAY_ASK_H
#define GATEWAY_ASK_H

#include "gateway/gateway.h"

struct asks *asks_new(void);
void asks_free(struct asks **self); /* all must have ended */
size_t asks_live(const struct asks *self);

/* The HTTP server's handler; its owner is the gateway. */
extern const struct http_handler ask_http_handler;

/* From the front line. */
void ask_admitted(struct gateway *gateway, uint64_t ask, const struct front_problem *problem);
void ask_answered(struct gateway *gateway, const struct front_answer *answer);
void ask_lost(struct gateway *gateway, enum front_loss loss);

#endif
