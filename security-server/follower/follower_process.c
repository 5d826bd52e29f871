// SPDX-License-Identifier: MIT
#include "security-server/follower/follower_process.h"

#include "lib/base/event.h"
#include "lib/base/file.h"
#include "lib/base/jail.h"
#include "lib/base/loop.h"
#include "lib/bus/limits.h"
#include "lib/crypto/random.h"
#include "security-server/follower/listener.h"
#include "security-server/follower/older.h"
#include "security-server/follower/poster.h"
#include "security-server/follower/round.h"
#include "security-server/follower/subject_fetch.h"

#include <curl/curl.h>
#include <signal.h>
#include <stdlib.h>

#define LOOK_MS 1000

static const struct poster_mail *const mails[] = {&poster_cosignature, &poster_renewal,
                                                  &poster_act};
#define MAILS (sizeof mails / sizeof mails[0])

struct follower {
    const struct server_config *config;
    struct loop *loop;
    struct net *net;
    struct followed *followed;
    struct fetcher *fetcher;
    struct round *round;
    struct listener *listener;
    struct poster *poster[MAILS];
    struct older *older;
    struct subject_fetch *subjects;
    struct loop_timer poll, look;
    unsigned failures; /* rounds in a row without a good address */
    bool again;        /* something newer is there than the round under way may find */
    bool running;
};

// --- when to ask --------------------------------------------------------------------------------

/* A tenth more or less, so that followers do not all come at the same moment. */
static int64_t jittered(int64_t wait_ms)
{
    uint32_t draw = 0;
    int64_t spread = wait_ms / 5;
    random_fill((uint8_t *)&draw, sizeof draw);
    return wait_ms - spread / 2 + (spread > 0 ? (int64_t)(draw % (uint32_t)spread) : 0);
}

static int64_t doubled(int64_t wait_ms, unsigned times, int64_t most_ms)
{
    for (; times > 0 && wait_ms < most_ms; times--)
        wait_ms *= 2;
    return wait_ms < most_ms ? wait_ms : most_ms;
}

/* Who knows nothing yet asks sooner; who knows something and finds nobody, later and later. */
static int64_t wait_ms(const struct follower *self)
{
    int64_t poll_ms = self->config->directory_poll_ms;
    if (self->failures == 0)
        return poll_ms;
    if (followed_head(self->followed)->size == 0)
        return doubled(FOLLOW_FIRST_MS, self->failures - 1, poll_ms);
    return poll_ms > FOLLOW_BACKOFF_MS_MAX
               ? poll_ms
               : doubled(poll_ms, self->failures - 1, FOLLOW_BACKOFF_MS_MAX);
}

static void on_round(void *owner, bool good)
{
    struct follower *self = owner;
    self->running = false;
    self->failures = good ? 0 : self->failures + 1;
    bool again = self->again;
    self->again = false;
    loop_set_timer(self->loop, &self->poll, again ? 0 : jittered(wait_ms(self)));
}

static void on_poll(struct loop_timer *timer)
{
    struct follower *self = timer->owner;
    fault f = followed_catch_up(self->followed);
    if (failed(f))
        EVENT(WARN, "follow.copy_left_aside", E_FAULT(f));
    self->running = true;
    round_begin(self->round);
}

static void ask_within(struct follower *self, int64_t most_ms)
{
    uint32_t draw = 0;
    random_fill((uint8_t *)&draw, sizeof draw);
    self->again = self->running;
    if (!self->running)
        loop_set_timer(self->loop, &self->poll, (int64_t)(draw % (uint32_t)(most_ms + 1)));
}

/* Everybody hears the same push at the same moment. */
static void on_behind(void *owner)
{
    ask_within(owner, FOLLOW_PUSH_JITTER_MS);
}

static void on_hangup(void *owner)
{
    ask_within(owner, 0);
}

static void on_look(struct loop_timer *timer)
{
    struct follower *self = timer->owner;
    for (size_t i = 0; i < MAILS; i++)
        poster_look(self->poster[i]);
    subject_fetch_look(self->subjects);
    loop_set_timer(self->loop, &self->look, LOOK_MS);
}

// --- life ---------------------------------------------------------------------------------------

static void on_stop(void *owner)
{
    struct follower *self = owner;
    loop_stop(self->loop);
}

static fault start(struct follower *self)
{
    const struct anchor_file *anchor = self->config->anchor;
    TRY(file_make_folders(self->config->audit_folder, 0700));
    TRY(loop_new(&self->loop));
    TRY(loop_on_signal(self->loop, SIGTERM, on_stop, self));
    TRY(loop_on_signal(self->loop, SIGINT, on_stop, self));
    TRY(loop_on_signal(self->loop, SIGHUP, on_hangup, self));
    TRY(jail_enter(JAIL_FOLLOWER));
    if (curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK)
        return RAISE(INTERNAL, "libcurl does not start");
    TRY(net_new(self->loop, &self->net));
    TRY(fetcher_new(self->loop, &self->fetcher));
    TRY(followed_open(self->config->audit_folder, anchor, &self->followed));
    TRY(listener_new(self->net, self->followed, anchor, on_behind, self, &self->listener));
    self->round = round_new(self->fetcher, self->followed, anchor, self->config->witness_alarm_ms,
                            on_round, self);
    for (size_t i = 0; i < MAILS; i++)
        self->poster[i] = poster_new(self->fetcher, self->config->audit_folder, anchor, mails[i]);
    self->older = older_new(self->loop, self->fetcher, self->followed, anchor);
    self->subjects =
        subject_fetch_new(self->fetcher, self->config->audit_folder, self->config->server, anchor);
    self->poll = (struct loop_timer){.fire = on_poll, .owner = self};
    self->look = (struct loop_timer){.fire = on_look, .owner = self};
    loop_set_timer(self->loop, &self->poll, 0);
    loop_set_timer(self->loop, &self->look, LOOK_MS);
    EVENT(INFO, "follow.began", E_NUMBER("size", followed_head(self->followed)->size),
          E_NUMBER("addresses", anchor->addresses), E_NUMBER("pushes", anchor->pushes));
    return loop_run(self->loop);
}

int follower_process_run(const struct server_config *config)
{
    struct follower *self = owned_new(sizeof *self);
    self->config = config;
    fault f = start(self);
    if (failed(f))
        EVENT(ERROR, "follow.failed", E_FAULT(f));
    for (size_t i = 0; i < MAILS; i++)
        poster_free(&self->poster[i]);
    older_free(&self->older);
    subject_fetch_free(&self->subjects);
    round_free(&self->round);
    listener_free(&self->listener);
    followed_free(&self->followed);
    fetcher_free(&self->fetcher);
    net_free(&self->net);
    loop_free(&self->loop);
    free(self);
    return failed(f) ? 1 : 0;
}
