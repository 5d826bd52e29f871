// SPDX-License-Identifier: MIT
/*
 * http_private - what http_server.c (listening, counting) and http_connection.c (one caller) share.
 */
#ifndef GATEWAY_HTTP_PRIVATE_H
#define GATEWAY_HTTP_PRIVATE_H

#include "lib/base/event_rate.h"
#include "gateway/http_body.h"
#include "gateway/http_server.h"

#define HTTP_READ_BYTES 65536

struct http_listener {
    struct loop_watch watch;
    struct http_server *server;
    bool local; /* loopback */
    char address[80];
};

struct http_server {
    struct http_server_options options;
    struct http_server_counts counts;
    bool draining;
    size_t listeners;
    struct http_listener **listener;
    struct http_connection *first;  /* all living connections */
    struct http_connection *dead;   /* freed at the end of the turn */
    struct loop_timer accept_again; /* after running out of descriptors */
    struct event_rate not_accepted, too_many;
    struct bytes *head; /* of the answer that is being written */
    int64_t date_s;
    char date[32];
    uint8_t read[HTTP_READ_BYTES];
};

void http_connection_new(struct http_server *server, int fd);
/* Closes it at once, telling the handler when a request was open. */
void http_connection_drop(struct http_connection *self);
/* Closes it when idle; otherwise after its answer. */
void http_connection_drain(struct http_connection *self);
struct http_connection *http_connection_next(const struct http_connection *self);
void http_connection_release(struct http_connection *self);

#endif
