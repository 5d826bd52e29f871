// SPDX-License-Identifier: MIT
/*
 * directory_feed - keeps the node's directory up to date: watches the published folder, checks what
 * comes, swaps it in without a pause, keeps a copy beside the log and refuses to go back, even
 * across restarts.
 */
#ifndef EXCHANGE_DIRECTORY_FEED_H
#define EXCHANGE_DIRECTORY_FEED_H

#include "security-server/exchange/node.h"

/* Loads the first directory, from the published folder or else from the copy; the node cannot start
 * without one. Faults as directory_load. */
fault directory_feed_start(struct node *node, struct directory_feed **out);
void directory_feed_free(struct directory_feed **self);

/* A peer used this epoch: when it is newer than ours, look at once. */
void directory_feed_heard(struct directory_feed *self, uint64_t epoch);
void directory_feed_look(struct directory_feed *self);

#endif
