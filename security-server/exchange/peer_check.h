// SPDX-License-Identifier: MIT
/*
 * peer_check - a split view is found by whom it was shown: now and then a peer proves that its
 * newest checkpoint, with the quorum of cosignatures that the directory demands of its log,
 * contains the largest head that it signed to us. Who cannot is asked the same again after
 * witness_alarm_ms, and then has no excuse. Source: ref/evidence C.1, third layer.
 */
#ifndef EXCHANGE_PEER_CHECK_H
#define EXCHANGE_PEER_CHECK_H

#include "security-server/exchange/log_talk.h"

struct peer_check;

struct peer_check *peer_check_new(struct node *node);
void peer_check_free(struct peer_check **self);
/* Something else speaks against this peer: it is asked right away. NULL self: later, as usual. */
void peer_check_doubt(struct peer_check *self, const char *server);

#endif
