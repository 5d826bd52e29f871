// SPDX-License-Identifier: MIT
#include "registry/serve/reach_desk.h"

#include "lib/base/clock.h"
#include "lib/base/event.h"
#include "lib/base/text.h"

#include <stdlib.h>

struct reach_desk {
    struct reach_desk_options options;
    struct loop_timer look;
    struct loop_watch watch;
    char called[REQUEST_ID_DIGITS + 1]; /* who is being called, or "" */
};

void reach_desk_free(struct reach_desk **owner)
{
    struct reach_desk *self = *owner;
    *owner = NULL;
    if (self == NULL)
        return;
    loop_stop_timer(self->options.loop, &self->look);
    loop_unwatch(self->options.loop, &self->watch);
    free(self);
}

static void give_up(struct reach_desk *self, fault f)
{
    loop_stop_timer(self->options.loop, &self->look);
    loop_unwatch(self->options.loop, &self->watch);
    self->options.failed(self->options.owner, f);
}

// --- whom ---------------------------------------------------------------------------------------

static bool is_open(const struct reach_desk *self, const struct request *request)
{
    uint64_t epoch = 0;
    const char *reason = NULL;
    enum request_state state = requests_state(self->options.requests, request, &epoch, &reason);
    return state == REQUEST_WAITING || state == REQUEST_PREPARED;
}

static bool is_due(const struct request *at, int64_t now_ms)
{
    return at->calls == 0 ? !at->reach.all : at->call_due_ms != 0 && at->call_due_ms <= now_ms;
}

static struct request *next(const struct reach_desk *self)
{
    struct request *found = NULL, *at = NULL;
    int64_t now_ms = clock_steady_ms();
    for (size_t i = 0; (at = requests_at(self->options.requests, i)) != NULL; i++) {
        if (!is_due(at, now_ms) || !is_open(self, at))
            continue;
        if (at->calls == 0)
            return at;
        if (found == NULL || at->call_due_ms < found->call_due_ms)
            found = at;
    }
    return found;
}

static fault call(struct reach_desk *self, const struct request *request)
{
    OWNED(enrolment) enrolment = NULL;
    struct reach_ask ask = {0};
    TRY(enrolment_again(bytes_span(request->text), &enrolment));
    ask.addresses = enrolment->addresses;
    memcpy(ask.address, enrolment->address, sizeof ask.address);
    memcpy(ask.transport_key, enrolment->transport_key, sizeof ask.transport_key);
    TRY(reach_line_begin(self->options.line, &ask));
    text_format(self->called, sizeof self->called, "%s", request->id);
    return DONE;
}

static void on_look(struct loop_timer *timer)
{
    struct reach_desk *self = timer->owner;
    struct request *request = self->called[0] == '\0' ? next(self) : NULL;
    loop_set_timer(self->options.loop, &self->look, REACH_LOOK_MS);
    if (request == NULL)
        return;
    fault f = call(self, request);
    if (failed(f))
        give_up(self, f);
}

// --- what came ----------------------------------------------------------------------------------

static bool is_news(const struct request *request, const struct reach *seen)
{
    return request->called_ms == 0 || strcmp(request->reach.ipv4, seen->ipv4) != 0 ||
           strcmp(request->reach.ipv6, seen->ipv6) != 0;
}

static void take(struct reach_desk *self, struct request *request, const struct reach *seen)
{
    bool news = is_news(request, seen);
    int64_t pause_ms = REACH_PAUSE_MS_MAX;
    if (request->calls < REACH_DOUBLINGS)
        pause_ms = REACH_PAUSE_MS << request->calls;
    request->calls++;
    request->reach = *seen;
    request->called_ms = clock_wall_ms();
    request->call_due_ms = seen->all ? 0 : clock_steady_ms() + pause_ms;
    if (!news)
        return;
    EVENT(INFO, "request.called_back", E_TEXT("server", request->server),
          E_TEXT("request", request->id), E_TEXT("ipv4", seen->ipv4), E_TEXT("ipv6", seen->ipv6));
    fault f = requests_save(self->options.requests, request);
    if (failed(f)) /* the next call tells it again */
        EVENT(ERROR, "request.not_saved", E_TEXT("request", request->id), E_FAULT(f));
}

static void on_answer(struct loop_watch *watch, uint32_t bits)
{
    struct reach_desk *self = watch->owner;
    struct reach seen;
    (void)bits;
    fault f = reach_line_take(self->options.line, &seen);
    if (failed(f))
        return give_up(self, f);
    struct request *request = requests_find(self->options.requests, self->called);
    self->called[0] = '\0';
    if (request != NULL) /* not forgotten meanwhile */
        take(self, request, &seen);
    loop_set_timer(self->options.loop, &self->look, 0);
}

// --- from outside -------------------------------------------------------------------------------

void reach_desk_wish(struct reach_desk *self, struct request *request)
{
    int64_t now_ms = clock_wall_ms();
    if (request->calls > 0 && !request->reach.all && now_ms - request->called_ms > REACH_AGAIN_MS)
        request->call_due_ms = clock_steady_ms();
    if (self->called[0] == '\0')
        loop_set_timer(self->options.loop, &self->look, 0);
}

fault reach_desk_open(const struct reach_desk_options *options, struct reach_desk **out)
{
    OWNED(reach_desk) self = owned_new(sizeof *self);
    self->options = *options;
    self->look = (struct loop_timer){.fire = on_look, .owner = self};
    self->watch = (struct loop_watch){reach_line_fd(options->line), EPOLLIN, on_answer, self};
    TRY(loop_watch(options->loop, &self->watch));
    loop_set_timer(options->loop, &self->look, 0);
    *out = TAKE(self);
    return DONE;
}
