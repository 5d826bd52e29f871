// SPDX-License-Identifier: MIT
/*
 * budget - how many bytes of strangers' bodies this process holds at once, all connections and
 * calls together. Who takes must give back; one thread.
 *
 * Of the whole, a quarter is kept for each use, and the last quarter is for who comes first: so one
 * use can take half and cannot starve another. Bytes are taken as they arrive, never by promise.
 */
#ifndef GATEWAY_BUDGET_H
#define GATEWAY_BUDGET_H

#include <assert.h>
#include <stdbool.h>
#include <stddef.h>

enum budget_use {
    BUDGET_REQUESTS, /* of our own systems, coming in */
    BUDGET_ANSWERS,  /* to our own systems, not taken by them yet */
    BUDGET_SERVICES, /* to and from our own services */
    BUDGET_USES
};

struct budget {
    size_t most;
    size_t held[BUDGET_USES];
};

static inline size_t budget_held(const struct budget *self)
{
    size_t sum = 0;
    for (int i = 0; i < BUDGET_USES; i++)
        sum += self->held[i];
    return sum;
}

static inline bool budget_has_room(const struct budget *self, enum budget_use use, size_t size)
{
    size_t kept = self->most / 4, left = self->most;
    for (int i = 0; i < BUDGET_USES; i++) {
        size_t taken = self->held[i];
        if (i != (int)use && taken < kept)
            taken = kept;
        left = taken < left ? left - taken : 0;
    }
    return size <= left;
}

/* False when that would be too much; nothing is taken then. */
static inline bool budget_take(struct budget *self, enum budget_use use, size_t size)
{
    if (!budget_has_room(self, use, size))
        return false;
    self->held[use] += size;
    return true;
}

static inline void budget_give(struct budget *self, enum budget_use use, size_t size)
{
    assert(self->held[use] >= size);
    self->held[use] -= size;
}

#endif
