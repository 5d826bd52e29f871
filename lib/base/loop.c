// SPDX-License-Identifier: MIT
#include "lib/base/loop.h"

#include "lib/base/clock.h"
#include "lib/base/owned.h"

#include <assert.h>
#include <errno.h>
#include <limits.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/signalfd.h>
#include <unistd.h>

#define EVENTS_PER_TURN 256
#define HOOKS_MAX 8
#define HEAP_WAYS 4 /* children of a node: shallower than a binary heap, one cache line wider */

/* `order` makes timers of the same instant fire in the order in which they were set. */
struct heap_entry {
    int64_t at_us;
    uint64_t order;
    struct loop_timer *timer;
};

struct hook {
    bool (*call)(void *owner);
    void *owner;
};

struct signal_handler {
    void (*call)(void *owner);
    void *owner;
};

struct loop {
    int epoll;
    bool stopping;
    bool running;
    bool again;
    int64_t now_us;

    struct epoll_event event[EVENTS_PER_TURN];
    int event_count; /* of the turn under way */
    int event_next;  /* those before it are dispatched */

    struct heap_entry *heap;
    size_t heap_count;
    size_t heap_room;
    uint64_t timers_set;

    struct hook hook[HOOKS_MAX];
    size_t hook_count;

    struct loop_watch signal_watch; /* fd -1 until the first loop_on_signal */
    sigset_t signals;
    struct signal_handler signal_handler[NSIG];
};

fault loop_new(struct loop **out)
{
    int epoll = epoll_create1(EPOLL_CLOEXEC);
    if (epoll < 0)
        return RAISE(IO_FAILED, "epoll_create1: %m");
    struct loop *self = owned_new(sizeof *self);
    self->epoll = epoll;
    self->signal_watch.fd = -1;
    sigemptyset(&self->signals);
    self->now_us = clock_steady_us();
    *out = self;
    return DONE;
}

void loop_free(struct loop **self)
{
    if (*self == NULL)
        return;
    for (size_t i = 0; i < (*self)->heap_count; i++)
        (*self)->heap[i].timer->slot = 0; /* its owner may still stop it */
    if ((*self)->signal_watch.fd >= 0)
        close((*self)->signal_watch.fd);
    close((*self)->epoll);
    free((*self)->heap);
    free(*self);
    *self = NULL;
}

/* descriptors */

static fault control(struct loop *self, int what, struct loop_watch *watch)
{
    struct epoll_event event = {.events = watch->bits, .data.ptr = watch};
    if (epoll_ctl(self->epoll, what, watch->fd, &event) != 0)
        return RAISE(IO_FAILED, "epoll_ctl on descriptor %d: %m", watch->fd);
    return DONE;
}

fault loop_watch(struct loop *self, struct loop_watch *watch)
{
    assert(watch->ready != NULL);
    return control(self, EPOLL_CTL_ADD, watch);
}

fault loop_rewatch(struct loop *self, struct loop_watch *watch)
{
    return control(self, EPOLL_CTL_MOD, watch);
}

void loop_unwatch(struct loop *self, struct loop_watch *watch)
{
    /* An error means that it is gone already, with its last descriptor. */
    ignore(control(self, EPOLL_CTL_DEL, watch));
    for (int i = self->event_next; i < self->event_count; i++)
        if (self->event[i].data.ptr == watch)
            self->event[i].data.ptr = NULL;
}

static void dispatch_events(struct loop *self)
{
    for (self->event_next = 0; self->event_next < self->event_count;) {
        const struct epoll_event *event = &self->event[self->event_next++];
        struct loop_watch *watch = event->data.ptr;
        if (watch == NULL)
            continue;
        /* loop_rewatch earlier in this turn may have taken bits away */
        uint32_t bits = event->events & (watch->bits | EPOLLERR | EPOLLHUP);
        if (bits != 0)
            watch->ready(watch, bits);
    }
    self->event_count = 0;
    self->event_next = 0;
}

/* timers */

static bool earlier(const struct heap_entry *a, const struct heap_entry *b)
{
    return a->at_us != b->at_us ? a->at_us < b->at_us : a->order < b->order;
}

static void place(struct loop *self, size_t at, struct heap_entry entry)
{
    self->heap[at] = entry;
    entry.timer->slot = at + 1;
}

static void sift_up(struct loop *self, size_t at, struct heap_entry entry)
{
    while (at > 0) {
        size_t parent = (at - 1) / HEAP_WAYS;
        if (!earlier(&entry, &self->heap[parent]))
            break;
        place(self, at, self->heap[parent]);
        at = parent;
    }
    place(self, at, entry);
}

static size_t earliest_child(const struct loop *self, size_t at)
{
    size_t first = at * HEAP_WAYS + 1;
    size_t best = first;
    for (size_t i = first + 1; i < first + HEAP_WAYS && i < self->heap_count; i++)
        if (earlier(&self->heap[i], &self->heap[best]))
            best = i;
    return best;
}

static void sift_down(struct loop *self, size_t at, struct heap_entry entry)
{
    while (at * HEAP_WAYS + 1 < self->heap_count) {
        size_t child = earliest_child(self, at);
        if (!earlier(&self->heap[child], &entry))
            break;
        place(self, at, self->heap[child]);
        at = child;
    }
    place(self, at, entry);
}

