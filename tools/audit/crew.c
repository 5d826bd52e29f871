// SPDX-License-Identifier: MIT
#include "tools/audit/crew.h"

#include "lib/base/channel.h"

#include <assert.h>
#include <poll.h>
#include <pthread.h>
#include <stdlib.h>

#define BATCH_ENTRIES 128
#define BATCH_BYTES (4 * LEAF_BYTES_MAX) /* of leaves: at least one fits */
#define BATCHES_EACH 4                   /* of a worker: in its pipes, or in its hands */

struct batch {
    size_t count, used;
    bool last; /* nothing more comes */
    uint64_t index[BATCH_ENTRIES];
    struct span leaf[BATCH_ENTRIES]; /* in `bytes` */
    struct examined examined[BATCH_ENTRIES];
    uint8_t bytes[BATCH_BYTES];
};

struct worker {
    struct examiner *examiner; /* the thread's */
    struct channel *in, *out;
    pthread_t thread;
    bool running;
};

struct crew {
    crew_take *take;
    void *owner;
    size_t workers;
    struct worker worker[VERIFY_THREADS_MAX];
    /* a ring; batch n is always of worker n % workers */
    size_t batches;
    struct batch *batch[VERIFY_THREADS_MAX * BATCHES_EACH];
    uint64_t given, taken; /* batches; batch[given % batches] is being filled */
    struct batch *last;
};

// --- the threads --------------------------------------------------------------------------------

/* Sleeps until there is something. */
static struct batch *pop(struct channel *from)
{
    for (;;) {
        struct batch *batch = channel_pop(from);
        if (batch != NULL)
            return batch;
        if (!channel_sleep(from))
            continue;
        struct pollfd wait = {.fd = channel_fd(from), .events = POLLIN};
        poll(&wait, 1, -1);
        channel_woken(from);
    }
}

static void push(struct channel *to, struct batch *batch)
{
    bool pushed = channel_push(to, batch); /* a pipe has room for all of a worker's batches */
    assert(pushed);
    channel_wake(to);
}

static void examine_all(struct examiner *examiner, struct batch *batch)
{
    for (size_t i = 0; i < batch->count; i++)
        examine(examiner, batch->index[i], batch->leaf[i], &batch->examined[i]);
}

static void *thread_main(void *argument)
{
    struct worker *self = argument;
    for (;;) {
        struct batch *batch = pop(self->in);
        if (batch->last)
            return NULL;
        examine_all(self->examiner, batch);
        push(self->out, batch);
    }
}

// --- the owner's side ---------------------------------------------------------------------------

static void clear(struct batch *batch)
{
    for (size_t i = 0; i < batch->count; i++)
        examined_clear(&batch->examined[i]);
    batch->count = batch->used = 0;
}

static struct worker *worker_of(struct crew *self, uint64_t number)
{
    return &self->worker[number % self->workers];
}

static void take_oldest(struct crew *self)
{
    struct batch *batch = self->batch[self->taken % self->batches];
    if (worker_of(self, self->taken)->running) {
        const struct batch *came = pop(worker_of(self, self->taken)->out);
        assert(came == batch);
    }
    for (size_t i = 0; i < batch->count; i++)
        self->take(self->owner, &batch->examined[i]);
    clear(batch);
    self->taken++;
}

static void give_batch(struct crew *self)
{
    struct worker *worker = worker_of(self, self->given);
    struct batch *batch = self->batch[self->given % self->batches];
    self->given++;
    if (worker->running)
        push(worker->in, batch);
    else
        examine_all(worker->examiner, batch);
    if (self->given - self->taken == self->batches)
        take_oldest(self);
}

void crew_give(struct crew *self, uint64_t index, struct span leaf)
{
    struct batch *batch = self->batch[self->given % self->batches];
    if (batch->count == BATCH_ENTRIES || batch->used + leaf.size > BATCH_BYTES) {
        give_batch(self);
        batch = self->batch[self->given % self->batches];
    }
    assert(leaf.size <= BATCH_BYTES);
    uint8_t *at = batch->bytes + batch->used;
    if (leaf.size > 0)
        memcpy(at, leaf.at, leaf.size);
    batch->used += leaf.size;
    batch->index[batch->count] = index;
    batch->leaf[batch->count++] = span_of(at, leaf.size);
}

void crew_finish(struct crew *self)
{
    give_batch(self);
    while (self->taken < self->given)
        take_oldest(self);
}

static fault start_worker(struct worker *self, bool alone, const struct examination *about)
{
    TRY(examiner_new(about, &self->examiner));
    if (alone)
        return DONE;
    TRY(channel_new(2 * BATCHES_EACH, &self->in));
    TRY(channel_new(2 * BATCHES_EACH, &self->out));
    if (pthread_create(&self->thread, NULL, thread_main, self) != 0)
        return RAISE(INTERNAL, "no thread to examine entries with");
    self->running = true;
    return DONE;
}

fault crew_start(size_t threads, const struct examination *about, crew_take *take, void *owner,
                 struct crew **out)
{
    assert(threads >= 1 && threads <= VERIFY_THREADS_MAX);
    OWNED(crew) self = owned_new(sizeof *self);
    self->take = take;
    self->owner = owner;
    self->workers = threads;
    self->batches = threads == 1 ? 1 : threads * BATCHES_EACH;
    for (size_t i = 0; i < self->batches; i++)
        self->batch[i] = owned_new(sizeof *self->batch[i]);
    self->last = owned_new(sizeof *self->last);
    self->last->last = true;
    for (size_t i = 0; i < threads; i++)
        TRY(start_worker(&self->worker[i], threads == 1, about));
    *out = TAKE(self);
    return DONE;
}

static void end_worker(struct worker *self, struct batch *last)
{
    if (self->running) {
        push(self->in, last);
        pthread_join(self->thread, NULL);
    }
    channel_free(&self->in);
    channel_free(&self->out);
    examiner_free(&self->examiner);
}

void crew_free(struct crew **owner)
{
    struct crew *self = *owner;
    *owner = NULL;
    if (self == NULL)
        return;
    for (size_t i = 0; i < self->workers; i++)
        end_worker(&self->worker[i], self->last);
    for (size_t i = 0; i < self->batches; i++) {
        clear(self->batch[i]);
        free(self->batch[i]);
    }
    free(self->last);
    free(self);
}
