// SPDX-License-Identifier: MIT
/*
 * loop - one thread, one epoll, one owner: descriptors, timers, signals and an end-of-turn hook.
 */
#ifndef BASE_LOOP_H
#define BASE_LOOP_H

#include "lib/base/fault.h"

#include <stdbool.h>
#include <stdint.h>
#include <sys/epoll.h>

struct loop;

/* A watched descriptor; embedded in the watcher's object. `ready` gets the EPOLL bits. After
 * loop_unwatch nothing is called for it any more, even within the same turn. */
struct loop_watch {
    int fd;
    uint32_t bits;
    void (*ready)(struct loop_watch *self, uint32_t bits);
    void *owner;
};

/* A timer; embedded. Zero it before first use. Fires once; set it again for more. */
struct loop_timer {
    int64_t at_us; /* steady */
    void (*fire)(struct loop_timer *self);
    void *owner;
    size_t slot; /* heap place + 1; 0 = not set */
};

fault loop_new(struct loop **out);
void loop_free(struct loop **self);

fault loop_watch(struct loop *self, struct loop_watch *watch); /* fd, bits, ready set by the caller */
fault loop_rewatch(struct loop *self, struct loop_watch *watch); /* bits changed */
void loop_unwatch(struct loop *self, struct loop_watch *watch);

void loop_set_timer(struct loop *self, struct loop_timer *timer, int64_t in_ms); /* set or move */
void loop_stop_timer(struct loop *self, struct loop_timer *timer);

/* Called at the end of each turn, before waiting: flush batches, re-check edge-triggered sockets.
 * Returning true means "there is more to do": the loop does not sleep. At most 8 hooks. */
void loop_each_turn(struct loop *self, bool (*hook)(void *owner), void *owner);

/* Signals as loop events, through signalfd; blocks them for the process. */
fault loop_on_signal(struct loop *self, int signal, void (*handler)(void *owner), void *owner);

/* Runs until loop_stop. */
fault loop_run(struct loop *self);
void loop_stop(struct loop *self);
int64_t loop_now_us(const struct loop *self); /* steady time at the start of this turn */

#endif
