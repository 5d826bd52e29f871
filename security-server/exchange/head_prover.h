// SPDX-License-Identifier: MIT
/*
 * head_prover - a peer asks whether our log contains what it was: the newest checkpoint with the
 * quorum of cosignatures that reaches so far, and the proof that joins the two. Made from tiles on
 * the thread of the sets, one at a time for each peer. Source: ref/evidence C.1, third layer.
 */
#ifndef EXCHANGE_HEAD_PROVER_H
#define EXCHANGE_HEAD_PROVER_H

#include "security-server/exchange/log_talk.h"

struct head_prover;

/* node->sets must be there, and stay until the prover is freed. */
struct head_prover *head_prover_new(struct node *node);
void head_prover_free(struct head_prover **self);
/* NULL self is a node that is not ready, and says nothing. */
void head_prover_answer(struct head_prover *self, const char *peer, unsigned epoch,
                        uint64_t old_size, const struct log_talk_reply *reply);

#endif
