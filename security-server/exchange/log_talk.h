// SPDX-License-Identifier: MIT
/*
 * log_talk - questions and answers between servers about their logs (proto/logtalk.proto): who
 * asked what, until when, and who answers which kind. Few and small beside the exchanges.
 */
#ifndef EXCHANGE_LOG_TALK_H
#define EXCHANGE_LOG_TALK_H

#include "security-server/exchange/node.h"

struct Chaski__LogTalk;
struct log_talk;

struct log_talk *log_talk_new(struct node *node);
/* Outstanding questions end without an answer, and nobody is told. */
void log_talk_free(struct log_talk **self);

/* answer: NULL when f failed: PEER_UNREACHABLE after the wait, or what kept it from being sent.
 * Called once, never from within log_talk_ask. */
typedef void log_talk_done(void *owner, const char *peer, fault f,
                           const struct Chaski__LogTalk *answer);

/* Sends the question, again while the peer is not connected, until wait_ms are over. The message's
 * id and version are set here. OVERLOADED: too many are outstanding. */
fault log_talk_ask(struct log_talk *self, const struct directory_server *peer,
                   struct Chaski__LogTalk *question, int64_t wait_ms, log_talk_done *done,
                   void *owner);

/* From our ROUTER: a peer asks. From a connection of ours: a peer answers. */
void log_talk_take_question(struct log_talk *self, const char *peer, struct span route,
                            struct span frame);
void log_talk_take_answer(struct node *node, const char *peer, struct span frame);

/* Where an answer goes: kept by who cannot answer at once. */
struct log_talk_reply {
    uint64_t id;
    uint8_t route[256];
    size_t route_size;
    bool *under_way; /* NULL, or false again with the answer: the peer's question of this kind */
};
/* Answers, or, with NULL, does not: then the peer may ask again all the same. */
void log_talk_answer(struct log_talk *self, const struct log_talk_reply *to,
                     struct Chaski__LogTalk *answer);

#endif
