// SPDX-License-Identifier: MIT
/*
 * event_rate - lets strangers cause at most EVENT_RATE_MOST lines a second of one event; then one
 * line, event.left_out, says how many there were besides.
 */
#ifndef BASE_EVENT_RATE_H
#define BASE_EVENT_RATE_H

#include "lib/base/loop.h"

#define EVENT_RATE_MOST 20
#define EVENT_RATE_MS 1000

struct event_rate {
    struct loop *loop;
    const char *event;       /* its name, for the line about those left out */
    struct loop_timer timer; /* set from the first line of a second to its end */
    unsigned said;
    uint64_t left_out;
};

/* Both borrowed; `self` must not move afterwards. */
void event_rate_begin(struct event_rate *self, struct loop *loop, const char *event);
/* Stops the clock and says what was left out. Harmless when it never began. */
void event_rate_end(struct event_rate *self);

/* May the event be said? False: it has been counted. */
bool event_rate_allows(struct event_rate *self);

#endif
