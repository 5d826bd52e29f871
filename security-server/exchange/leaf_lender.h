// SPDX-License-Identifier: MIT
/*
 * leaf_lender - leaves of this log, by what the sets say of them, packed for a peer: read one after
 * the other by the audit thread.
 */
#ifndef EXCHANGE_LEAF_LENDER_H
#define EXCHANGE_LEAF_LENDER_H

#include "lib/bus/leaf_set.h"
#include "security-server/exchange/audit_actor.h"
#include "security-server/exchange/node.h"

struct leaf_lender {
    struct node *node;
    const struct set_entry *entry; /* borrowed */
    size_t count, at;
    struct bytes *packed; /* out: u16 length and leaf, for entries 0 to at */
    struct audit_job job;
    void (*done)(struct leaf_lender *self);
    void *owner;
    bool busy;
};

/* Packs as many as fit into a message: `at` of them. An entry that is not in this log any more, or
 * whose content is sealed under a day key that is closed, is packed as empty. `done` is called
 * later, or at once when there is nothing to read. bytes_free() `packed`. */
void leaf_lender_begin(struct leaf_lender *self);

#endif
