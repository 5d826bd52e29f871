// SPDX-License-Identifier: MIT
/*
 * subject_queue - whose turn it is, of the servers that are asked for one view. Everybody is asked
 * once before anybody is asked for more, or for the second time: a server with a thousand pages
 * keeps no other from its first one, and silent ones have half of the places at most when they are
 * asked again.
 */
#ifndef GATEWAY_SUBJECT_QUEUE_H
#define GATEWAY_SUBJECT_QUEUE_H

#include <stdbool.h>
#include <stddef.h>

/* Numbers of targets, in order. */
struct subject_fifo {
    size_t *at;
    size_t first, count;
};

/* A zeroed one is empty. */
struct subject_queue {
    size_t targets;
    struct subject_fifo fresh, again;
    size_t under_way, again_under_way;
};

/* All of them wait, in order of their numbers. subject_queue_clear() it. */
void subject_queue_fill(struct subject_queue *self, size_t targets);
void subject_queue_clear(struct subject_queue *self);

/* It waits: for its first answer or a further page, or, once it was silent, to be asked again. A
 * target waits or is under way, never twice. */
void subject_queue_put(struct subject_queue *self, size_t target, bool again);
/* The next, when fewer than `most` are under way; it is under way then. */
bool subject_queue_take(struct subject_queue *self, size_t most, size_t *target, bool *again);
/* One that was taken is not under way any more. */
void subject_queue_done(struct subject_queue *self, bool again);
/* Nobody waits, and nobody is under way. */
bool subject_queue_is_over(const struct subject_queue *self);

#endif
