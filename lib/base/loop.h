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
 * loop_unwatch nothing is called for it any more, even within the same turn. A turn serves 256. */
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

/* fd, bits and ready set by the caller. IO_FAILED for a descriptor that cannot be waited for. */
fault loop_watch(struct loop *self, struct loop_watch *watch);
fault loop_rewatch(struct loop *self, struct loop_watch *watch); /* bits changed */
void loop_unwatch(struct loop *self, struct loop_watch *watch);

/* Sets or moves it; counted from now, not from the start of the turn. Timers of the same instant
 * fire in the order in which they were set; one set while timers fire waits for the next turn. */
void loop_set_timer(struct loop *self, struct loop_timer *timer, int64_t in_ms);
/* Harmless when it is not set. May be called inside any callback. */
void loop_stop_timer(struct loop *self, struct loop_timer *timer);

/* Called at the end of each turn, before waiting: flush batches, re-check edge-triggered sockets.
 * Returning true means "there is more to do": the loop does not sleep. At most 8 hooks. Also called
 * once when loop_run begins. */
void loop_each_turn(struct loop *self, bool (*hook)(void *owner), void *owner);
/* Not to sleep before the next turn: a hook called late in a turn gave work to one called early. */
void loop_again(struct loop *self);
/* Takes the hook of this owner away; not from within a hook. */
void loop_no_turn(struct loop *self, bool (*hook)(void *owner), void *owner);

/* Signals as loop events, through signalfd; blocks them for this thread and
 * those it starts later, so call it before the first thread. */
fault loop_on_signal(struct loop *self, int signal, void (*handler)(void *owner), void *owner);

/* Runs until loop_stop; the turn under way ends first. IO_FAILED when the system refuses to wait. A
 * stop asked for before the run ends it at once. */
fault loop_run(struct loop *self);
void loop_stop(struct loop *self);
int64_t loop_now_us(const struct loop *self); /* steady time at the start of this turn */

#endif
