// SPDX-License-Identifier: MIT
/*
 * listener - hears what the registry pushes, new heads with their acts and heartbeats: a SUB socket
 * under CURVE to each push address of the anchor. It connects outwards, so it works behind NAT; who
 * misses a push polls.
 */
#ifndef FOLLOWER_LISTENER_H
#define FOLLOWER_LISTENER_H

#include "lib/net/socket.h"
#include "security-server/follower/followed.h"

struct listener;

/* All borrowed. `behind` is called when something newer was pushed than its acts suffice for. The
 * keys are made for this run: a follower is nobody in particular. */
fault listener_new(struct net *net, struct followed *followed, const struct anchor_file *anchor,
                   void (*behind)(void *owner), void *owner, struct listener **out);
void listener_free(struct listener **self);

#endif
