// SPDX-License-Identifier: MIT
#include "gateway/metrics.h"

#include "gateway/write.h"

#include <inttypes.h>

static const char *const side_name[METRICS_SIDES] = {"caller", "provider"};

void metrics_begin(struct metrics *self, enum metrics_side side)
{
    self->side[side].live++;
}

void metrics_end(struct metrics *self, enum metrics_side side, enum fault_code outcome,
                 int64_t microseconds)
{
    self->side[side].live--;
    self->side[side].ended++;
    self->side[side].microseconds += (uint64_t)microseconds;
    self->side[side].outcome[outcome < METRICS_OUTCOMES ? outcome : INTERNAL]++;
}

static void write_head(struct bytes *out, const char *name, const char *type, const char *help)
{
    write_format(out, "# HELP %s %s\n# TYPE %s %s\n", name, help, name, type);
}

static void write_one(struct bytes *out, const char *name, const char *type, uint64_t value,
                      const char *help)
{
    write_head(out, name, type, help);
    write_format(out, "%s %" PRIu64 "\n", name, value);
}

static void write_outcomes(const struct metrics *self, struct bytes *out)
{
    write_head(out, "chaski_gateway_requests_total", "counter", "Requests by side and outcome.");
    for (unsigned side = 0; side < METRICS_SIDES; side++)
        for (unsigned i = 0; i < METRICS_OUTCOMES; i++)
            if (self->side[side].outcome[i] > 0 || i == OK)
                write_format(
                    out, "chaski_gateway_requests_total{side=\"%s\",outcome=\"%s\"} %" PRIu64 "\n",
                    side_name[side], fault_name((enum fault_code)i), self->side[side].outcome[i]);
}

static void write_times(const struct metrics *self, struct bytes *out)
{
    write_head(out, "chaski_gateway_request_seconds", "summary", "Time from request to answer.");
    for (unsigned side = 0; side < METRICS_SIDES; side++) {
        write_format(out, "chaski_gateway_request_seconds_sum{side=\"%s\"} %.6f\n", side_name[side],
                     (double)self->side[side].microseconds / 1e6);
        write_format(out, "chaski_gateway_request_seconds_count{side=\"%s\"} %" PRIu64 "\n",
                     side_name[side], self->side[side].ended);
    }
    write_head(out, "chaski_gateway_in_flight", "gauge", "Requests not answered yet.");
    for (unsigned side = 0; side < METRICS_SIDES; side++)
        write_format(out, "chaski_gateway_in_flight{side=\"%s\"} %zu\n", side_name[side],
                     self->side[side].live);
}

void metrics_write(const struct metrics *self, const struct metrics_now *now, struct bytes *out)
{
    write_outcomes(self, out);
    write_times(self, out);
    write_one(out, "chaski_gateway_connections", "gauge", now->connections,
              "Open connections of callers.");
    write_one(out, "chaski_gateway_connections_total", "counter", now->connections_accepted,
              "Connections accepted.");
    write_one(out, "chaski_gateway_connections_refused_total", "counter", now->connections_refused,
              "Connections refused because there were too many.");
    write_one(out, "chaski_gateway_held_bytes", "gauge", now->held_bytes,
              "Bodies held in memory, in bytes.");
    write_one(out, "chaski_gateway_held_bytes_max", "gauge", now->held_bytes_max,
              "Bodies that may be held in memory, in bytes.");
    write_one(out, "chaski_gateway_server_up", "gauge", now->server_up,
              "1 when the security server answers.");
    write_one(out, "chaski_gateway_server_state", "gauge", (uint64_t)now->server_state,
              "Fault number of the security server's state; 0: ready.");
    write_one(out, "chaski_gateway_directory_age_ms", "gauge", now->directory_age_ms,
              "Since the newest signed word of the server's directory; 0: it follows none.");
    write_one(out, "chaski_gateway_services", "gauge", now->services, "Services configured here.");
}