/* Puts an entry where another was taken out: it may have to go either way. */
static void refill(struct loop *self, size_t at, struct heap_entry entry)
{
    if (at > 0 && earlier(&entry, &self->heap[(at - 1) / HEAP_WAYS]))
        sift_up(self, at, entry);
    else
        sift_down(self, at, entry);
}

void loop_set_timer(struct loop *self, struct loop_timer *timer, int64_t in_ms)
{
    assert(timer->fire != NULL);
    timer->at_us = clock_steady_us() + (in_ms < 0 ? 0 : in_ms) * 1000;
    struct heap_entry entry = {timer->at_us, self->timers_set++, timer};
    if (timer->slot != 0) {
        refill(self, timer->slot - 1, entry);
        return;
    }
    if (self->heap_count == self->heap_room) {
        self->heap_room = self->heap_room == 0 ? 64 : self->heap_room * 2;
        self->heap = owned_grow(self->heap, self->heap_room, sizeof *self->heap);
    }
    sift_up(self, self->heap_count++, entry);
}

void loop_stop_timer(struct loop *self, struct loop_timer *timer)
{
    if (timer->slot == 0)
        return;
    size_t at = timer->slot - 1;
    assert(at < self->heap_count && self->heap[at].timer == timer);
    timer->slot = 0;
    struct heap_entry last = self->heap[--self->heap_count];
    if (at < self->heap_count)
        refill(self, at, last);
}

/* Those that are set while others fire wait for the next turn: a timer that always sets itself to
 * "now" must not keep the loop from its descriptors. */
static void fire_timers(struct loop *self)
{
    uint64_t set_before = self->timers_set;
    while (self->heap_count > 0) {
        const struct heap_entry *first = &self->heap[0];
        if (first->at_us > self->now_us || first->order >= set_before)
            return;
        struct loop_timer *timer = first->timer;
        loop_stop_timer(self, timer);
        timer->fire(timer);
    }
}

/* Rounded up: waking a fraction of a millisecond early would spin until the timer is due. */
static int wait_ms(const struct loop *self)
{
    if (self->heap_count == 0)
        return -1;
    int64_t left_us = self->heap[0].at_us - clock_steady_us();
    if (left_us <= 0)
        return 0;
    int64_t left_ms = (left_us + 999) / 1000;
    return left_ms > INT_MAX ? INT_MAX : (int)left_ms;
}

/* signals */

static void on_signal_fd(struct loop_watch *watch, uint32_t bits)
{
    (void)bits;
    struct loop *self = watch->owner;
    struct signalfd_siginfo info;
    while (read(watch->fd, &info, sizeof info) == (ssize_t)sizeof info) {
        const struct signal_handler *handler = &self->signal_handler[info.ssi_signo % NSIG];
        if (handler->call != NULL)
            handler->call(handler->owner);
    }
}

fault loop_on_signal(struct loop *self, int signal, void (*handler)(void *owner), void *owner)
{
    assert(signal > 0 && signal < NSIG);
    sigaddset(&self->signals, signal);
    if (pthread_sigmask(SIG_BLOCK, &self->signals, NULL) != 0)
        return RAISE(IO_FAILED, "signal %d cannot be blocked", signal);
    bool first = self->signal_watch.fd < 0;
    int fd = signalfd(self->signal_watch.fd, &self->signals, SFD_NONBLOCK | SFD_CLOEXEC);
    if (fd < 0)
        return RAISE(IO_FAILED, "signalfd: %m");
    self->signal_handler[signal] = (struct signal_handler){handler, owner};
    if (!first)
        return DONE;
    self->signal_watch =
        (struct loop_watch){.fd = fd, .bits = EPOLLIN, .ready = on_signal_fd, .owner = self};
    return loop_watch(self, &self->signal_watch);
}

/* the turn */

void loop_each_turn(struct loop *self, bool (*hook)(void *owner), void *owner)
{
    assert(self->hook_count < HOOKS_MAX);
    self->hook[self->hook_count++] = (struct hook){hook, owner};
}

void loop_no_turn(struct loop *self, bool (*hook)(void *owner), void *owner)
{
    size_t kept = 0;
    for (size_t i = 0; i < self->hook_count; i++)
        if (self->hook[i].call != hook || self->hook[i].owner != owner)
            self->hook[kept++] = self->hook[i];
    self->hook_count = kept;
}

static bool run_hooks(struct loop *self)
{
    bool more = false;
    self->again = false;
    for (size_t i = 0; i < self->hook_count; i++)
        more |= self->hook[i].call(self->hook[i].owner);
    return more || self->again;
}

void loop_again(struct loop *self)
{
    self->again = true;
}

fault loop_run(struct loop *self)
{
    assert(!self->running);
    self->running = true;
    fault result = DONE;
    /* What was done before the first turn (a send, say) is flushed before the first sleep. */
    bool more = run_hooks(self);
    while (!self->stopping) {
        int count = epoll_wait(self->epoll, self->event, EVENTS_PER_TURN, more ? 0 : wait_ms(self));
        if (count < 0 && errno != EINTR) {
            result = RAISE(IO_FAILED, "epoll_wait: %m");
            break;
        }
        self->event_count = count < 0 ? 0 : count;
        self->now_us = clock_steady_us();
        dispatch_events(self);
        fire_timers(self);
        more = run_hooks(self);
    }
    self->stopping = false;
    self->running = false;
    return result;
}

void loop_stop(struct loop *self)
{
    self->stopping = true;
}

int64_t loop_now_us(const struct loop *self)
{
    return self->now_us;
}
