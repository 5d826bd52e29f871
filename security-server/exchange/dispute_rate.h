// SPDX-License-Identifier: MIT
/*
 * dispute_rate - of one kind of contradiction, the first head is told of at once, and those that
 * come within CONFLICT_TELL_MS together, by their number: a fork that goes on growing must not fill
 * the log of everybody who is shown it.
 */
#ifndef EXCHANGE_DISPUTE_RATE_H
#define EXCHANGE_DISPUTE_RATE_H

#include <stdbool.h>
#include <stdint.h>

struct dispute_rate {
    bool told;
    int64_t told_ms; /* steady */
    uint64_t owed;   /* heads that came since, and were not told of */
};

/* Is one to be told of by itself now? */
bool dispute_rate_is_open(const struct dispute_rate *self);
/* One was. */
void dispute_rate_tell(struct dispute_rate *self);
/* One was not. */
void dispute_rate_owe(struct dispute_rate *self);
/* Number of those to be told of together now, which counts as done; 0: none, or not yet. */
uint64_t dispute_rate_take(struct dispute_rate *self);

#endif
