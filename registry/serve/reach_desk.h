// SPDX-License-Identifier: MIT
/*
 * reach_desk - whom to call back, and when: each open request once it has come, and again while it
 * is not reached, less and less often; sooner when the agency asks again. One at a time, those that
 * were never called first: so what strangers can make this machine do is bounded.
 */
#ifndef REGISTRY_SERVE_REACH_DESK_H
#define REGISTRY_SERVE_REACH_DESK_H

#include "lib/base/loop.h"
#include "registry/serve/reach_line.h"
#include "registry/serve/requests.h"

struct reach_desk_options {
    struct loop *loop;
    struct reach_line *line;              /* lent */
    struct requests *requests;            /* lent */
    void (*failed)(void *owner, fault f); /* the process that calls has gone */
    void *owner;
};

struct reach_desk;

fault reach_desk_open(const struct reach_desk_options *options, struct reach_desk **out);
void reach_desk_free(struct reach_desk **self);

/* The request has come, or come again. */
void reach_desk_wish(struct reach_desk *self, struct request *request);

#endif
