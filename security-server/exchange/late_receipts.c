// SPDX-License-Identifier: MIT
#include "security-server/exchange/late_receipts.h"

#include "lib/base/clock.h"
#include "lib/base/event.h"
#include "lib/base/map.h"
#include "security-server/exchange/own_record.h"
#include "security-server/exchange/set_reader.h"
#include "security-server/exchange/sets_reach.h"

#include <assert.h>
#include <stdlib.h>

struct item {
    struct late_leaf *leaf;
    late_done *done;
    void *owner;
};

struct late_receipts {
    struct node *node;
    struct item *queue; /* the first `batch` of them are being taken in */
    size_t count, room, batch;
    size_t at; /* of the batch: before it all are done */
    size_t bytes;
    uint64_t need; /* entries that must be sorted first */
    int64_t began_ms;
    uint64_t recorded;
    struct loop_timer timer;
    /* of the items from `at` on that are of one peer and hour: which are there already? */
    struct set_job job;
    struct set_query *query;
    size_t looked;  /* items, from `at` on, that the query was about */
    struct map now; /* hashes that this batch has recorded */
};

struct late_receipts *late_receipts_new(struct node *node)
{
    struct late_receipts *self = owned_new(sizeof *self);
    self->node = node;
    return self;
}

static void drop(struct item *item)
{
    late_leaf_free(&item->leaf);
    item->done = NULL;
}

void late_receipts_free(struct late_receipts **self)
{
    if (*self == NULL)
        return;
    loop_stop_timer((*self)->node->loop, &(*self)->timer);
    for (size_t i = 0; i < (*self)->count; i++)
        drop(&(*self)->queue[i]);
    map_clear(&(*self)->now);
    free((*self)->queue);
    free((*self)->query);
    free(*self);
    *self = NULL;
}

void late_receipts_forget(struct late_receipts *self, const void *owner)
{
    for (size_t i = 0; i < self->count; i++)
        if (self->queue[i].owner == owner)
            self->queue[i].done = NULL;
}

// --- one after the other ------------------------------------------------------------------------

static void go_on(struct late_receipts *self);

static void end_item(struct late_receipts *self, fault f, bool new)
{
    struct item item = self->queue[self->at];
    self->queue[self->at].leaf = NULL;
    self->at++;
    if (self->looked > 0)
        self->looked--;
    self->recorded += !failed(f) && new;
    self->bytes -= item.leaf->leaf->size;
    if (item.done != NULL)
        item.done(item.owner, f, &item.leaf->receipt.leaf_hash, new);
    late_leaf_free(&item.leaf);
}

static void recorded(void *owner, fault f, uint64_t index)
{
    struct late_receipts *self = owner;
    const struct late_leaf *leaf = self->queue[self->at].leaf;
    if (!failed(f)) {
        map_set(&self->now, sha256_span(&leaf->receipt.leaf_hash), self);
        EVENT(DEBUG, "reconcile.leaf_taken_in", E_TEXT("peer", leaf->peer),
              E_NUMBER("record", index));
    }
    end_item(self, f, true);
    go_on(self);
}

static void record(struct late_receipts *self)
{
    assert(self->at < self->batch);
    const struct late_leaf *leaf = self->queue[self->at].leaf;
    struct set_query wanted = {.leaf_hash = leaf->receipt.leaf_hash};
    bool held = map_get(&self->now, sha256_span(&wanted.leaf_hash)) != NULL;
    for (size_t i = 0; i < self->job.count && !held; i++)
        held = self->query[i].found && sha256_equal(&self->query[i].leaf_hash, &wanted.leaf_hash);
    if (held) {
        end_item(self, DONE, false);
        go_on(self);
        return;
    }
    own_record_late(self->node, leaf, recorded, self);
}

// --- what is there already ----------------------------------------------------------------------

static bool is_alike(const struct late_leaf *a, const struct late_leaf *b)
{
    return strcmp(a->peer, b->peer) == 0 &&
           a->receipt.time_ms / SET_HOUR_MS == b->receipt.time_ms / SET_HOUR_MS;
}

static void fail_batch(struct late_receipts *self, fault f)
{
    EVENT(WARN, "reconcile.not_taken_in", E_NUMBER("leaves", self->batch - self->at), E_FAULT(f));
    while (self->at < self->batch)
        end_item(self, f, false);
    go_on(self);
}

