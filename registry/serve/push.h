// SPDX-License-Identifier: MIT
/*
 * push - news of the directory for everybody who is connected: two frames, a note and a packed
 * chaski.DirectoryPush, over a ZeroMQ PUB socket under CURVE.
 *
 * Followers connect outwards. Who misses a message polls; nothing waits for anybody.
 */
#ifndef REGISTRY_SERVE_PUSH_H
#define REGISTRY_SERVE_PUSH_H

#include "lib/base/loop.h"
#include "registry/serve/authority_line.h"

#define PUSH_KEY \
    "push.key" /* in the store, CURVE; made by init and by `serve` when it is missing */

struct push;

/* address: tcp://IP:PORT. BAD_KEY, IO_FAILED. */
fault push_open(struct loop *loop, const char *store, const char *address, struct push **out);
void push_free(struct push **self);
const char *push_address(struct push *self);

/* The note and as many of the newest acts as fit into REGISTRY_PUSH_BYTES_MAX; a heartbeat goes
 * without acts. */
void push_news(struct push *self, const struct authority_news *news);

#endif
