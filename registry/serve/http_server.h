// SPDX-License-Identifier: MIT
/*
 * http_server - HTTP and HTTPS by libmicrohttpd, inside our loop (its own threads lose connections
 * in Debian's version). Bounds stand in lib/bus/limits.h: connections, bytes of a request, and how
 * long it may take to come.
 */
#ifndef REGISTRY_SERVE_HTTP_SERVER_H
#define REGISTRY_SERVE_HTTP_SERVER_H

#include "lib/base/bytes.h"
#include "lib/base/loop.h"

#include <jansson.h>
#include <microhttpd.h>

struct http_server;

struct http_request {
    struct MHD_Connection *connection;
    const char *method;
    const char *path; /* as it came, nothing decoded */
    struct span body;
    bool too_large; /* the body was read past; `body` is not whole */
};

/* Answers with one of the functions below. */
typedef enum MHD_Result http_handler(void *owner, const struct http_request *request);

struct http_tls {
    const char *key_pem, *certificate_pem; /* texts, lent until http_server_free */
    const char *trust_pem;                 /* so that clients are asked for a certificate */
};

struct http_options {
    struct loop *loop;
    unsigned connections; /* at most */
    unsigned a_source;    /* of them: of one IPv4 address, or of one /64 (caller.h) */
    bool behind_proxy;    /* what this machine itself opens is a proxy's, and not bounded so */
    size_t body_bytes_max;
    const struct http_tls *tls; /* NULL: plain */
    http_handler *handle;
    void *owner;
};

/* listen: IP:PORT. Options are copied. BAD_CONFIG for an address that is none, IO_FAILED; INTERNAL
 * when libmicrohttpd does not take key or certificate. */
fault http_server_new(const struct http_options *options, const char *listen,
                      struct http_server **out);
void http_server_free(struct http_server **self);                /* closes all connections */
const char *http_server_address(const struct http_server *self); /* IP:PORT, the real port */

/* A field of the request's head; NULL when it is not there. */
const char *http_field(const struct http_request *request, const char *name);
/* Is it one of these two? */
bool http_is_read(const struct http_request *request); /* GET or HEAD */

/* Text with a line's end. */
enum MHD_Result http_say(const struct http_request *request, unsigned status, const char *sentence);
enum MHD_Result http_allow(const struct http_request *request, const char *methods);
enum MHD_Result http_bytes(const struct http_request *request, unsigned status, const char *type,
                           struct span body);
/* Takes `json`. */
enum MHD_Result http_json(const struct http_request *request, unsigned status, json_t *json);
/* {"fault", "detail"} with the fault's status; INTERNAL and the like do not tell their detail. */
enum MHD_Result http_fault(const struct http_request *request, fault f);
/* Gives the response away, after its fields were set. */
enum MHD_Result http_reply(const struct http_request *request, unsigned status,
                           struct MHD_Response *response);

#endif