static void looked_up(struct set_job *job)
{
    struct late_receipts *self = job->owner;
    if (job->fault == LOG_BROKEN)
        sets_reach_begin_anew(self->node);
    if (job->fault != OK)
        fail_batch(self, RAISE(job->fault, "%s", job->detail));
    else
        record(self);
}

/* Few enough that each can be looked for one by one. */
static void look_up(struct late_receipts *self)
{
    assert(self->at < self->batch);
    const struct late_leaf *first = self->queue[self->at].leaf;
    self->looked = 0;
    while (self->at + self->looked < self->batch && self->looked < RECONCILE_LEAVES_A_MESSAGE &&
           is_alike(first, self->queue[self->at + self->looked].leaf))
        self->looked++;
    self->query = owned_grow(self->query, RECONCILE_LEAVES_A_MESSAGE, sizeof *self->query);
    memset(self->query, 0, RECONCILE_LEAVES_A_MESSAGE * sizeof *self->query);
    for (size_t i = 0; i < self->looked; i++)
        self->query[i].leaf_hash = self->queue[self->at + i].leaf->receipt.leaf_hash;
    self->job = (struct set_job){.work = SET_FIND,
                                 .peer = first->peer,
                                 .queries = self->query,
                                 .count = self->looked,
                                 .done = looked_up,
                                 .owner = self};
    self->job.range.hour = first->receipt.time_ms / SET_HOUR_MS;
    fault f = set_reader_ask(self->node->sets, &self->job);
    if (failed(f))
        fail_batch(self, f);
}

// --- batches ------------------------------------------------------------------------------------

static void end_batch(struct late_receipts *self)
{
    if (self->recorded > 0)
        EVENT(INFO, "reconcile.taken_in", E_NUMBER("leaves", self->recorded));
    memmove(self->queue, self->queue + self->batch,
            (self->count - self->batch) * sizeof *self->queue);
    self->count -= self->batch;
    self->batch = self->at = self->looked = 0;
    map_clear(&self->now);
    self->now = (struct map){0};
    if (self->count > 0)
        loop_set_timer(self->node->loop, &self->timer, 0);
}

static void begin_batch(struct late_receipts *self)
{
    self->batch = self->count;
    self->need = self->node->head.size;
    self->began_ms = clock_steady_ms();
    self->recorded = 0;
}

static void go_on(struct late_receipts *self)
{
    if (self->at == self->batch)
        end_batch(self);
    else
        loop_set_timer(self->node->loop, &self->timer, 0);
}

static void on_timer(struct loop_timer *timer)
{
    struct late_receipts *self = timer->owner;
    if (self->batch == 0)
        begin_batch(self);
    if (self->node->draining)
        return;
    if (self->looked > 0)
        record(self);
    else if (sets_reach_entry(self->node, self->need))
        look_up(self);
    else if (clock_steady_ms() - self->began_ms > RECONCILE_WAIT_MS)
        fail_batch(self, RAISE(OVERLOADED, "the scribe has not sorted the log up to entry %llu",
                               (unsigned long long)self->need));
    else
        loop_set_timer(self->node->loop, &self->timer, LATE_LOOK_MS);
}

fault late_receipts_take(struct late_receipts *self, struct late_leaf **leaf, late_done *done,
                         void *owner)
{
    size_t size = (*leaf)->leaf->size;
    if (self->count == LATE_QUEUE_LEAVES || self->bytes + size > LATE_QUEUE_BYTES)
        return RAISE(OVERLOADED, "%zu leaves wait to be taken in", self->count);
    if (self->count == self->room) {
        self->room = self->room == 0 ? RECONCILE_LEAVES_A_MESSAGE : 2 * self->room;
        self->queue = owned_grow(self->queue, self->room, sizeof *self->queue);
    }
    self->queue[self->count++] = (struct item){TAKE(*leaf), done, owner};
    self->bytes += size;
    if (self->timer.fire == NULL)
        self->timer = (struct loop_timer){.fire = on_timer, .owner = self};
    if (self->batch == 0)
        loop_set_timer(self->node->loop, &self->timer, LATE_LOOK_MS);
    return DONE;
}
