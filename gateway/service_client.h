// SPDX-License-Identifier: MIT
/*
 * service_client - HTTP/1.1 to the agency's own services: keep-alive connections per host, bounded,
 * with a bounded queue before them. Carries bytes through and does nothing of its own: no cookies,
 * no redirects, no decoding, no retries.
 *
 * A request is never sent twice. One is moved to a fresh connection only when the kept one it was
 * given turned out dead before a single byte went out.
 */
#ifndef GATEWAY_SERVICE_CLIENT_H
#define GATEWAY_SERVICE_CLIENT_H

#include "gateway/budget.h"
#include "gateway/http_head.h"
#include "gateway/services.h"
#include "lib/base/loop.h"

struct service_client;

struct service_client_options {
    struct loop *loop;
    struct budget *budget;  /* borrowed; answers are counted while they are gathered */
    size_t body_bytes_max;  /* of an answer */
    size_t connections_max; /* per host */
};

struct service_taker {
    /* The head of the answer, borrowed; `sized`: its body has head->length bytes. The body will be
     * added to *into, which the taker gives. */
    fault (*head)(void *owner, const struct http_head *head, bool sized, struct bytes **into);
    /* Last call, exactly one: with the body when not failed. */
    void (*end)(void *owner, fault f, struct bytes **into);
};

struct service_send {
    const struct service *service; /* used until service_client_send returns */
    struct bytes **request;        /* head and body; taken */
    bool to_head;                  /* a HEAD request: its answer has no body */
    int64_t wait_ms;               /* for everything, from now */
    const struct service_taker *taker;
    void *owner;
};

fault service_client_new(const struct service_client_options *options, struct service_client **out);
/* What is in flight ends with DRAINING. */
void service_client_free(struct service_client **self);

/*
 * OVERLOADED: too many wait for this host already; `taker` is not called then. Otherwise it is,
 * maybe before this returns, with at last DONE or one of SERVICE_DOWN, SERVICE_TIMEOUT,
 * SERVICE_GARBAGE (not HTTP, ended early, of another length), SERVICE_TOO_LARGE, OVERLOADED.
 */
fault service_client_send(struct service_client *self, const struct service_send *send);

#endif
