// SPDX-License-Identifier: MIT
/*
 * channel - a bounded queue of pointers from one thread to one other: the pipe of an actor.
 *
 * What is pushed changes hands: the pushing side must not touch it afterwards. The waiting side
 * sleeps on a descriptor; the pushing side pays for waking it only when it really sleeps.
 */
#ifndef BASE_CHANNEL_H
#define BASE_CHANNEL_H

#include "lib/base/fault.h"

#include <stdbool.h>
#include <stddef.h>

struct channel;

fault channel_new(size_t room, struct channel **out); /* room: a power of two */
void channel_free(struct channel **self);

/* Pushing thread. False when full. The item is seen by the other side after the next wake. */
bool channel_push(struct channel *self, void *item);
void channel_wake(struct channel *self); /* after a batch of pushes */

/* Taking thread. NULL when empty. */
void *channel_pop(struct channel *self);
/* Readable after channel_wake, once channel_sleep has said true. */
int channel_fd(const struct channel *self);
/* About to wait: false when something came meanwhile (pop again instead). */
bool channel_sleep(struct channel *self);
/* After waiting: takes the descriptor's readiness away. */
void channel_woken(struct channel *self);

#endif
