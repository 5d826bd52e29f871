// SPDX-License-Identifier: MIT
/*
 * http_head - the head of an HTTP/1 message as a pure function of its bytes: a strict guard in
 * front of llhttp, and our own reading of everything that decides where a message ends.
 *
 * Two readers that disagree about the end of a message is how requests are smuggled, so whatever
 * is read differently in the wild is refused: bare CR or LF, folded lines, control bytes, two
 * Content-Lengths, Content-Length beside Transfer-Encoding, any coding but chunked, no or two
 * Hosts.
 */
#ifndef GATEWAY_HTTP_HEAD_H
#define GATEWAY_HTTP_HEAD_H

#include "lib/base/bytes.h"
#include "lib/bus/limits.h"

enum http_role { HTTP_IS_REQUEST, HTTP_IS_RESPONSE };

struct http_field {
    struct span name;
    struct span value; /* without the blanks around it */
};

/* All spans point into the head's bytes. */
struct http_head {
    struct span method; /* of a request: upper-case token, any that llhttp knows */
    struct span target; /* as sent */
    unsigned status;    /* of a response */
    unsigned minor;     /* HTTP/1.minor: 0 or 1 */
    bool keep_alive;    /* the sender will read (or write) another message */
    bool expects_continue;
    bool chunked;
    bool has_length;
    uint64_t length; /* Content-Length */
    size_t fields;
    struct http_field field[HTTP_FIELDS_MAX];
};

/*
 * Where does the head at the start of `bytes` end? `seen` (0 at first) remembers how far earlier
 * calls looked, so that a head that drips in is scanned once. *size is the head with the empty line
 * that ends it, 0 when more bytes are needed.
 *
 * BAD_REQUEST: a byte or line end that the guard refuses; HEAD_TOO_LARGE: over HTTP_HEAD_BYTES_MAX.
 */
fault http_head_measure(struct span bytes, size_t *seen, size_t *size);

/* Reads a measured head. BAD_REQUEST, BAD_METHOD (a word that is no HTTP method), HEAD_TOO_LARGE
 * (over HTTP_FIELDS_MAX fields). */
fault http_head_parse(enum http_role role, struct span head, struct http_head *out);

/* Of a measured head that cannot be read as one: the lines that look like fields, and nothing else.
 * For how to say that it could not be read, never for what it means. */
void http_head_scan(struct span head, struct http_head *out);

/* The value of the first field of this name; at == NULL when there is none. */
struct span http_head_get(const struct http_head *self, const char *name);

/* Without the blanks and tabs around it. */
struct span http_trimmed(struct span text);

/* May this be a field's name, or a method? */
bool http_is_token(struct span name);

#endif
