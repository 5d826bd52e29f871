// SPDX-License-Identifier: MIT
/*
 * node_state - how this node is, for its operator: an event when it changes, and one line in
 * <audit_folder>/state while it runs, which `chaski status` reads:
 *
 *   PID TIME_MS STATE DETAIL\n     STATE: a fault's name, or "ready"
 */
#ifndef EXCHANGE_NODE_STATE_H
#define EXCHANGE_NODE_STATE_H

#include "security-server/exchange/node.h"

struct node_state;

struct node_state *node_state_new(struct node *node);
/* Takes the file away: nobody runs here any more. */
void node_state_free(struct node_state **self);

#endif
