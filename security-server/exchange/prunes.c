// SPDX-License-Identifier: MIT
#include "security-server/exchange/prunes.h"

#include "lib/base/clock.h"
#include "lib/base/event.h"
#include "lib/base/map.h"
#include "lib/base/text.h"
#include "security-server/exchange/anchor.h"
#include "security-server/exchange/audit_actor.h"

#include <inttypes.h>
#include <stdlib.h>

struct prunes {
    struct node *node;
    struct map recorded; /* order id -> place + 1 of its record */
    uint64_t before;     /* of the newest act in this epoch */
    uint64_t act;

    /* the act under way */
    bool busy;
    uint8_t id[EXCHANGE_ID_BYTES];
    char ground[ORDER_WORDS_BYTES_MAX + 1], officer[ORDER_WORDS_BYTES_MAX + 1];
    struct audit_pruning work;
    struct erasure_end end;
    struct audit_job job;
    erasure_done *done;
    void *owner;
};

struct prunes *prunes_new(struct node *node)
{
    struct prunes *self = owned_new(sizeof *self);
    self->node = node;
    return self;
}

void prunes_free(struct prunes **self)
{
    if (*self == NULL)
        return;
    map_clear(&(*self)->recorded);
    free(*self);
    *self = NULL;
}

static void remember(struct prunes *self, const uint8_t id[EXCHANGE_ID_BYTES], uint64_t place)
{
    map_set(&self->recorded, span_of(id, EXCHANGE_ID_BYTES), (void *)(uintptr_t)(place + 1));
}

void prunes_note(struct prunes *self, uint64_t place, const struct header *header)
{
    if (!span_is_text(header->sender_server, self->node->config->server))
        return;
    remember(self, header->exchange_id, place);
    if (audit_place_epoch(place) == self->node->log_epoch &&
        header->pruned->before > self->before) {
        self->before = header->pruned->before;
        self->act = audit_place_index(place);
    }
}

void prunes_finish(struct prunes *self, struct audit_log *log)
{
    struct audit_pruning work = {.before = self->before, .act = self->act};
    uint64_t first = audit_log_first(log);
    fault f;
    if (self->before == 0)
        return;
    do
        f = audit_log_prune(log, &work);
    while (!failed(f) && work.more);
    if (failed(f))
        EVENT(WARN, "audit.prune_not_finished", E_FAULT(f));
    else if (first < self->before)
        EVENT(INFO, "audit.prune_finished", E_NUMBER("before", self->before));
}

// --- one act ------------------------------------------------------------------------------------

static void end_act(struct prunes *self, fault f)
{
    erasure_done *done = self->done;
    struct erasure_end end = self->end;
    if (failed(f))
        EVENT(f.code == NOT_FOUND ? INFO : WARN, "audit.prune_failed", E_FAULT(f));
    else
        EVENT(INFO, "audit.pruned", E_NUMBER("record", end.record),
              E_NUMBER("before", self->work.before));
    self->busy = false;
    done(self->owner, f, &end);
}

static void ask(struct prunes *self, enum audit_work work, void (*done)(struct audit_job *job))
{
    self->job =
        (struct audit_job){.work = work, .pruning = &self->work, .done = done, .owner = self};
    fault f = audit_actor_ask(self->node->audit, &self->job);
    if (failed(f))
        end_act(self, f);
}

static fault fault_of(const struct audit_job *job)
{
    return job->fault == OK ? DONE : RAISE(job->fault, "%s", job->detail);
}

static void carried_out(struct audit_job *job)
{
    struct prunes *self = job->owner;
    fault f = fault_of(job);
    if (!failed(f) && self->work.more)
        ask(self, AUDIT_PRUNE, carried_out);
    else
        end_act(self, f);
}

static void recorded(void *owner, fault f, uint64_t index)
{
    struct prunes *self = owner;
    if (failed(f)) {
        end_act(self, f);
        return;
    }
    self->end.record = self->work.act = index;
    self->end.place = audit_place(self->node->log_epoch, index);
    remember(self, self->id, self->end.place);
    ask(self, AUDIT_PRUNE, carried_out);
}

/* What nobody has confirmed yet must stay where everybody can look at it. */
static fault check_confirmed(const struct prunes *self)
{
    const struct directory_server *own = node_self(self->node);
    uint64_t confirmed = anchor_confirmed_size(self->node->anchor);
    if (own == NULL || own->quorum == 0 || confirmed >= self->work.before)
        return DONE;
    return RAISE(REFUSED,
                 "witnesses have confirmed %" PRIu64 " entries, and %" PRIu64
                 " would go: try again later",
                 confirmed, self->work.before);
}

static void planned(struct audit_job *job)
{
    struct prunes *self = job->owner;
    fault f = fault_of(job);
    if (!failed(f) && self->work.more) {
        ask(self, AUDIT_PLAN_PRUNE, planned);
        return;
    }
    if (!failed(f))
        f = check_confirmed(self);
    if (failed(f)) {
        end_act(self, f);
        return;
    }
    const struct header_pruned what = {self->work.before, self->work.root};
    self->end.erased = self->work.before;
    own_record_prune(self->node, self->id, &what, self->ground, self->officer, recorded, self);
}

bool prunes_busy(const struct prunes *self)
{
    return self->busy;
}

void prunes_do(struct prunes *self, const struct prune_act *act, erasure_done *done, void *owner)
{
    uintptr_t before = (uintptr_t)map_get(&self->recorded, span_of(act->id, EXCHANGE_ID_BYTES));
    if (self->busy) {
        done(owner, RAISE(REFUSED, "another prune is under way"), &(struct erasure_end){0});
        return;
    }
    self->busy = true;
    self->done = done;
    self->owner = owner;
    self->end = (struct erasure_end){0};
    memcpy(self->id, act->id, sizeof self->id);
    text_format(self->ground, sizeof self->ground, "%s", act->ground);
    text_format(self->officer, sizeof self->officer, "%s", act->officer);
    self->work = (struct audit_pruning){.before = act->before,
                                        .oldest_ms = clock_wall_ms() - LOG_PRUNE_YOUNGEST_MS};
    if (before == 0) {
        ask(self, AUDIT_PLAN_PRUNE, planned);
        return;
    }
    /* recorded before a crash; the start has carried it out */
    self->end.record = audit_place_index(before - 1);
    self->end.place = before - 1;
    end_act(self, DONE);
}
