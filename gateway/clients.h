// SPDX-License-Identifier: MIT
/*
 * clients - GET /listClients[?xRoadInstance=...]: who is in the directory, as this gateway's
 * security server knows it. Source: X-Road PR-META; ref C.1.
 *
 * The list is asked for in pages when somebody wants it, and kept until the server's Welcome names
 * another epoch: so it is behind by a beat (FRONT_BEAT_MS) at most. Who comes while it is being
 * gathered waits for the same one.
 */
#ifndef GATEWAY_CLIENTS_H
#define GATEWAY_CLIENTS_H

#include "gateway/gateway.h"

struct clients *clients_new(struct gateway *gateway);
void clients_free(struct clients **self); /* after the HTTP server */
size_t clients_live(const struct clients *self);

/* False when the request is for something else. */
bool clients_take(struct gateway *gateway, struct http_connection *connection,
                  const struct http_head *head, struct span target);
/* Its caller went away; harmless for other connections. */
void clients_gone(struct gateway *gateway, struct http_connection *connection);

/* From the front line. */
void clients_came(struct gateway *gateway, const struct front_clients *page);
void clients_lost(struct gateway *gateway);

#endif
