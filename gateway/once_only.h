// SPDX-License-Identifier: MIT
/*
 * once_only - the doors of once only. At the callers' address:
 *
 *   GET  /once-only/v1/plan?procedure=…&territory=…    what has to be fetched, and how
 *   POST /once-only/v1/collect                         all of it, fetched
 *   POST /once-only/v1/ask-permit                      may the citizen be asked instead?
 *
 * and there and at evidence_listen, for anybody:
 *
 *   GET /permits/CODE          is this permit good, for what, until when, and which record it is
 *   GET /permits/CODE.svg      the same address as a QR code
 *
 * The security server computes plans and permits; bodies and their fields: docs/PROTOCOL.md 13.
 */
#ifndef GATEWAY_ONCE_ONLY_H
#define GATEWAY_ONCE_ONLY_H

#include "gateway/gateway.h"

struct Chaski__FrontMessage; /* front.pb-c.h */

struct once_only *once_only_new(struct gateway *gateway);
void once_only_free(struct once_only **self);
/* Callers who wait. */
size_t once_only_live(const struct once_only *self);

/* false: the target is another. */
bool once_only_take(struct gateway *gateway, struct http_connection *connection,
                    const struct http_head *head, struct span target);
/* Only what anybody may ask: permits. */
bool once_only_take_open(struct gateway *gateway, struct http_connection *connection,
                         const struct http_head *head, struct span target);
/* A connection whose body is on its way to us. */
bool once_only_owns(const struct gateway *gateway, const struct http_connection *connection);
void once_only_body(struct gateway *gateway, struct http_connection *connection, struct span body);
void once_only_broken(struct gateway *gateway, struct http_connection *connection, fault f);
void once_only_gone(struct gateway *gateway, const struct http_connection *connection);

/* From the security server. false: the answer is to no exchange of a collection. */
bool once_only_answered(struct gateway *gateway, const struct front_answer *answer);
void once_only_came(struct gateway *gateway, const struct Chaski__FrontMessage *message);
void once_only_lost(struct gateway *gateway);

/* Prometheus text: what became of collections and permits, by procedure. */
void once_only_metrics(const struct once_only *self, struct bytes *out);

#endif
