// SPDX-License-Identifier: MIT
/*
 * evidence - what is read of the evidence over HTTP, and the witness's desk. The gateway decides
 * nothing here but who may ask for records: files and containers come from the clerk, cosignatures
 * from the exchange process.
 *
 *   evidence_listen, for strangers:  POST /witness/add-checkpoint       (C2SP tlog-witness)
 *                                    GET  /witness/<hex>/checkpoint
 *                                    GET  /log/checkpoint, /log/tile/...  (C2SP tlog-tiles)
 *   listen, for our own systems:     GET  /asic?..., /verificationconf  (X-Road)
 */
#ifndef GATEWAY_EVIDENCE_H
#define GATEWAY_EVIDENCE_H

#include "gateway/gateway.h"

struct clerk_answer;

struct evidence *evidence_new(struct gateway *gateway);
void evidence_free(struct evidence **self); /* after both HTTP servers */
size_t evidence_live(const struct evidence *self);

/* The handler of the strangers' port; its owner is the gateway. */
extern const struct http_handler evidence_http_handler;

/* A request on our own systems' port; false when it is for something else. */
bool evidence_take(struct gateway *gateway, struct http_connection *connection,
                   const struct http_head *head, struct span target);
/* Its caller went away; harmless for other connections. */
void evidence_gone(struct gateway *gateway, struct http_connection *connection);

/* From the front line, and from the clerk's. */
void evidence_witnessed(struct gateway *gateway, uint64_t ask, unsigned status, struct span body);
void evidence_answered(void *gateway, const struct clerk_answer *answer);
void evidence_restarted(void *gateway);

#endif
