// SPDX-License-Identifier: MIT
/*
 * budget - how many bytes of strangers' bodies this process holds at once, all connections and
 * calls together. Who takes must give back; one thread.
 */
#ifndef GATEWAY_BUDGET_H
#define GATEWAY_BUDGET_H

#include <assert.h>
#include <stdbool.h>
#include <stddef.h>

struct budget {
    size_t held;
    size_t most;
};

/* False when that would be too much; nothing is taken then. */
static inline bool budget_take(struct budget *self, size_t size)
{
    if (size > self->most || self->held > self->most - size)
        return false;
    self->held += size;
    return true;
}

static inline void budget_give(struct budget *self, size_t size)
{
    assert(self->held >= size);
    self->held -= size;
}

#endif
