// SPDX-License-Identifier: MIT
#include "security-server/exchange/sign_desk.h"

#include "lib/base/map.h"
#include "lib/crypto/batch.h"
#include "lib/crypto/merkle.h"

#include <stdlib.h>

/* Jobs in the order in which they came. */
struct queue {
    struct sign_job *first, **last; /* last: where the next one goes */
    size_t count;
};

struct together {
    struct batch_tree tree;
    struct batch_head head;
};

struct lane {
    struct sign_desk *home;
    struct queue waiting;
    struct queue out;          /* at the keys process; empty: the lane is free */
    struct together *together; /* those; NULL: one alone */
    bool ready;                /* in the list of those with something to send */
    struct lane *next_ready;
};

struct sign_desk {
    struct loop *loop;
    struct keys_line *keys;
    const struct audit_pace *log; /* NULL: there is none yet */
    uint64_t written;             /* records that it had written when something went out last */
    struct map lanes;             /* by server; as many as the directory has servers, at most */
    struct lane *ready;
};

static bool flush(void *owner);

struct sign_desk *sign_desk_new(struct loop *loop)
{
    struct sign_desk *self = owned_new(sizeof *self);
    self->loop = loop;
    loop_each_turn(loop, flush, self);
    return self;
}

void sign_desk_use(struct sign_desk *self, struct keys_line *keys)
{
    self->keys = keys;
}

void sign_desk_follow(struct sign_desk *self, const struct audit_pace *log)
{
    self->log = log;
}

void sign_desk_free(struct sign_desk **self)
{
    if (*self == NULL)
        return;
    size_t step = 0;
    for (struct lane *lane; (lane = map_next(&(*self)->lanes, &step, NULL)) != NULL;) {
        free(lane->together);
        free(lane);
    }
    map_clear(&(*self)->lanes);
    loop_no_turn((*self)->loop, flush, *self);
    free(*self);
    *self = NULL;
}

// --- queues -------------------------------------------------------------------------------------

static void push(struct queue *self, struct sign_job *job)
{
    if (self->first == NULL)
        self->last = &self->first;
    job->next = NULL;
    *self->last = job;
    self->last = &job->next;
    self->count++;
}

static struct sign_job *pop(struct queue *self)
{
    struct sign_job *job = self->first;
    if (job != NULL) {
        self->first = job->next;
        self->count--;
    }
    return job;
}

// --- signing ------------------------------------------------------------------------------------

static void mark(struct lane *lane)
{
    if (lane->ready)
        return;
    lane->ready = true;
    lane->next_ready = lane->home->ready;
    lane->home->ready = lane;
}

static void signed_out(void *owner, fault f, struct span signature)
{
    struct lane *lane = owner;
    uint8_t place[BATCH_PLACE_BYTES_MAX];
    struct queue out = lane->out;
    struct together *together = lane->together;
    lane->out = (struct queue){0};
    lane->together = NULL;
    if (lane->waiting.count > 0)
        mark(lane);
    struct sign_job *job;
    for (size_t i = 0; (job = pop(&out)) != NULL; i++) {
        struct sign_place at = {0};
        if (together != NULL && !failed(f)) {
            at.place = span_of(place, batch_place(&together->tree, i, place));
            at.head = &together->head;
        }
        job->done(job->owner, f, signature, &at);
    }
    free(together);
}

/* The head's text is made here; the keys process gets a digest of it, as of any header, and makes
 * the attributes around it. */
static struct sha256 batch_content(struct lane *lane)
{
    struct sha256 leaf[BATCH_MAX];
    size_t count = 0;
    for (const struct sign_job *job = lane->out.first; job != NULL; job = job->next)
        leaf[count++] = merkle_leaf_hash(job->header);
    lane->together = owned_new(sizeof *lane->together);
    batch_make(&lane->together->tree, leaf, count);
    batch_make_head(&lane->together->tree, &lane->together->head);
    return SHA256_OF(batch_head_span(&lane->together->head));
}

/* A signature names one second, and so each header of a batch is of that second. */
static void send_out(struct lane *lane)
{
    int64_t second = lane->waiting.first->time_ms / 1000;
    while (lane->waiting.first != NULL && lane->out.count < BATCH_MAX &&
           lane->waiting.first->time_ms / 1000 == second)
        push(&lane->out, pop(&lane->waiting));
    struct sha256 content =
        lane->out.count > 1 ? batch_content(lane) : SHA256_OF(lane->out.first->header);
    keys_line_sign_header(lane->home->keys, &content, lane->out.first->time_ms, signed_out, lane);
}

/* What is signed now goes to the log next. While that writes a group, a signature would only wait
 * for it there: so the headers wait here, and come to be more. Each group that is written lets them
 * go, however much else the log has been given since. */
static bool may_go(struct sign_desk *self)
{
    if (self->log == NULL)
        return true;
    if (self->log->done == self->written && self->log->done != self->log->asked)
        return false;
    self->written = self->log->done;
    return true;
}

static bool flush(void *owner)
{
    struct sign_desk *self = owner;
    if (self->ready == NULL || !may_go(self))
        return false;
    while (self->ready != NULL) {
        struct lane *lane = self->ready;
        self->ready = lane->next_ready;
        lane->ready = false;
        if (lane->out.count == 0 && lane->waiting.count > 0)
            send_out(lane);
    }
    return self->ready != NULL;
}

static void signed_alone(void *owner, fault f, struct span signature)
{
    struct sign_job *job = owner;
    job->done(job->owner, f, signature, &(struct sign_place){0});
}

static struct lane *lane_of(struct sign_desk *self, const char *receiver)
{
    struct lane *lane = map_get(&self->lanes, span_of_text(receiver));
    if (lane == NULL) {
        lane = owned_new(sizeof *lane);
        lane->home = self;
        map_set(&self->lanes, span_of_text(receiver), lane);
    }
    return lane;
}

void sign_desk_sign(struct sign_desk *self, const char *receiver, bool batches,
                    struct sign_job *job)
{
    if (!batches) {
        struct sha256 content = SHA256_OF(job->header);
        keys_line_sign_header(self->keys, &content, job->time_ms, signed_alone, job);
        return;
    }
    struct lane *lane = lane_of(self, receiver);
    push(&lane->waiting, job);
    if (lane->out.count == 0)
        mark(lane);
}
