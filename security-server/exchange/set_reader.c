// SPDX-License-Identifier: MIT
#include "security-server/exchange/set_reader.h"

#include "lib/base/channel.h"
#include "lib/base/text.h"

#include <assert.h>
#include <poll.h>
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <unistd.h>

#define NICE 10 /* messages come first */

struct set_reader {
    struct loop *loop;
    char *audit_folder;
    struct channel *in, *out;
    struct loop_watch watch;
    pthread_t thread;
    bool running;
    atomic_bool ending; /* what waits is not done any more */
    bool asked;
};

// --- the thread ---------------------------------------------------------------------------------

static fault read_hours(const struct set_reader *self, struct set_job *job)
{
    struct set_range range = job->range;
    int64_t floor_ms = set_floor_read(self->audit_folder);
    for (size_t i = 0; i < job->parts; i++, range.hour++) {
        if ((range.hour - 1) * SET_HOUR_MS < floor_ms /* with room for what came later */
            || set_is_broken(self->audit_folder, job->peer, range.hour))
            job->digest[i] = (struct set_digest){.count = SET_UNKNOWN};
        else
            TRY(leaf_set_digests(self->audit_folder, job->peer, &range, 1, &job->digest[i]));
    }
    return DONE;
}

static fault do_work(const struct set_reader *self, struct set_job *job)
{
    switch (job->work) {
    case SET_HOURS:
        return read_hours(self, job);
    case SET_PARTS:
        return leaf_set_digests(self->audit_folder, job->peer, &job->range, job->parts,
                                job->digest);
    case SET_LIST:
        return leaf_set_list(self->audit_folder, job->peer, &job->range,
                             job->has_after ? &job->after : NULL, job->most, job->entry,
                             &job->count, &job->more);
    case SET_FIND:
        return leaf_set_find(self->audit_folder, job->peer, job->range.hour, job->queries,
                             job->count, &job->lates);
    case SET_CALL:
        return job->call(job->owner);
    case SET_STOP:
        break;
    }
    return RAISE(INTERNAL, "no such work");
}

static void serve(struct set_reader *self, struct set_job *job)
{
    fault f = do_work(self, job);
    job->fault = f.code;
    if (failed(f))
        text_format(job->detail, sizeof job->detail, "%s", fault_detail());
    bool pushed = channel_push(self->out, job); /* as much room as the way in */
    assert(pushed);
    channel_wake(self->out);
}

static void *thread_main(void *argument)
{
    struct set_reader *self = argument;
    setpriority(PRIO_PROCESS, (id_t)gettid(), NICE); /* of this thread alone, on Linux */
    for (;;) {
        for (struct set_job *job; (job = channel_pop(self->in)) != NULL;) {
            if (job->work == SET_STOP || atomic_load(&self->ending))
                return NULL;
            serve(self, job);
        }
        if (!channel_sleep(self->in))
            continue;
        struct pollfd wait = {.fd = channel_fd(self->in), .events = POLLIN};
        poll(&wait, 1, -1);
        channel_woken(self->in);
    }
}

// --- the asking side ----------------------------------------------------------------------------

static void take_results(struct set_reader *self)
{
    for (struct set_job *job; (job = channel_pop(self->out)) != NULL;)
        job->done(job);
}

static void on_results(struct loop_watch *watch, uint32_t bits)
{
    (void)bits;
    struct set_reader *self = watch->owner;
    channel_woken(self->out);
    take_results(self);
}

static bool each_turn(void *owner)
{
    struct set_reader *self = owner;
    if (self->asked)
        channel_wake(self->in);
    self->asked = false;
    return !channel_sleep(self->out) && (take_results(self), true);
}

fault set_reader_start(struct loop *loop, const char *audit_folder, struct set_reader **out)
{
    OWNED(set_reader) self = owned_new(sizeof *self);
    self->loop = loop;
    self->audit_folder = owned_text(audit_folder);
    self->watch.fd = -1;
    TRY(channel_new(SET_READER_QUEUE, &self->in));
    TRY(channel_new((size_t)SET_READER_QUEUE * 2, &self->out));
    self->watch = (struct loop_watch){
        .fd = channel_fd(self->out), .bits = EPOLLIN, .ready = on_results, .owner = self};
    TRY(loop_watch(loop, &self->watch));
    loop_each_turn(loop, each_turn, self);
    if (pthread_create(&self->thread, NULL, thread_main, self) != 0)
        return RAISE(INTERNAL, "no thread for the sets of leaves");
    self->running = true;
    *out = TAKE(self);
    return DONE;
}

void set_reader_free(struct set_reader **owner)
{
    struct set_reader *self = *owner;
    if (self == NULL)
        return;
    if (self->running) {
        struct set_job stop = {.work = SET_STOP};
        atomic_store(&self->ending, true);
        while (!channel_push(self->in, &stop))
            sched_yield();
        channel_wake(self->in);
        pthread_join(self->thread, NULL);
    }
    loop_no_turn(self->loop, each_turn, self);
    if (self->watch.fd >= 0)
        loop_unwatch(self->loop, &self->watch);
    channel_free(&self->in);
    channel_free(&self->out);
    free(self->audit_folder);
    free(self);
    *owner = NULL;
}

fault set_reader_ask(struct set_reader *self, struct set_job *job)
{
    if (!channel_push(self->in, job))
        return RAISE(OVERLOADED, "too much waits for the sets of leaves");
    self->asked = true;
    return DONE;
}
