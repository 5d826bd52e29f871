// SPDX-License-Identifier: MIT
/*
 * can_i - GET /can-i?service=ID[&purpose=ID][&method=M][&path=P]: would this exchange be let
 * through, by which rule, and if not, what is missing and who can supply it. With the caller's
 * X-Road-Client, as an exchange; the other words as headers (Chaski-Purpose), or as the config's
 * defaults for this client.
 *
 * 200 with JSON for every question that is one, whatever the answer. Nothing is sent to the
 * provider.
 */
#ifndef GATEWAY_CAN_I_H
#define GATEWAY_CAN_I_H

#include "gateway/gateway.h"

struct can_i *can_i_new(struct gateway *gateway);
void can_i_free(struct can_i **self); /* after the HTTP server */
size_t can_i_live(const struct can_i *self);

/* False when the request is for something else. */
bool can_i_take(struct gateway *gateway, struct http_connection *connection,
                const struct http_head *head, struct span target);
/* Its caller went away; harmless for other connections. */
void can_i_gone(struct gateway *gateway, struct http_connection *connection);

/* From the front line. */
void can_i_came(struct gateway *gateway, const struct front_can *answer);
void can_i_lost(struct gateway *gateway);

#endif
