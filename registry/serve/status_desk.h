// SPDX-License-Identifier: MIT
/*
 * status_desk - when outside authorities are asked how their certificates stand: by the clock, as
 * long as the directory trusts any, and when an operator wants it now. One round at a time.
 */
#ifndef REGISTRY_SERVE_STATUS_DESK_H
#define REGISTRY_SERVE_STATUS_DESK_H

#include "lib/base/loop.h"
#include "registry/serve/outlook.h"
#include "registry/serve/status_line.h"

struct status_desk_options {
    struct loop *loop;
    struct status_line *line;      /* lent */
    const struct outlook *outlook; /* lent */
    unsigned every_s;
    /* What was revoked is to become acts; *revoked of them. INTERNAL: the desk asks no more. */
    fault (*act)(void *owner, size_t *revoked);
    void (*failed)(void *owner, fault f); /* the process that asks has gone */
    void *owner;
};

/* Of the round under way, or the last one. */
struct status_report {
    uint64_t round; /* counted from 1 since the start; 0: none yet */
    bool running;
    int64_t begun_ms, ended_ms; /* wall; 0: not yet */
    struct status_counts counts;
    size_t acts;       /* revocations that stand in the directory by it */
    char problem[256]; /* why it did not go well, or "" */
};

struct status_desk;

fault status_desk_open(const struct status_desk_options *options, struct status_desk **out);
void status_desk_free(struct status_desk **self);

/* Begins a round; when one is under way, that is the one. INTERNAL. */
fault status_desk_begin(struct status_desk *self);
const struct status_report *status_desk_report(const struct status_desk *self);
unsigned status_desk_every_s(const struct status_desk *self);

#endif
