// SPDX-License-Identifier: MIT
#include "registry/serve/status_desk.h"

#include "lib/base/clock.h"
#include "lib/base/event.h"
#include "lib/base/text.h"
#include "lib/bus/limits.h"

#include <stdlib.h>

struct status_desk {
    struct status_desk_options options;
    struct loop_timer next;
    struct loop_watch watch;
    struct status_report report;
};

void status_desk_free(struct status_desk **owner)
{
    struct status_desk *self = *owner;
    *owner = NULL;
    if (self == NULL)
        return;
    loop_stop_timer(self->options.loop, &self->next);
    loop_unwatch(self->options.loop, &self->watch);
    free(self);
}

static void note_problem(struct status_desk *self)
{
    text_format(self->report.problem, sizeof self->report.problem, "%.250s", fault_detail());
}

/* Also after a round that failed: what was found before it did is not kept back. */
static fault act(struct status_desk *self)
{
    fault f = self->options.act(self->options.owner, &self->report.acts);
    if (failed(f)) {
        note_problem(self);
        EVENT(ERROR, "status.not_acted_on", E_FAULT(f));
    }
    return f;
}

static void on_answer(struct loop_watch *watch, uint32_t bits)
{
    struct status_desk *self = watch->owner;
    fault round = DONE;
    (void)bits;
    fault f = status_line_take(self->options.line, &round, &self->report.counts);
    if (!failed(f) && failed(round))
        note_problem(self);
    if (!failed(f))
        f = act(self);
    self->report.running = false;
    self->report.ended_ms = clock_wall_ms();
    if (f.code == INTERNAL) {
        loop_unwatch(self->options.loop, &self->watch);
        self->options.failed(self->options.owner, f);
    }
}

fault status_desk_begin(struct status_desk *self)
{
    if (self->report.running)
        return DONE;
    TRY(status_line_begin(self->options.line));
    self->report = (struct status_report){
        .round = self->report.round + 1, .running = true, .begun_ms = clock_wall_ms()};
    return DONE;
}

static void on_next(struct loop_timer *timer)
{
    struct status_desk *self = timer->owner;
    const struct directory *state = outlook_state(self->options.outlook);
    const struct directory_authority *const *authority = NULL;
    loop_set_timer(self->options.loop, &self->next, (int64_t)self->options.every_s * 1000);
    if (state == NULL || directory_authorities(state, &authority) == 0)
        return;
    fault f = status_desk_begin(self);
    if (failed(f))
        self->options.failed(self->options.owner, f);
}

fault status_desk_open(const struct status_desk_options *options, struct status_desk **out)
{
    OWNED(status_desk) self = owned_new(sizeof *self);
    int64_t every_ms = (int64_t)options->every_s * 1000;
    self->options = *options;
    self->next = (struct loop_timer){.fire = on_next, .owner = self};
    self->watch = (struct loop_watch){status_line_fd(options->line), EPOLLIN, on_answer, self};
    TRY(loop_watch(options->loop, &self->watch));
    loop_set_timer(options->loop, &self->next,
                   every_ms < STATUS_FIRST_MS ? every_ms : STATUS_FIRST_MS);
    *out = TAKE(self);
    return DONE;
}

const struct status_report *status_desk_report(const struct status_desk *self)
{
    return &self->report;
}

unsigned status_desk_every_s(const struct status_desk *self)
{
    return self->options.every_s;
}
