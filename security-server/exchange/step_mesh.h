// SPDX-License-Identifier: MIT
/*
 * step_mesh - what arrives from the mesh, before there is an exchange for it.
 */
#ifndef EXCHANGE_STEP_MESH_H
#define EXCHANGE_STEP_MESH_H

#include "lib/net/socket.h"

struct node;

/* From our ROUTER: a peer asks. owner is the node. */
void mesh_take_question(void *owner, const struct message *message);
/* From a connection of ours: a peer answers. */
void mesh_take_answer(struct node *node, const char *peer, struct span envelope,
                      struct span sealed);

#endif
