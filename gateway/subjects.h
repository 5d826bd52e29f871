// SPDX-License-Identifier: MIT
/*
 * subjects - who looked at a person: asks every server of the country what its log holds, as signed
 * exchanges, and gives the portal that asked the whole.
 *
 *   GET  /subjects/YEAR-TOKEN[,YEAR-TOKEN...]/accesses[?from=YYYY-MM-DD&until=YYYY-MM-DD]
 *   POST /subjects/accesses      {"person": "CC 1020304050", "years": [2026]}
 *
 * What it is: docs/PROTOCOL.md 11. Who may: lib/bus/policy.h, citizen-view.
 */
#ifndef GATEWAY_SUBJECTS_H
#define GATEWAY_SUBJECTS_H

#include "gateway/gateway.h"

struct subjects *subjects_new(struct gateway *gateway);
void subjects_free(struct subjects **self);
size_t subjects_live(const struct subjects *self);

/* False: it is none of these. Else it is answered, now or later. */
bool subjects_take(struct gateway *gateway, struct http_connection *connection,
                   const struct http_head *head, struct span target);
/* Is this connection's body one of ours? Then the next two take what comes of it. */
bool subjects_owns(const struct gateway *gateway, const struct http_connection *connection);
void subjects_body(struct gateway *gateway, struct http_connection *connection, struct bytes *body);
void subjects_broken(struct gateway *gateway, struct http_connection *connection, fault f);
void subjects_gone(struct gateway *gateway, struct http_connection *connection);

/* From the front line. answered: false when the ask is somebody else's. */
void subjects_servers(struct gateway *gateway, const struct front_servers *page);
bool subjects_answered(struct gateway *gateway, const struct front_answer *answer);
void subjects_lost(struct gateway *gateway);

#endif
