// SPDX-License-Identifier: MIT
/*
 * http_server - HTTP/1.1 for callers: listeners, connections, their time and size limits.
 *
 * What a request means is the handler's business. One request at a time per connection: a pipelined
 * one waits, unread as far as possible, until the one before is answered.
 */
#ifndef GATEWAY_HTTP_SERVER_H
#define GATEWAY_HTTP_SERVER_H

#include "gateway/budget.h"
#include "gateway/http_head.h"
#include "lib/base/loop.h"

#define HTTP_ANSWER_UNCOUNTED 16384 /* refusals and the like need no room in the budget */

struct http_server;
struct http_connection;

struct http_handler {
    /* A head is complete; it is borrowed until this returns. Then or later, exactly one of
     * http_connection_take_body (once) and http_connection_answer (at last) must follow. `here` is
     * how many bytes of the body have arrived with it. */
    void (*request)(void *owner, struct http_connection *connection, const struct http_head *head,
                    size_t here);
    /* The body that was asked for is complete in the bytes that were given for it. */
    void (*body)(void *owner, struct http_connection *connection, struct bytes **into);
    /* No request could be read, or its body was late, broken or too large: must answer now. `head`:
     * NULL, or what could be read of it, for the form of the answer only. */
    void (*broken)(void *owner, struct http_connection *connection, fault f,
                   const struct http_head *head);
    /* The caller went away before its answer. The connection is dead after this. */
    void (*gone)(void *owner, struct http_connection *connection);
};

struct http_server_options {
    struct loop *loop;
    struct budget *budget; /* borrowed; shared with others */
    size_t body_bytes_max;
    size_t connections_max;
    int64_t head_wait_ms, body_wait_ms, idle_ms;
    int64_t body_bytes_per_s_least; /* a body that arrives more slowly is given up */
    const struct http_handler *handler;
    void *owner;
};

struct http_server_counts {
    size_t connections;
    uint64_t accepted;
    uint64_t refused; /* because there were too many */
};

fault http_server_new(const struct http_server_options *options, struct http_server **out);
void http_server_free(struct http_server **self);

/* "127.0.0.1:8080", "[::1]:8080" or "*:8080"; port 0 takes a free one. IO_FAILED, BAD_CONFIG. */
fault http_server_listen(struct http_server *self, const char *address);
/* Could this be listened on, as far as its form tells? BAD_CONFIG. */
fault http_server_check_address(const char *address);
size_t http_server_listeners(const struct http_server *self);
/* The address really bound, as text; borrowed. */
const char *http_server_address(const struct http_server *self, size_t listener);
/* Does a listener take connections from other machines? */
bool http_server_is_open_to_others(const struct http_server *self);

/* No new connections; idle ones are closed, busy ones after their answer. */
void http_server_drain(struct http_server *self);
struct http_server_counts http_server_counts(const struct http_server *self);

// --- for the handler -----------------------------------------------------------------------------

/* A place for the handler's own object; NULL when a request begins. */
void http_connection_set_owner(struct http_connection *self, void *owner);
void *http_connection_owner(const struct http_connection *self);

/* Says 100 Continue when that was waited for, and takes the body in at the end of `into`, which
 * comes back in `body` or is freed. */
void http_connection_take_body(struct http_connection *self, struct bytes **into);
/* Is there room for an answer of this size until its caller has taken it? Ask before one of more
 * than HTTP_ANSWER_UNCOUNTED bytes is begun; without room it is not sent at all. */
bool http_connection_has_room(const struct http_connection *self, size_t size);

/* Begins an answer: status line. Add header fields with http_field_write, then finish. */
struct bytes *http_connection_begin(struct http_connection *self, unsigned status);
void http_field_write(struct bytes *out, struct span name, struct span value);
void http_field_write_text(struct bytes *out, const char *name, const char *value);
/* Adds Date (unless `dated`), Content-Length and Connection, and sends. The body is copied as far
 * as it cannot be sent at once. After it the connection may be dead. */
void http_connection_answer(struct http_connection *self, bool dated, struct span body);

#endif
