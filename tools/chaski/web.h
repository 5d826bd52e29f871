// SPDX-License-Identifier: MIT
/*
 * web - one request to the authority, or to a gateway, over HTTP, by libcurl. What it answers is a
 * stranger's word.
 */
#ifndef TOOLS_CHASKI_WEB_H
#define TOOLS_CHASKI_WEB_H

#include "lib/base/bytes.h"

enum web_family { WEB_ANY, WEB_IPV4, WEB_IPV6 };

struct web_ask {
    const char *url;  /* http or https; redirects are not followed */
    const char *json; /* POST with this body; NULL: GET */
    enum web_family family;
    size_t most;       /* bytes of the answer */
    const char *field; /* "Name: value" of the head, or NULL */
};

struct web_answer {
    long status;
    int64_t date_ms;    /* what the server says the time is; 0: nothing */
    struct bytes *body; /* bytes_free() it */
};

/* PEER_UNREACHABLE (nobody answers; with libcurl's reason), BODY_TOO_LARGE, NOT_FOUND (with a
 * family: the name has no such address). Waits at most WEB_WAIT_MS; for an answer that may be
 * large, as long as it is coming. */
fault web_ask(const struct web_ask *ask, struct web_answer *out);

#endif
