// SPDX-License-Identifier: MIT
/*
 * rest_message - the payload frames chaski.RestRequest and chaski.RestResponse (proto/rest.proto).
 *
 * Written and read by hand, unlike every other message: bodies are large and heads are many, and so
 * a body lies once in memory: gathered right behind its packed head, and read where it arrived. The
 * unit test holds this against the generated code both ways.
 */
#ifndef GATEWAY_REST_MESSAGE_H
#define GATEWAY_REST_MESSAGE_H

#include "gateway/http_head.h"

#define REST_FIELDS_MAX (HTTP_FIELDS_MAX + 8) /* what arrived, and ours */

struct rest_fields {
    size_t count;
    struct http_field field[REST_FIELDS_MAX];
};

struct rest_request {
    struct span method;
    struct span target;
    struct rest_fields header;
    struct span body;
};

struct rest_response {
    unsigned status;
    struct rest_fields header;
    struct span request_hash;
    struct span body;
};

/* Appends everything but the body. */
void rest_request_write(struct span method, struct span target, const struct rest_fields *header,
                        struct bytes *out);
void rest_response_write(unsigned status, const struct rest_fields *header,
                         struct span request_hash, struct bytes *out);
/* Appends the announcement of a body of `size` bytes, which must follow at once; nothing for 0. */
void rest_body_begin(size_t size, struct bytes *out);

/* The spans point into `frame`. BAD_FRAME: no such message, or more than REST_FIELDS_MAX fields. */
fault rest_request_read(struct span frame, struct rest_request *out);
fault rest_response_read(struct span frame, struct rest_response *out);

#endif
