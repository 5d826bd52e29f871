// SPDX-License-Identifier: MIT
#include "security-server/exchange/growth_clock.h"

#include "lib/bus/limits.h"

#include <string.h>

#define SPACING_LEAST_MS 100

static void drop_until(struct growth_marks *self, uint64_t size)
{
    size_t gone = 0;
    while (gone < self->count && self->mark[gone].size <= size)
        gone++;
    memmove(self->mark, self->mark + gone, (self->count - gone) * sizeof self->mark[0]);
    self->count -= gone;
    if (self->count == 0)
        self->spacing_ms = SPACING_LEAST_MS;
}

/* Every second one goes, never the first. */
static void thin_out(struct growth_marks *self)
{
    for (size_t i = 0; i < GROWTH_MARKS / 2; i++)
        self->mark[i] = self->mark[2 * i];
    self->count = GROWTH_MARKS / 2;
    int64_t spanned_ms = self->mark[self->count - 1].at_ms - self->mark[0].at_ms;
    self->spacing_ms = spanned_ms / (GROWTH_MARKS / 2);
    if (self->spacing_ms < SPACING_LEAST_MS)
        self->spacing_ms = SPACING_LEAST_MS;
}

static void add(struct growth_marks *self, uint64_t confirmed, uint64_t size, int64_t at_ms)
{
    const struct growth_mark *last = self->count == 0 ? NULL : &self->mark[self->count - 1];
    if (size <= confirmed ||
        (last != NULL && (size <= last->size || at_ms - last->at_ms < self->spacing_ms)))
        return;
    if (self->count == GROWTH_MARKS)
        thin_out(self);
    self->mark[self->count++] = (struct growth_mark){size, at_ms};
}

void growth_clock_begin(struct growth_clock *self, uint64_t confirmed, uint64_t size,
                        int64_t since_ms, int64_t now_ms, int64_t stop_ms)
{
    int64_t grace_ms = stop_ms / 2 < GROWTH_GRACE_MS ? stop_ms / 2 : GROWTH_GRACE_MS;
    int64_t least_ms = now_ms - stop_ms + grace_ms;
    *self = (struct growth_clock){.confirmed = confirmed, .began_ms = now_ms};
    self->all.spacing_ms = self->traffic.spacing_ms = SPACING_LEAST_MS;
    if (since_ms > now_ms) /* a clock that was set back while we rested */
        since_ms = now_ms;
    growth_clock_grew(self, size, size, since_ms > least_ms ? since_ms : least_ms);
}

void growth_clock_grew(struct growth_clock *self, uint64_t size, uint64_t traffic_size,
                       int64_t now_ms)
{
    add(&self->all, self->confirmed, size, now_ms);
    add(&self->traffic, self->confirmed, traffic_size, now_ms);
}

void growth_clock_confirm(struct growth_clock *self, uint64_t size)
{
    if (size <= self->confirmed)
        return;
    self->confirmed = size;
    drop_until(&self->all, size);
    drop_until(&self->traffic, size);
}

static int64_t waited_ms(const struct growth_marks *self, int64_t now_ms)
{
    return self->count == 0 ? 0 : now_ms - self->mark[0].at_ms;
}

int64_t growth_clock_waiting_ms(const struct growth_clock *self, int64_t now_ms)
{
    int64_t traffic_ms = waited_ms(&self->traffic, now_ms);
    int64_t idle_ms = waited_ms(&self->all, now_ms) - HEARTBEAT_MS;
    int64_t longer_ms = traffic_ms > idle_ms ? traffic_ms : idle_ms;
    return longer_ms > 0 ? longer_ms : 0;
}

bool growth_clock_alarms(struct growth_clock *self, int64_t now_ms, int64_t every_ms)
{
    int64_t patience_ms = every_ms < GROWTH_GRACE_MS ? every_ms : GROWTH_GRACE_MS;
    if (growth_clock_waiting_ms(self, now_ms) < every_ms || now_ms - self->began_ms < patience_ms ||
        (self->alarmed && now_ms - self->alarmed_ms < every_ms))
        return false;
    self->alarmed = true;
    self->alarmed_ms = now_ms;
    return true;
}
