// SPDX-License-Identifier: MIT
/*
 * set_desk - where peers compare their sets of leaves with ours: digests, lists, leaves that they
 * lack, and leaves that we lack. Source: ref/evidence D.
 *
 * A peer has one question under way here at a time and RECONCILE_ANSWERS_A_MINUTE at most; sets are
 * read by a thread of their own, leaves are checked one in a turn of the loop. So whatever a peer
 * asks, messages pass.
 */
#ifndef EXCHANGE_SET_DESK_H
#define EXCHANGE_SET_DESK_H

#include "security-server/exchange/log_talk.h"

struct set_desk;

struct set_desk *set_desk_new(struct node *node);
void set_desk_free(struct set_desk **self);

/* A peer asks; what is no question about sets is left aside. NULL self is a node that is not ready.
 */
void set_desk_take(struct set_desk *self, const char *peer, const struct Chaski__LogTalk *message,
                   const struct log_talk_reply *reply);

#endif
