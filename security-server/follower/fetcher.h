// SPDX-License-Identifier: MIT
/*
 * fetcher - HTTP requests (libcurl) fitted into a loop: several at once, each with its bound of
 * bytes and of time. Redirects are not followed; only http and https are spoken.
 */
#ifndef FOLLOWER_FETCHER_H
#define FOLLOWER_FETCHER_H

#include "lib/base/bytes.h"
#include "lib/base/loop.h"

struct fetcher;

/* body: of the answer, borrowed until it returns. Faults: NOT_FOUND (404, 410), REFUSED (any other
 * status, redirects too), BAD_FRAME (too long), PEER_UNREACHABLE (no whole answer in time).
 * Called once, never from within fetcher_begin, and not any more after fetcher_drop. */
typedef void fetch_done(void *owner, fault f, struct span body);

struct fetch {
    const char *url;
    const struct span *post; /* NULL: GET. Else it is sent as text; both are copied */
    size_t bytes_max;        /* of the answer */
    int64_t wait_ms;         /* for the whole of it */
    fetch_done *done;
    void *owner;
};

fault fetcher_new(struct loop *loop, struct fetcher **out);
void fetcher_free(struct fetcher **self);
fault fetcher_begin(struct fetcher *self, const struct fetch *what);
/* Ends what is under way for this owner; nobody is told. */
void fetcher_drop(struct fetcher *self, const void *owner);

#endif
