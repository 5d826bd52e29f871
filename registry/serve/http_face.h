// SPDX-License-Identifier: MIT
/*
 * http_face - what the registry says over HTTP: POST /tsa, GET /directory/..., GET /healthz.
 *
 * libmicrohttpd runs inside our loop (its own threads lose connections in Debian's version). Bounds
 * stand in lib/bus/limits.h: connections, bytes of a request, and how long it may take to come.
 */
#ifndef REGISTRY_SERVE_HTTP_FACE_H
#define REGISTRY_SERVE_HTTP_FACE_H

#include "lib/base/loop.h"
#include "registry/serve/stamp_line.h"
#include "registry/stamping.h"

struct http_face;

struct http_face_options {
    struct loop *loop;
    struct stamp_line *stamps;
    struct serials *serials;
    const char *directory;       /* or NULL */
    void (*failed)(void *owner); /* no more stamps can be made: end */
    void *owner;
};

/* Everything lent until http_face_free. BAD_CONFIG for an address that is none, IO_FAILED. */
fault http_face_new(const struct http_face_options *options, const char *listen,
                    struct http_face **out);
void http_face_free(struct http_face **self); /* closes all connections */

const char *http_face_address(const struct http_face *self); /* IP:PORT, with the real port */

#endif
