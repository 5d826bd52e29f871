// SPDX-License-Identifier: MIT
#include "security-server/exchange/audit_actor.h"

#include "lib/base/file.h"
#include "lib/base/channel.h"
#include "lib/base/clock.h"
#include "lib/base/event.h"
#include "lib/base/text.h"
#include "lib/bus/limits.h"

#include <assert.h>
#include <poll.h>
#include <pthread.h>
#include <stdlib.h>

/* A group must fit into one segment; large leaves are rare. */
#define GROUP_BYTES_MAX (512u << 10)

struct audit_actor {
    struct loop *loop;
    struct audit_log *log; /* the thread's */
    struct channel *in;    /* to the thread */
    struct channel *out;   /* from it */
    struct loop_watch watch;
    pthread_t thread;
    bool running;
    struct audit_pace pace;
    void (*each_leaf)(void *owner, struct span leaf); /* of those asked to be appended */
    void *watcher;
    bool asked; /* something was pushed in this turn */
};

// --- the thread ---------------------------------------------------------------------------------

struct group {
    size_t count;
    size_t bytes;
    struct audit_job *job[AUDIT_GROUP_MAX];
    struct audit_record record[AUDIT_GROUP_MAX];
};

static void say_fault(struct audit_job *job, fault f)
{
    job->fault = f.code;
    if (failed(f))
        text_format(job->detail, sizeof job->detail, "%s", fault_detail());
}

static void give_back(struct audit_actor *self, struct audit_job *job)
{
    job->head = audit_log_head(self->log);
    /* The way back has the same room as the way in, so it cannot be full. */
    bool pushed = channel_push(self->out, job);
    assert(pushed);
}

static void commit(struct audit_actor *self, struct group *group)
{
    if (group->count == 0)
        return;
    fault f = audit_log_append(self->log, group->record, group->count, clock_wall_ms());
    for (size_t i = 0; i < group->count; i++) {
        group->job[i]->record = group->record[i];
        say_fault(group->job[i], f);
        give_back(self, group->job[i]);
    }
    group->count = group->bytes = 0;
    channel_wake(self->out);
}

static fault take_keys(struct audit_actor *self, struct audit_keys *keys)
{
    struct payload_store *payloads = audit_log_payloads(self->log);
    fault f = DONE;
    if (keys->spare != NULL)
        payload_store_give_spare(payloads, &keys->spare);
    if (keys->fresh != NULL)
        f = payload_store_rewrap_begin(payloads, keys->day, &keys->old, &keys->fresh);
    keys->wants_spare = payload_store_wants_spare(payloads);
    TRY(f);
    f = payload_store_rewrap_due(payloads, keys->day, keys->wrapped);
    return f.code == NOT_FOUND ? DONE : f;
}

static fault do_work(struct audit_actor *self, struct audit_job *job)
{
    if (job->work == AUDIT_READ)
        return audit_log_read(self->log, job->record.index, &job->leaf, &job->blob);
    if (job->work == AUDIT_KEYS)
        return take_keys(self, job->keys);
    if (job->work == AUDIT_ERASE)
        return audit_log_erase(self->log, job->erasing);
    if (job->work == AUDIT_PLAN_PRUNE)
        return audit_log_plan_prune(self->log, job->pruning);
    if (job->work == AUDIT_PRUNE)
        return audit_log_prune(self->log, job->pruning);
    if (job->work == AUDIT_FILE)
        return file_replace(job->path, job->note, 0644);
    return audit_log_keep_checkpoint(self->log, job->note);
}

static void other_work(struct audit_actor *self, struct audit_job *job)
{
    say_fault(job, do_work(self, job));
    give_back(self, job);
    channel_wake(self->out);
}

/* Takes what waits. False when asked to stop. */
static bool take_work(struct audit_actor *self, struct group *group)
{
    for (struct audit_job *job; (job = channel_pop(self->in)) != NULL;) {
        if (job->work == AUDIT_STOP) {
            commit(self, group);
            return false;
        }
        if (job->work != AUDIT_APPEND) {
            other_work(self, job);
            continue;
        }
        group->record[group->count] = job->record;
        group->job[group->count++] = job;
        group->bytes += job->record.leaf.size;
        if (group->count == AUDIT_GROUP_MAX || group->bytes > GROUP_BYTES_MAX)
            break;
    }
    commit(self, group);
    return true;
}

