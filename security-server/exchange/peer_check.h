// SPDX-License-Identifier: MIT
/*
 * peer_check - a split view is found by whom it was shown: now and then a peer proves that its
 * newest checkpoint contains the largest head that it signed to us. Source: ref/evidence C.1, third
 * layer.
 */
#ifndef EXCHANGE_PEER_CHECK_H
#define EXCHANGE_PEER_CHECK_H

#include "security-server/exchange/log_talk.h"

struct peer_check;

struct peer_check *peer_check_new(struct node *node);
void peer_check_free(struct peer_check **self);
/* A peer asks us to prove that an epoch of our log contains what it was; NULL self is a node that
 * is not ready. */
void peer_check_answer(struct peer_check *self, unsigned epoch, uint64_t old_size,
                       const struct log_talk_reply *reply);

#endif
