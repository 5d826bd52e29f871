// SPDX-License-Identifier: MIT
/*
 * step_mesh - what arrives from the mesh, before there is an exchange for it.
 */
#ifndef EXCHANGE_STEP_MESH_H
#define EXCHANGE_STEP_MESH_H

#include "lib/bus/letter.h"
#include "lib/net/socket.h"

struct node;

/* From our ROUTER: a peer asks. owner is the node. */
void mesh_take_question(void *owner, const struct message *message);
/* From a connection of ours: a peer answers. */
void mesh_take_answer(struct node *node, const char *peer, struct span envelope,
                      struct span sealed);

/* Which questions: all that were sent, or those sealed to this key. */
struct send_again {
    bool all;
    uint8_t seal_key_id[SEAL_KEY_ID_BYTES];
};

/* Has questions to this peer (NULL: to any) that wait for answers sent again in the next turn of
 * the loop, sealed anew if their key is another by now. NULL: those that wait for the peer's card
 * to be sent at all.
 */
void mesh_send_again(struct node *node, const char *peer, const struct send_again *what);

#endif
