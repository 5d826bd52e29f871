// SPDX-License-Identifier: MIT
/*
 * minute_share - how much of what one peer asks in a minute is answered. Over its share it hears
 * nothing: an answer would be work too.
 */
#ifndef EXCHANGE_MINUTE_SHARE_H
#define EXCHANGE_MINUTE_SHARE_H

#include <stdbool.h>
#include <stdint.h>

/* A zeroed one is a whole share. */
struct minute_share {
    int64_t window_ms; /* steady: when the minute that is counted began */
    unsigned asked;
};

/* Counts one question; false when there were `most` in this minute already. The first one too many
 * of a minute is said: the event `name`, with the peer and what it asks. */
bool minute_share_allows(struct minute_share *self, unsigned most, const char *name,
                         const char *peer, const char *question);

#endif
