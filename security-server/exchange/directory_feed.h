// SPDX-License-Identifier: MIT
/*
 * directory_feed - keeps the node's directory up to date: watches the published folder, or the one
 * that the follower process writes, checks what
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

/* A peer used this epoch: when it is newer than ours, look at once, and ask that peer. */
void directory_feed_heard(struct directory_feed *self, struct span server, uint64_t epoch);
void directory_feed_look(struct directory_feed *self);

/* A signed head and the acts behind those in use, from a peer: checked like what is published.
 * Faults as directory_advance. */
fault directory_feed_take(struct directory_feed *self, struct span note, const struct span *leaves,
                          size_t count, const char *from);

/* A signed head and all acts before it, of a peer whose acts do not go on from ours. When they are
 * another history, or ours of before, they are kept in refused/peer and told of
 * (directory_dispute.h). DIRECTORY_BAD: the peer made them up. Waits for the disk. */
fault directory_feed_compare(struct directory_feed *self, struct span note,
                             const struct span *leaves, size_t count);

/* A signed head of the directory, by the key whose turn it was; as directory_open_head. */
fault directory_feed_open(const struct directory_feed *self, struct span note,
                          struct checkpoint *out);
const struct note_key *directory_feed_key(const struct directory_feed *self);
const char *directory_feed_copy(const struct directory_feed *self); /* folder of our own copy */
uint64_t directory_feed_kept(const struct directory_feed *self);    /* entries of it on disk */
struct directory_proof; /* of the snapshot that this node began with */
struct directory_proof *directory_feed_proof(const struct directory_feed *self);
struct directory_quorum;
const struct directory_quorum *directory_feed_quorum(const struct directory_feed *self);

#endif
