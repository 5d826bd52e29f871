// SPDX-License-Identifier: MIT
#include "security-server/exchange/late_receipts.h"

#include "lib/base/clock.h"
#include "lib/base/event.h"
#include "lib/base/map.h"
#include "lib/crypto/merkle.h"
#include "security-server/exchange/audit_actor.h"
#include "security-server/exchange/late_share.h"
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
    struct late_share *share;
    struct item *queue; /* the first `batch` of them are being taken in */
    size_t count, room, batch;
    size_t at; /* of the batch: before it all are done */
    size_t bytes;
    int64_t began_ms; /* the batch */
    uint64_t recorded;
    struct loop_timer timer;
    /* of the items from `at` on that are of one peer and hour: which are there already? */
    struct set_job job;
    struct set_query *query;
    size_t looked; /* items, from `at` on, that the query was about */
    /* the log is watched: what it held when that began, the sets tell; what came since, `seen` */
    bool watching;
    int64_t watched_ms; /* when it began */
    uint64_t asked;     /* appended then, or on their way there */
    bool settled;       /* these are in the log, and `need` is known */
    uint64_t need;      /* entries that must be sorted */
    struct map seen;    /* leaf hashes: appended since, or recorded late */
};

struct late_receipts *late_receipts_new(struct node *node)
{
    struct late_receipts *self = owned_new(sizeof *self);
    self->node = node;
    self->share = late_share_new(node);
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
    late_share_free(&(*self)->share);
    map_clear(&(*self)->seen);
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
    late_share_leave(self->share, item.leaf, !failed(f) && new);
    if (item.done != NULL)
        item.done(item.owner, f, &item.leaf->receipt.leaf_hash, new);
    late_leaf_free(&item.leaf);
}

static void recorded(void *owner, fault f, uint64_t index)
{
    struct late_receipts *self = owner;
    const struct late_leaf *leaf = self->queue[self->at].leaf;
    if (!failed(f)) {
        map_set(&self->seen, sha256_span(&leaf->receipt.leaf_hash), self);
        EVENT(DEBUG, "reconcile.leaf_taken_in", E_TEXT("peer", leaf->peer),
              E_NUMBER("record", index));
    }
    end_item(self, f, true);
    go_on(self);
}

/* What was appended since is known no more when too much was. */
static fault check_seen(const struct late_receipts *self)
{
    if (self->seen.count > LATE_SEEN_MAX)
        return RAISE(OVERLOADED, "more than %d records were appended meanwhile", LATE_SEEN_MAX);
    return DONE;
}

/* In the set of its hour? Then it says there what it says here, or the log lies, or its set. */
static fault find(const struct late_receipts *self, const struct late_receipt *receipt, bool *held)
{
    *held = map_get(&self->seen, sha256_span(&receipt->leaf_hash)) != NULL;
    for (size_t i = 0; i < self->job.count; i++) {
        const struct set_entry *entry = &self->query[i].entry;
        if (!self->query[i].found || !sha256_equal(&self->query[i].leaf_hash, &receipt->leaf_hash))
            continue;
        *held = true;
        if (entry->kind != receipt->kind || entry->own != receipt->own ||
            entry->time_ms != receipt->time_ms)
            return RAISE(INCONSISTENT, "this log holds the leaf, and says otherwise of it");
    }
    if (!*held)
        return check_seen(self);
    return DONE;
}

