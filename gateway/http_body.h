// SPDX-License-Identifier: MIT
/*
 * http_body - where the body of an HTTP/1 message lies in the bytes that follow its head. Pure:
 * fed with what has arrived, it says which bytes are body and when the message ends.
 *
 * Chunked coding is read here and not by llhttp: 8.1 is lenient about line ends in chunk lines and
 * trailers. Extensions and trailers are passed over, bounded, and dropped.
 */
#ifndef GATEWAY_HTTP_BODY_H
#define GATEWAY_HTTP_BODY_H

#include "gateway/http_head.h"

enum http_body_kind { BODY_NONE, BODY_SIZED, BODY_CHUNKED, BODY_UNTIL_CLOSE };

#define CHUNK_LINE_BYTES_MAX 256
#define TRAILER_BYTES_MAX 8192

struct http_body {
    enum http_body_kind kind;
    bool done;
    uint8_t step;  /* of the chunked reader */
    uint32_t line; /* bytes of the chunk line or trailers so far */
    uint64_t left; /* of the body (sized) or of the chunk */
};

/* What follows this request's head. */
struct http_body http_body_of_request(const struct http_head *head);
/* What follows this response's head; `to_head` when the request was HEAD. */
struct http_body http_body_of_response(const struct http_head *head, bool to_head);

/*
 * Takes from the front of `in` and moves it on; `piece` is the part of it that is body and may be
 * empty. Call again until `in` is empty or self->done; what is left in `in` then belongs to the
 * next message. BAD_REQUEST when the coding is broken.
 */
fault http_body_take(struct http_body *self, struct span *in, struct span *piece);

#endif
