// SPDX-License-Identifier: MIT
/*
 * transport_roll - takes the next transport key into use when the directory names it. A ROUTER has
 * one CURVE key, so connections to this server end with the old one: peers connect again as soon as
 * they have that state of the directory, and what was on its way is asked again.
 */
#ifndef EXCHANGE_TRANSPORT_ROLL_H
#define EXCHANGE_TRANSPORT_ROLL_H

#include "security-server/exchange/node.h"

struct mesh_door;
struct transport_roll;

/* NULL when there is no next key. The door is lent. */
struct transport_roll *transport_roll_new(struct node *node, struct mesh_door *door);
void transport_roll_free(struct transport_roll **self);

/* At a start, before any socket: the next key is used when it is the one that the directory names.
 * IO_FAILED when its file cannot be given its name. */
fault transport_roll_begin(struct node *node);

#endif
