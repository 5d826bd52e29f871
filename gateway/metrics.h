// SPDX-License-Identifier: MIT
/*
 * metrics - counters of this process, for Prometheus.
 */
#ifndef GATEWAY_METRICS_H
#define GATEWAY_METRICS_H

#include "lib/base/bytes.h"

#define METRICS_OUTCOMES 256 /* fault numbers */

enum metrics_side { METRICS_CALLER, METRICS_PROVIDER, METRICS_SIDES };

struct metrics {
    struct {
        uint64_t outcome[METRICS_OUTCOMES];
        uint64_t ended;
        uint64_t microseconds;
        size_t live;
    } side[METRICS_SIDES];
};

void metrics_begin(struct metrics *self, enum metrics_side side);
void metrics_end(struct metrics *self, enum metrics_side side, enum fault_code outcome,
                 int64_t microseconds);

/* Momentary figures that stand elsewhere. */
struct metrics_now {
    size_t connections;
    uint64_t connections_accepted, connections_refused;
    size_t held_bytes, held_bytes_max;
    bool server_up;
    enum fault_code server_state;
    uint64_t directory_age_ms;
    size_t services;
};

/* Prometheus text format 0.0.4. */
void metrics_write(const struct metrics *self, const struct metrics_now *now, struct bytes *out);

#endif