static void record(struct late_receipts *self)
{
    assert(self->at < self->batch);
    const struct late_leaf *leaf = self->queue[self->at].leaf;
    bool held = false;
    fault f = find(self, &leaf->receipt, &held);
    if (f.code == INCONSISTENT && event_rate_allows(&self->node->refused_leaves))
        EVENT(ERROR, "reconcile.leaf_contradicted", E_TEXT("peer", leaf->peer), E_FAULT(f));
    if (!failed(f) && !held)
        f = late_share_check_hour(self->share, leaf);
    if (!failed(f) && !held) {
        own_record_late(self->node, leaf, recorded, self);
        return;
    }
    end_item(self, f, false);
    go_on(self);
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

static bool is_sorted(struct late_receipts *self)
{
    if (!self->settled && audit_actor_done(self->node->audit) >= self->asked) {
        self->need = self->node->head.size;
        self->settled = true;
    }
    return self->settled && sets_reach_entry(self->node, self->need);
}

static void looked_up(struct set_job *job)
{
    struct late_receipts *self = job->owner;
    if (job->fault == LOG_BROKEN)
        sets_reach_begin_anew(self->node);
    if (job->fault != OK) { /* of this hour alone */
        EVENT(WARN, "reconcile.not_taken_in", E_NUMBER("leaves", self->looked),
              E_FAULT(RAISE(job->fault, "%s", job->detail)));
        while (self->looked > 0)
            end_item(self, RAISE(job->fault, "%s", job->detail), false);
        go_on(self);
    } else if (is_sorted(self)) {
        late_share_note_hour(self->share, self->queue[self->at].leaf, job->lates);
        record(self);
    } else { /* the sets were begun anew meanwhile, and may have been empty */
        self->looked = 0;
        loop_set_timer(self->node->loop, &self->timer, LATE_LOOK_MS);
    }
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

static void note_appended(void *owner, struct span leaf)
{
    struct late_receipts *self = owner;
    struct sha256 hash = merkle_leaf_hash(leaf);
    if (self->seen.count <= LATE_SEEN_MAX)
        map_set(&self->seen, sha256_span(&hash), self);
}

static void end_watch(struct late_receipts *self)
{
    audit_actor_watch(self->node->audit, NULL, NULL);
    map_clear(&self->seen);
    self->seen = (struct map){0};
    late_share_forget_hours(self->share);
    self->watching = false;
}

/* From here on each leaf that is appended is seen: those that are on their way into the log now, by
 * the scribe; those that are asked for later, by note_appended(). */
static void begin_watch(struct late_receipts *self)
{
    end_watch(self);
    audit_actor_watch(self->node->audit, note_appended, self);
    self->asked = audit_actor_asked(self->node->audit);
    self->settled = false;
    self->watched_ms = clock_steady_ms();
    self->watching = true;
}

static bool is_watch_over(const struct late_receipts *self)
{
    return !self->watching || clock_steady_ms() - self->watched_ms >= LATE_WATCH_MS ||
           self->seen.count > LATE_SEEN_MAX / 2 || late_share_is_full(self->share);
}

static void begin_batch(struct late_receipts *self)
{
    if (is_watch_over(self))
        begin_watch(self);
    self->batch = self->count;
    self->began_ms = clock_steady_ms();
    self->recorded = 0;
}

/* The watch goes on for a while: whoever brought these brings more, and waits for none of it. */
static void end_batch(struct late_receipts *self)
{
    if (self->recorded > 0)
        EVENT(INFO, "reconcile.taken_in", E_NUMBER("leaves", self->recorded));
    memmove(self->queue, self->queue + self->batch,
            (self->count - self->batch) * sizeof *self->queue);
    self->count -= self->batch;
    self->batch = self->at = self->looked = 0;
    loop_set_timer(self->node->loop, &self->timer, self->count > 0 ? 0 : LATE_WATCH_MS);
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
    if (self->node->draining)
        return;
    if (self->count == 0) {
        end_watch(self);
        return;
    }
    if (self->batch == 0)
        begin_batch(self);
    fault f = check_seen(self);
    if (failed(f))
        fail_batch(self, f);
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

static fault may_enter(struct late_receipts *self, const struct late_leaf *leaf)
{
    int64_t grace_ms = self->node->config->reconcile_grace_ms;
    if (leaf->receipt.time_ms > clock_wall_ms() - grace_ms)
        return RAISE(OVERLOADED, "it is younger than %lld ms and may still come by itself",
                     (long long)grace_ms);
    if (self->count == LATE_QUEUE_LEAVES || self->bytes + leaf->leaf->size > LATE_QUEUE_BYTES)
        return RAISE(OVERLOADED, "%zu leaves wait to be taken in", self->count);
    return late_share_enter(self->share, leaf->peer);
}

/* Whoever brought it first does not wait for it any more. */
static struct item *waiting_alone(struct late_receipts *self, const struct sha256 *hash)
{
    for (size_t i = self->at; i < self->count; i++)
        if (self->queue[i].done == NULL &&
            sha256_equal(&self->queue[i].leaf->receipt.leaf_hash, hash))
            return &self->queue[i];
    return NULL;
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
    struct item *waits = waiting_alone(self, &(*leaf)->receipt.leaf_hash);
    if (waits != NULL) {
        waits->done = done;
        waits->owner = owner;
        late_leaf_free(leaf);
        return DONE;
    }
    TRY(may_enter(self, *leaf));
    if (self->count == self->room) {
        self->room = self->room == 0 ? RECONCILE_LEAVES_A_MESSAGE : 2 * self->room;
        self->queue = owned_grow(self->queue, self->room, sizeof *self->queue);
    }
    self->bytes += (*leaf)->leaf->size;
    self->queue[self->count++] = (struct item){TAKE(*leaf), done, owner};
    begin_waiting(self);
    return DONE;
}
