// SPDX-License-Identifier: MIT
#include "security-server/exchange/late_receipts.h"

#include "lib/base/clock.h"
#include "lib/base/event.h"
#include "lib/base/map.h"
#include "lib/crypto/merkle.h"
#include "security-server/exchange/audit_actor.h"
#include "security-server/exchange/own_record.h"
#include "security-server/exchange/set_reader.h"
#include "security-server/exchange/sets_reach.h"

#include <assert.h>
#include <stdlib.h>

struct sender {
    size_t waiting; /* items of this peer */
};

struct item {
    struct late_leaf *leaf;
    struct sender *sender;
    late_done *done;
    void *owner;
};

struct late_receipts {
    struct node *node;
    struct item *queue; /* the first `batch` of them are being taken in */
    size_t count, room, batch;
    size_t at; /* of the batch: before it all are done */
    size_t bytes;
    struct map senders; /* by peer */
    struct map waiting; /* leaf hashes of the queue */
    uint64_t asked;     /* appended when the batch began, or on their way there */
    bool settled;       /* these are in the log, and `need` is known */
    uint64_t need;      /* entries that must be sorted first */
    int64_t began_ms;
    uint64_t recorded;
    struct loop_timer timer;
    /* of the items from `at` on that are of one peer and hour: which are there already? */
    struct set_job job;
    struct set_query *query;
    size_t looked;  /* items, from `at` on, that the query was about */
    struct map now; /* leaf hashes: recorded by this batch, or appended since it began */
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
    size_t step = 0;
    for (struct sender *one; (one = map_next(&(*self)->senders, &step, NULL)) != NULL;)
        free(one);
    map_clear(&(*self)->senders);
    map_clear(&(*self)->waiting);
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
    item.sender->waiting--;
    map_remove(&self->waiting, sha256_span(&item.leaf->receipt.leaf_hash));
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
    audit_actor_watch(self->node->audit, NULL, NULL);
    if (self->count > 0)
        loop_set_timer(self->node->loop, &self->timer, 0);
}

static void note_appended(void *owner, struct span leaf)
{
    struct late_receipts *self = owner;
    struct sha256 hash = merkle_leaf_hash(leaf);
    if (self->now.count <= LATE_SEEN_MAX)
        map_set(&self->now, sha256_span(&hash), self);
}

/* From here on each leaf that is appended is seen: those that are on their way into the log now, by
 * the scribe; those that are asked for later, by note_appended(). */
static void begin_batch(struct late_receipts *self)
{
    audit_actor_watch(self->node->audit, note_appended, self);
    self->batch = self->count;
    self->asked = audit_actor_asked(self->node->audit);
    self->settled = false;
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

static bool is_sorted(struct late_receipts *self)
{
    if (!self->settled && audit_actor_done(self->node->audit) >= self->asked) {
        self->need = self->node->head.size;
        self->settled = true;
    }
    return self->settled && sets_reach_entry(self->node, self->need);
}

static void on_timer(struct loop_timer *timer)
{
    struct late_receipts *self = timer->owner;
    if (self->node->draining)
        return;
    if (self->batch == 0)
        begin_batch(self);
    if (self->now.count > LATE_SEEN_MAX)
        fail_batch(
            self, RAISE(OVERLOADED, "more than %d records were appended meanwhile", LATE_SEEN_MAX));
    else if (self->looked > 0)
        record(self);
    else if (is_sorted(self))
        look_up(self);
    else if (clock_steady_ms() - self->began_ms > RECONCILE_WAIT_MS)
        fail_batch(self, RAISE(OVERLOADED, "the scribe has not sorted the log up to entry %llu",
                               (unsigned long long)self->need));
    else
        loop_set_timer(self->node->loop, &self->timer, LATE_LOOK_MS);
}

// --- the door -----------------------------------------------------------------------------------

static struct sender *sender_of(struct late_receipts *self, const char *peer)
{
    struct sender *sender = map_get(&self->senders, span_of_text(peer));
    if (sender != NULL)
        return sender;
    sender = owned_new(sizeof *sender);
    map_set(&self->senders, span_of_text(peer), sender);
    return sender;
}

static fault may_enter(const struct late_receipts *self, const struct sender *sender,
                       const struct late_leaf *leaf)
{
    int64_t grace_ms = self->node->config->reconcile_grace_ms;
    if (leaf->receipt.time_ms > clock_wall_ms() - grace_ms)
        return RAISE(OVERLOADED, "it is younger than %lld ms and may still come by itself",
                     (long long)grace_ms);
    if (sender->waiting >= LATE_QUEUE_LEAVES_A_PEER)
        return RAISE(OVERLOADED, "%zu leaves of %s wait to be taken in", sender->waiting,
                     leaf->peer);
    if (self->count == LATE_QUEUE_LEAVES || self->bytes + leaf->leaf->size > LATE_QUEUE_BYTES)
        return RAISE(OVERLOADED, "%zu leaves wait to be taken in", self->count);
    return DONE;
}

/* The clock of the first one that waits is not set again: a peer that sends one after the other
 * would keep all of them from being taken in. */
static void begin_waiting(struct late_receipts *self)
{
    if (self->timer.fire == NULL)
        self->timer = (struct loop_timer){.fire = on_timer, .owner = self};
    if (self->batch == 0 && self->count == 1)
        loop_set_timer(self->node->loop, &self->timer, LATE_LOOK_MS);
}

fault late_receipts_take(struct late_receipts *self, struct late_leaf **leaf, late_done *done,
                         void *owner)
{
    struct span hash = sha256_span(&(*leaf)->receipt.leaf_hash);
    if (done == NULL && map_get(&self->waiting, hash) != NULL)
        return DONE;
    struct sender *sender = sender_of(self, (*leaf)->peer);
    TRY(may_enter(self, sender, *leaf));
    if (self->count == self->room) {
        self->room = self->room == 0 ? RECONCILE_LEAVES_A_MESSAGE : 2 * self->room;
        self->queue = owned_grow(self->queue, self->room, sizeof *self->queue);
    }
    map_set(&self->waiting, hash, self);
    sender->waiting++;
    self->bytes += (*leaf)->leaf->size;
    self->queue[self->count++] = (struct item){TAKE(*leaf), sender, done, owner};
    begin_waiting(self);
    return DONE;
}
