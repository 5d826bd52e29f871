// SPDX-License-Identifier: MIT
/*
 * clerk - what the rooms of the clerk's process share: who is answered, and with what.
 */
#ifndef CLERK_CLERK_H
#define CLERK_CLERK_H

#include "lib/base/bytes.h"
#include "lib/base/loop.h"
#include "security-server/server_config.h"

struct clerk;

/* Whose ask it is; copied by who cannot answer at once. */
struct clerk_reply {
    uint64_t ask;
    uint8_t route[256];
    size_t route_size;
};

/* What is handed out when nothing is wrong. */
struct clerk_file {
    const char *type; /* media type */
    const char *name; /* to be saved under; "" for none */
    bool constant;    /* its bytes never change */
    struct span body;
};

const struct server_config *clerk_config(const struct clerk *self);
struct loop *clerk_loop(const struct clerk *self);

/* One of them, once for each ask. status: HTTP's; the sentence is for whoever asked. */
void clerk_give(struct clerk *self, const struct clerk_reply *to, const struct clerk_file *file);
void clerk_refuse(struct clerk *self, const struct clerk_reply *to, unsigned status,
                  const char *sentence);

#endif
