// SPDX-License-Identifier: MIT
#include "lib/base/event_rate.h"

#include "lib/base/event.h"

static void end_second(struct event_rate *self)
{
    if (self->left_out > 0)
        EVENT(WARN, "event.left_out", E_TEXT("of", self->event), E_NUMBER("count", self->left_out));
    self->said = 0;
    self->left_out = 0;
}

static void on_second(struct loop_timer *timer)
{
    end_second(timer->owner);
}

void event_rate_begin(struct event_rate *self, struct loop *loop, const char *event)
{
    *self = (struct event_rate){.loop = loop, .event = event};
    self->timer = (struct loop_timer){.fire = on_second, .owner = self};
}

void event_rate_end(struct event_rate *self)
{
    if (self->loop == NULL)
        return;
    loop_stop_timer(self->loop, &self->timer);
    end_second(self);
    self->loop = NULL;
}

bool event_rate_allows(struct event_rate *self)
{
    if (self->timer.slot == 0)
        loop_set_timer(self->loop, &self->timer, EVENT_RATE_MS);
    if (self->said < EVENT_RATE_MOST) {
        self->said++;
        return true;
    }
    self->left_out++;
    return false;
}
