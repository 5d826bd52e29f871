// SPDX-License-Identifier: MIT
/*
 * pair - our leaves of the exchanges with one peer compared with the peer's: by the hour, by the
 * minute, by the first byte of the hash, hash by hash; then each side is sent what it lacks.
 * Source: ref/evidence D.
 *
 * All state is the asker's. One question is under way at a time; whatever the peer answers, memory
 * is bounded by one page of hashes, and time by RECONCILE_PEER_MS.
 */
#ifndef EXCHANGE_PAIR_H
#define EXCHANGE_PAIR_H

#include "security-server/exchange/node.h"
#include "security-server/exchange/pair_report.h"

struct pair;

/* report: borrowed for the call. The pair is freed after it. */
typedef void pair_done(void *owner, struct pair_report *report);

/* Compares leaves dated from `first_hour` on and before `until_ms`. `done` is called later, once.
 */
struct pair *pair_begin(struct node *node, const char *peer, int64_t first_hour, int64_t until_ms,
                        pair_done *done, void *owner);
/* For the end of the process. */
void pair_free(struct pair **self);

#endif
