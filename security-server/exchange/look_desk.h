// SPDX-License-Identifier: MIT
/*
 * look_desk - where an officer with a mandate has the pseudonym of a person computed, to search
 * copied logs with it: on the socket <audit_folder>/orders/look, which this server's user and root
 * reach, and no gateway. The number comes in memory and stays there; that somebody looks is a
 * record of the log before anything is answered.
 */
#ifndef EXCHANGE_LOOK_DESK_H
#define EXCHANGE_LOOK_DESK_H

#include "security-server/exchange/node.h"

struct look_desk;

/* NULL, and an event, when the socket cannot be made: nothing else hangs on it. */
struct look_desk *look_desk_new(struct node *node);
void look_desk_free(struct look_desk **self);

#endif