/* True: there is more to do while nobody asks for anything. */
static bool rest(struct audit_actor *self)
{
    bool more = false;
    fault f = audit_log_rest(self->log, &more);
    if (failed(f))
        EVENT(WARN, "audit.key_change_failed", E_FAULT(f)); /* it is due still, and begun again */
    return more;
}

static void *thread_main(void *argument)
{
    struct audit_actor *self = argument;
    struct group *group = owned_new(sizeof *group);
    while (take_work(self, group)) {
        if (!channel_sleep(self->in))
            continue;
        bool more = rest(self);
        struct pollfd wait = {.fd = channel_fd(self->in), .events = POLLIN};
        poll(&wait, 1, more ? 0 : -1);
        channel_woken(self->in);
    }
    free(group);
    return NULL;
}

// --- the asking side ----------------------------------------------------------------------------

static void take_result(struct audit_actor *self, struct audit_job *job)
{
    self->pace.done += job->work == AUDIT_APPEND;
    job->done(job);
}

static void take_results(struct audit_actor *self)
{
    for (struct audit_job *job; (job = channel_pop(self->out)) != NULL;)
        take_result(self, job);
}

static void on_results(struct loop_watch *watch, uint32_t bits)
{
    (void)bits;
    struct audit_actor *self = watch->owner;
    channel_woken(self->out);
    take_results(self);
}

static bool each_turn(void *owner)
{
    struct audit_actor *self = owner;
    if (self->asked)
        channel_wake(self->in);
    self->asked = false;
    /* true: results came while we were about to sleep */
    return !channel_sleep(self->out) && (take_results(self), true);
}

fault audit_actor_start(struct loop *loop, struct audit_log **log, struct audit_actor **out)
{
    OWNED(audit_actor) self = owned_new(sizeof *self);
    self->loop = loop;
    self->log = TAKE(*log);
    self->watch.fd = -1;
    TRY(channel_new(AUDIT_QUEUE, &self->in));
    TRY(channel_new(AUDIT_QUEUE * 2, &self->out));
    self->watch = (struct loop_watch){
        .fd = channel_fd(self->out), .bits = EPOLLIN, .ready = on_results, .owner = self};
    TRY(loop_watch(loop, &self->watch));
    loop_each_turn(loop, each_turn, self);
    if (pthread_create(&self->thread, NULL, thread_main, self) != 0)
        return RAISE(INTERNAL, "no thread for the evidence log");
    self->running = true;
    *out = TAKE(self);
    return DONE;
}

void audit_actor_free(struct audit_actor **owner)
{
    struct audit_actor *self = *owner;
    if (self == NULL)
        return;
    if (self->running) {
        struct audit_job stop = {.work = AUDIT_STOP};
        while (!channel_push(self->in, &stop))
            sched_yield();
        channel_wake(self->in);
        pthread_join(self->thread, NULL);
    }
    if (self->watch.fd >= 0)
        loop_unwatch(self->loop, &self->watch);
    audit_log_free(&self->log);
    channel_free(&self->in);
    channel_free(&self->out);
    free(self);
    *owner = NULL;
}

fault audit_actor_ask(struct audit_actor *self, struct audit_job *job)
{
    if (!channel_push(self->in, job))
        return RAISE(OVERLOADED, "too much waits for the evidence log");
    self->asked = true;
    if (job->work != AUDIT_APPEND)
        return DONE;
    self->pace.asked++;
    if (self->each_leaf != NULL)
        self->each_leaf(self->watcher, job->record.leaf);
    return DONE;
}

const struct audit_pace *audit_actor_pace(const struct audit_actor *self)
{
    return &self->pace;
}

uint64_t audit_actor_asked(const struct audit_actor *self)
{
    return self->pace.asked;
}

uint64_t audit_actor_done(const struct audit_actor *self)
{
    return self->pace.done;
}

void audit_actor_watch(struct audit_actor *self, void (*each)(void *owner, struct span leaf),
                       void *owner)
{
    self->each_leaf = each;
    self->watcher = owner;
}
