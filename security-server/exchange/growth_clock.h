// SPDX-License-Identifier: MIT
/*
 * growth_clock - since when has a log that grew waited to be confirmed? Fed by whoever sees the log
 * grow, not by whoever should have it confirmed: one that does nothing at all is noticed. Entries
 * that are nothing but our own time stamps may wait HEARTBEAT_MS longer: an idle log is confirmed
 * no oftener. Times are steady ones, in ms; sizes are entries. Never early, and late by at most an
 * eighth of the wait.
 */
#ifndef EXCHANGE_GROWTH_CLOCK_H
#define EXCHANGE_GROWTH_CLOCK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define GROWTH_MARKS 32

/* When the log was first seen to have so many entries, oldest first; thinned out when full. */
struct growth_marks {
    size_t count;
    int64_t spacing_ms;
    struct growth_mark {
        uint64_t size;
        int64_t at_ms;
    } mark[GROWTH_MARKS];
};

struct growth_clock {
    uint64_t confirmed;
    struct growth_marks all, traffic;
    int64_t began_ms, alarmed_ms;
    bool alarmed;
};

/* A start: `confirmed` entries are, and `size` are there, the rest of them since since_ms. That is
 * taken for no longer ago than leaves time for an answer before stop_ms, after however long a rest:
 * GROWTH_GRACE_MS, or half of stop_ms. */
void growth_clock_begin(struct growth_clock *self, uint64_t confirmed, uint64_t size,
                        int64_t since_ms, int64_t now_ms, int64_t stop_ms);
/* traffic_size: how many entries end with the last one that is more than a time stamp of ours. To
 * be called every second or so. */
void growth_clock_grew(struct growth_clock *self, uint64_t size, uint64_t traffic_size,
                       int64_t now_ms);
/* The first `size` entries are confirmed; fewer than were is no news. */
void growth_clock_confirm(struct growth_clock *self, uint64_t size);
/* 0: nothing waits. */
int64_t growth_clock_waiting_ms(const struct growth_clock *self, int64_t now_ms);
/* True once per every_ms while something has waited for so long, and not before there was time for
 * an answer since the start. */
bool growth_clock_alarms(struct growth_clock *self, int64_t now_ms, int64_t every_ms);

#endif
