// SPDX-License-Identifier: MIT
/*
 * refusal_http - refusals on their way to callers: status, X-Road-Error, receipt, document.
 */
#ifndef GATEWAY_REFUSAL_HTTP_H
#define GATEWAY_REFUSAL_HTTP_H

#include "gateway/gateway.h"
#include "gateway/refusal.h"

struct receipt {
    const char *origin;
    uint64_t index;
    struct span leaf_hash;
};

/* The field Chaski-Receipt; nothing for NULL. */
void receipt_write(struct bytes *head, const struct receipt *receipt);

/* media: as refusal_media gives it. receipt: NULL for none. */
void refusal_send(struct gateway *gateway, struct http_connection *connection,
                  const struct refusal *refusal, const char *media, const struct receipt *receipt);

/* The fault that was just raised on this thread; `detail` is given room by the caller. */
struct refusal refusal_of(fault f, const char *exchange, char detail[DETAIL_BYTES_MAX]);

/* For what never became an ask: with an event (within its rate) and counted. */
void refusal_send_early(struct gateway *gateway, struct http_connection *connection, fault f,
                        const char *exchange, const char *media);
/* The event and the count alone. */
void refusal_note_early(struct gateway *gateway, fault f, const char *exchange, const char *detail);

#endif
