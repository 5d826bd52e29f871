// SPDX-License-Identifier: MIT
/*
 * refusal - a fault as the HTTP answer that X-Road clients know: type, message, detail, and on top
 * the rule that refused and the remedy. Source: ref B.7 and Annex 1.
 *
 * The type's prefix says where it happened: Client. for a request that is not well formed,
 * Server.ClientProxy. on this side, Server.ServerProxy. on the provider's.
 */
#ifndef GATEWAY_REFUSAL_H
#define GATEWAY_REFUSAL_H

#include "gateway/http_head.h"

enum refusal_style { REFUSAL_PASCAL, REFUSAL_SNAKE }; /* published form; form of 7.8 */
enum refusal_status { REFUSAL_HTTP, REFUSAL_XROAD };  /* what HTTP means; what X-Road sends */

#define REFUSAL_TYPE_ROOM 96
#define REFUSAL_MESSAGE_ROOM (DETAIL_BYTES_MAX + 256)

struct refusal {
    enum fault_code code;
    bool at_provider;
    bool in_soap;       /* there all mistakes of the caller begin with Client. */
    const char *detail; /* goes into the message; NULL or "" for none */
    const char *rule;
    const char *remedy;
    const char *exchange; /* UUID text: the detail member */
    uint32_t retry_s;     /* when it may be asked again; 0: as soon as anything changed */
};

void refusal_type(const struct refusal *self, enum refusal_style style,
                  char out[REFUSAL_TYPE_ROOM]);
/* The sentence for people. */
void refusal_message(const struct refusal *self, char out[REFUSAL_MESSAGE_ROOM]);
unsigned refusal_status_of(const struct refusal *self, enum refusal_status kind);

/* The XML media type that these Accept fields ask for first; NULL for JSON. */
const char *refusal_media(const struct http_field *field, size_t count);
/* The document. `media` as above. */
void refusal_write(const struct refusal *self, enum refusal_style style, const char *media,
                   struct bytes *out);

#endif
