// SPDX-License-Identifier: MIT
/*
 * directory_talk - acts of the directory from one peer to another (proto/logtalk.proto,
 * DirectoryFrom): asked of a peer whose signed header names a newer epoch, and, when the authority
 * has not been heard of for DIRECTORY_PEER_ROUNDS times directory_poll_ms, of peers in turn. What a
 * peer says is checked like everything else: it can keep news back, and make none.
 */
#ifndef EXCHANGE_DIRECTORY_TALK_H
#define EXCHANGE_DIRECTORY_TALK_H

#include "security-server/exchange/log_talk.h"

struct directory_talk;

struct directory_talk *directory_talk_new(struct node *node);
void directory_talk_free(struct directory_talk **self);

/* One at a time: while a peer is asked, others are not. NULL self: nothing is asked. */
void directory_talk_ask(struct directory_talk *self, struct span server);
/* A peer asks. */
void directory_talk_answer(struct directory_talk *self, const char *peer, uint64_t size,
                           const struct log_talk_reply *reply);

#endif
