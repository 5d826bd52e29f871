// SPDX-License-Identifier: MIT
#include "security-server/scribe/scribe_process.h"

#include "lib/base/clock.h"
#include "lib/base/event.h"
#include "lib/base/jail.h"
#include "lib/base/loop.h"
#include "security-server/scribe/publisher.h"

#include <signal.h>
#include <stdlib.h>

#define LOOK_MS 500
#define TRY_AGAIN_MS 5000
#define LAST_PUBLISH_MS 10000

struct scribe {
    const struct server_config *config;
    struct loop *loop;
    struct loop_timer timer;
    struct publisher *publisher; /* NULL until the node has begun its log */
    int64_t published_ms;        /* steady */
    bool moving;                 /* on the way to a promise */
    enum fault_code said;        /* a standing fault is said once */
    fault ended;
};

static bool is_time(const struct scribe *self)
{
    return self->moving || self->published_ms == 0 ||
           clock_steady_ms() - self->published_ms >= self->config->publish_every_ms;
}

static fault publish(struct scribe *self)
{
    uint64_t before = publisher_size(self->publisher);
    if (!is_time(self))
        return DONE;
    TRY(publisher_step(self->publisher, &self->moving));
    if (publisher_size(self->publisher) == before)
        return DONE;
    self->published_ms = clock_steady_ms();
    EVENT(DEBUG, "scribe.published", E_NUMBER("size", publisher_size(self->publisher)));
    return DONE;
}

static fault look(struct scribe *self)
{
    struct checkpoint cosigned;
    if (self->publisher == NULL) {
        fault f = publisher_open(self->config->audit_folder, 1, &self->publisher);
        if (f.code == NOT_FOUND)
            return DONE;
        TRY(f);
    }
    fault f = publish(self);
    if (f.code == NOT_FOUND) /* no promise yet */
        return DONE;
    TRY(f);
    TRY(publisher_take_cosigned(self->publisher, &cosigned));
    if (cosigned.size > 0)
        EVENT(DEBUG, "scribe.cosigned", E_NUMBER("size", cosigned.size));
    return DONE;
}

static void on_timer(struct loop_timer *timer)
{
    struct scribe *self = timer->owner;
    fault f = look(self);
    if (f.code == LOG_BROKEN) {
        self->ended = f;
        EVENT(ERROR, "scribe.failed", E_FAULT(f));
        loop_stop(self->loop);
        return;
    }
    if (failed(f) && f.code != self->said)
        EVENT(ERROR, "scribe.cannot_publish", E_FAULT(f));
    self->said = f.code;
    loop_set_timer(self->loop, &self->timer, failed(f) ? TRY_AGAIN_MS : self->moving ? 0 : LOOK_MS);
}

/* The node has stopped and signed its last head: the static form ends there too. */
static void publish_the_rest(struct scribe *self)
{
    int64_t until_ms = clock_steady_ms() + LAST_PUBLISH_MS;
    fault f;
    do {
        f = publisher_step(self->publisher, &self->moving);
    } while (!failed(f) && self->moving && clock_steady_ms() < until_ms);
    if (failed(f))
        EVENT(WARN, "scribe.cannot_publish", E_FAULT(f));
}

static void on_stop(void *owner)
{
    struct scribe *self = owner;
    if (self->publisher != NULL)
        publish_the_rest(self);
    loop_stop(self->loop);
}

static fault start(struct scribe *self)
{
    TRY(loop_new(&self->loop));
    TRY(loop_on_signal(self->loop, SIGTERM, on_stop, self));
    TRY(loop_on_signal(self->loop, SIGINT, on_stop, self));
    TRY(jail_enter(JAIL_SCRIBE));
    self->timer = (struct loop_timer){.fire = on_timer, .owner = self};
    loop_set_timer(self->loop, &self->timer, 0);
    return loop_run(self->loop);
}

int scribe_process_run(const struct server_config *config)
{
    struct scribe *self = owned_new(sizeof *self);
    self->config = config;
    fault f = start(self);
    if (failed(f))
        EVENT(ERROR, "scribe.failed", E_FAULT(f));
    else
        f = self->ended;
    publisher_free(&self->publisher);
    loop_free(&self->loop);
    free(self);
    return !failed(f) ? 0 : f.code == LOG_BROKEN ? 3 : 1;
}
