// SPDX-License-Identifier: MIT
/*
 * outside_heads - what the witnesses that are reached over HTTP hold of our log. The exchange
 * process speaks no HTTP: it leaves a question to the scribe in a file and looks for the answer.
 * Files: lib/bus/outside_files.h.
 */
#ifndef EXCHANGE_OUTSIDE_HEADS_H
#define EXCHANGE_OUTSIDE_HEADS_H

#include "security-server/exchange/node.h"

struct outside_heads;

struct outside_heads_asker {
    /* A note that this witness shows; what it is worth says our signature in it. */
    void (*take)(void *owner, const char *witness, struct span note);
    /* Once, the last call: how many witnesses answered, at most as many as there are. */
    void (*done)(void *owner, size_t answered);
    void *owner;
};

/* How many outside witnesses the directory assigns to our log. */
size_t outside_heads_count(const struct node *node);
/* Asks about these epochs; the calls come later, within wait_ms, whether anybody answers or not.
 * A question that cannot be written is an event, and nobody answers. Freeing it asks no further.
 * There is one at a time. */
struct outside_heads *outside_heads_new(struct node *node, unsigned first_epoch,
                                        unsigned last_epoch, int64_t wait_ms,
                                        const struct outside_heads_asker *asker);
void outside_heads_free(struct outside_heads **self);

#endif
