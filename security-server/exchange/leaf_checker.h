// SPDX-License-Identifier: MIT
/*
 * leaf_checker - leaves that came in one message, checked one in a turn of the loop, so that
 * messages pass in between.
 */
#ifndef EXCHANGE_LEAF_CHECKER_H
#define EXCHANGE_LEAF_CHECKER_H

#include "security-server/exchange/late_leaf.h"

struct leaf_checker {
    struct node *node;
    const char *peer;     /* borrowed */
    struct bytes *leaves; /* the checker's: u16 length and leaf, bounds checked */
    struct span left;
    size_t at; /* the one that `each` is told */
    struct loop_timer timer;
    /* leaf: NULL after a fault, or when the place is empty (f is NOT_FOUND then); else the taker
     * may take it over. */
    void (*each)(struct leaf_checker *self, fault f, struct late_leaf **leaf);
    void (*end)(struct leaf_checker *self); /* the checker is not touched after it */
    void *owner;
};

/* Begins; nothing is called from within. */
void leaf_checker_begin(struct leaf_checker *self);
/* Harmless at any time; frees what the checker owns. */
void leaf_checker_stop(struct leaf_checker *self);

#endif
