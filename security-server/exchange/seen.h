// SPDX-License-Identifier: MIT
/*
 * seen - requests that were taken within the time in which they could come again: none is executed
 * twice; a double is answered with the stored outcome.
 */
#ifndef EXCHANGE_SEEN_H
#define EXCHANGE_SEEN_H

#include "lib/base/bytes.h"
#include "lib/bus/header.h"
#include "lib/bus/limits.h"
#include "lib/crypto/digest.h"

struct seen;

enum seen_state {
    SEEN_NEVER,
    SEEN_RUNNING,   /* taken, no outcome yet */
    SEEN_LOST,      /* taken, and the outcome could not be written down */
    SEEN_ANSWERED,  /* outcome stands in our log at answer_index */
    SEEN_DIFFERENT, /* the same id from the same server with other signed bytes */
};

/* Until when a request may come (again), and is remembered: while it is young, and after that until
 * its deadline, which lies at most DEADLINE_MS_MAX after its time. */
int64_t seen_until_ms(const struct header *request);

struct seen *seen_new(void);
void seen_free(struct seen **self);

enum seen_state seen_look(const struct seen *self, const uint8_t id[EXCHANGE_ID_BYTES],
                          struct span sender_server, const struct sha256 *request_leaf,
                          uint64_t *answer_index);
/* Remembers a request until it cannot come any more: as long as until_ms lies ahead of wall_ms,
 * told by `steady_ms`, a clock that nobody sets. OVERLOADED when SEEN_MAX are remembered. STALE
 * when a request as old as this one may have been forgotten already: a wall clock that is set back
 * brings nothing to run a second time. */
fault seen_begin(struct seen *self, const uint8_t id[EXCHANGE_ID_BYTES], struct span sender_server,
                 const struct sha256 *request_leaf, int64_t until_ms, int64_t wall_ms,
                 int64_t steady_ms);
/* A request that was over at wall_ms already, as a log tells it. */
void seen_was_over(struct seen *self, int64_t until_ms);
/* After requests were taken from a log under the log's own time: steady time goes on from there. */
void seen_shift(struct seen *self, int64_t steady_ahead_ms);
void seen_answer(struct seen *self, const uint8_t id[EXCHANGE_ID_BYTES], struct span sender_server,
                 uint64_t answer_index);
/* Its outcome could not be kept: the next double gets it as SEEN_LOST. */
void seen_lose(struct seen *self, const uint8_t id[EXCHANGE_ID_BYTES], struct span sender_server);
/* It was not taken after all. */
void seen_forget(struct seen *self, const uint8_t id[EXCHANGE_ID_BYTES], struct span sender_server);
size_t seen_count(const struct seen *self);

#endif
