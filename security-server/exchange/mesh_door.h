// SPDX-License-Identifier: MIT
/*
 * mesh_door - where peers come in: our ROUTER, its bounds, and word of what knocks and is no peer.
 */
#ifndef EXCHANGE_MESH_DOOR_H
#define EXCHANGE_MESH_DOOR_H

#include "security-server/exchange/node.h"

struct mesh_door;

/* Opens node->mesh at all addresses of the config. The gate must stand already. */
fault mesh_door_open(struct node *node, struct mesh_door **out);
void mesh_door_free(struct mesh_door **self);

/* Opens it anew with the transport key that the node has now: all connections end. Addresses are
 * bound again within moments; a node that could not within 10 s ends. IO_FAILED. */
fault mesh_door_renew(struct mesh_door *self);

#endif
