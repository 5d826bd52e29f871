// SPDX-License-Identifier: MIT
/*
 * directory_proof - this node began with a snapshot; once the acts before it are there, they are
 * folded on the thread of the sets, some at each look, and compared. Until then our copy bears a
 * mark (lib/bus/directory_prove.h), and nothing in it counts as verified at a start.
 *
 * A lie: the state is loaded anew from the acts, it is told of in our own log, the snapshot is kept
 * as proof, and the node goes on. Acts that do not hold themselves: there is no state that could be
 * used, and the process ends; each start says so again, for the mark stays.
 */
#ifndef EXCHANGE_DIRECTORY_PROOF_H
#define EXCHANGE_DIRECTORY_PROOF_H

#include "security-server/exchange/node.h"

struct directory_proof;

struct directory_proof_of {
    struct node *node; /* log and state */
    const char *copy;  /* its folder; lent, as the node */
    /* Anchors of its own: another thread uses them. */
    fault (*trust)(void *owner, struct trust **out);
    /* Loads the state anew from all acts of the copy, and tells all who go by it. Does not return
     * when it cannot be: nothing could be decided. */
    void (*reload)(void *owner);
    void *owner;
};

/* Looks for the mark. */
struct directory_proof *directory_proof_new(const struct directory_proof_of *of);
void directory_proof_free(struct directory_proof **self);

/* What is used may not be what the acts lead to: it is to be verified again at a start. */
bool directory_proof_is_open(const struct directory_proof *self);
/* The copy begins with a snapshot from now on, or its state does: the mark, durably, and all that
 * was folded so far is folded again. */
fault directory_proof_open(struct directory_proof *self);
/* To be called every second or so. size: of the copy. whole: nothing is missing in it. False: it is
 * not whole, look for what is missing. */
bool directory_proof_look(struct directory_proof *self, uint64_t size, bool whole);

#endif
