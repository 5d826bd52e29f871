// SPDX-License-Identifier: MIT
/* Payloads that are missing: which record of the log answers for each? */
#include "tools/audit/verify.h"

#include <inttypes.h>
#include <stdlib.h>

/* Acts that are looked at, for each entry on the whole. Those of an honest node speak of one entry,
 * of one day, or of a service that ended: at most a few hundred speak of the same entry. */
#define ACTS_AN_ENTRY 256
#define ACTS_MORE 1000000

// --- acts, in the order of the entries ----------------------------------------------------------

/* The acts that speak of an epoch's entries. As the entries are passed in order, those whose range
 * has begun and not ended are at hand. */
struct sweep {
    const struct log *log;
    struct erased_act **act; /* by the first entry that they name */
    size_t count, begun;
    struct erased_act **open;
    size_t opened;
    uint64_t left; /* acts that may still be looked at */
};

static const struct erasure *what_of(const struct erased_act *act)
{
    return header_of(act->header)->erasure;
}

static int by_first(const void *a, const void *b)
{
    uint64_t x = what_of(*(struct erased_act *const *)a)->first;
    uint64_t y = what_of(*(struct erased_act *const *)b)->first;
    return x < y ? -1 : x > y;
}

static void add_acts(struct sweep *self, const struct log *from, unsigned epoch)
{
    self->act = owned_grow(self->act, self->count + from->acts, sizeof(struct erased_act *));
    for (size_t i = 0; i < from->acts; i++)
        if (what_of(&from->act[i])->epoch == epoch)
            self->act[self->count++] = &from->act[i];
}

/* Of the log itself, and of later epochs that name this one. */
static struct sweep sweep_over(const struct log *log)
{
    struct sweep self = {.log = log, .left = ACTS_MORE + log->count * ACTS_AN_ENTRY};
    add_acts(&self, log, 0);
    for (const struct log *at = log->later; at != NULL; at = at->later)
        add_acts(&self, at, log->view->epoch);
    if (self.count > 1)
        qsort(self.act, self.count, sizeof(struct erased_act *), by_first);
    self.open = owned_array(self.count, sizeof(struct erased_act *));
    return self;
}

static void sweep_clear(struct sweep *self)
{
    free(self->act);
    free(self->open);
}

/* An act of this log speaks of what stands before it. */
static bool answers_for(const struct sweep *self, const struct erased_act *act,
                        const struct kept *kept)
{
    bool own = act >= self->log->act && act < self->log->act + self->log->acts;
    return (!own || act->index > kept->index) &&
           erasure_covers(what_of(act), kept->index, kept->kind, span_of_text(kept->service));
}

/* The one that was written first, in the first epoch that has one. */
static bool is_before(const struct sweep *self, const struct erased_act *a,
                      const struct erased_act *b)
{
    if (b == NULL)
        return true;
    for (const struct log *at = self->log; at != NULL; at = at->later) {
        bool has_a = a >= at->act && a < at->act + at->acts;
        bool has_b = b >= at->act && b < at->act + at->acts;
        if (has_a || has_b)
            return has_a && (!has_b || a->index < b->index);
    }
    return false;
}

/* Which record says that the payload of this entry was erased? Entries are asked about in order.
 * False: there are so many acts about the same entries that it is given up. */
static bool erasure_of(struct sweep *self, const struct kept *kept, struct erased_act **out)
{
    size_t open = 0;
    *out = NULL;
    while (self->begun < self->count && what_of(self->act[self->begun])->first <= kept->index)
        self->open[self->opened++] = self->act[self->begun++];
    if (self->opened > self->left)
        return false;
    self->left -= self->opened;
    for (size_t i = 0; i < self->opened; i++) {
        struct erased_act *act = self->open[i];
        if (what_of(act)->last < kept->index)
            continue;
        self->open[open++] = act;
        if (answers_for(self, act, kept) && is_before(self, act, *out))
            *out = act;
    }
    self->opened = open;
    return true;
}

// --- payloads that are missing ------------------------------------------------------------------

/* What was kept then was said in a record that was pruned. */
static bool is_before_a_start(struct log *log, uint64_t index)
{
    return log->first > 0 && index < log->first_started;
}

static void check_removed(struct verify *self, struct log *log, uint64_t index)
{
    static const char removed[] =
        "The content was removed and nobody answers for it; the signed header still stands.";
    const struct kept *kept = &log->entry[index];
    if (kept->payload == FOUND_ERASED)
        FIND(self, log, index, "payload", removed,
             "its payload is marked as erased, and no record of the log says so");
    else if (kept->payload != FOUND_HELD && kept->payload != FOUND_SEALED &&
             is_before_a_start(log, index))
        log->unsaid++;
    else if (kept->payload == FOUND_NONE && kept->mode != KEEP_OFF)
        FIND(self, log, index, "payload", removed, "no payload is held for it");
    else if (kept->payload == FOUND_SALT && kept->mode != KEEP_METADATA)
        FIND(self, log, index, "payload", removed,
             "only its salt is held, and no record of the log says that no more is kept");
}

/* A node that dies between the record and the erasure does the rest at its next start. */
static void remark_held(struct verify *self, struct log *log)
{
    for (size_t i = 0; i < log->acts; i++)
        if (log->act[i].held > 0)
            REMARK(
                self, log,
                "%" PRIu64 " payload%s that entry %" PRIu64
                " says erased %s still held: it was under way when the copy was made, or was not "
                "carried out",
                log->act[i].held, log->act[i].held == 1 ? "" : "s", log->act[i].index,
                log->act[i].held == 1 ? "is" : "are");
}

static void check_entry(struct verify *self, struct log *log, const struct kept *kept,
                        struct erased_act *act)
{
    if (act == NULL)
        check_removed(self, log, kept->index);
    else if (kept->payload == FOUND_ERASED || kept->payload == FOUND_NONE)
        act->payloads++;
    else if (kept->payload != FOUND_DAMAGED)
        act->held++;
}

void verify_missing(struct verify *self, struct log *log)
{
    struct sweep sweep = sweep_over(log);
    for (uint64_t i = log->first; i < log->count; i++) {
        struct erased_act *act = NULL;
        if (log->entry[i].kind == 0)
            continue;
        if (!erasure_of(&sweep, &log->entry[i], &act)) {
            FIND(self, log, i, "payload",
                 "No node writes that: somebody made acts up, to hide what is missing or to keep "
                 "the auditor busy.",
                 "so many records of erasure speak of the same entries that from this one on it "
                 "was not checked whose payloads are missing");
            break;
        }
        check_entry(self, log, &log->entry[i], act);
    }
    sweep_clear(&sweep);
    remark_held(self, log);
    if (log->unsaid > 0)
        REMARK(self, log,
               "%" PRIu64 " payload%s not held: what was kept then was said in a record that was "
               "pruned",
               log->unsaid, log->unsaid == 1 ? " is" : "s are");
}
