// SPDX-License-Identifier: MIT
#include "security-server/exchange/directory_proof.h"

#include "lib/base/clock.h"
#include "lib/base/event.h"
#include "lib/base/text.h"
#include "lib/bus/directory_prove.h"
#include "security-server/exchange/directory_feed.h"
#include "security-server/exchange/own_record.h"
#include "security-server/exchange/set_reader.h"

#include <inttypes.h>
#include <stdlib.h>
#include <unistd.h>

#define DETAIL_BYTES 900

/* What is to be told in our own log, and done once it stands there. */
enum telling {
    TELL_NOTHING,
    TELL_LIE, /* then the snapshot is set aside */
    TELL_BAD  /* then the process ends */
};

struct directory_proof {
    struct directory_proof_of of;
    bool open;           /* the mark is there */
    bool asked;          /* the job is under way */
    bool stale;          /* the copy was written anew meanwhile */
    bool absent;         /* something was missing in the copy after all */
    struct trust *trust; /* the other thread's */
    struct directory_prover *prover;
    struct set_job job;
    bool done;
    enum telling telling;
    bool recording;    /* the record is under way */
    bool told;         /* the record is durable */
    int64_t tell_ms;   /* steady: not before */
    int64_t rest_ms;   /* steady: the copy is damaged, or no proof begins; not tried before */
    uint64_t lied;     /* acts of the snapshot in question */
    int64_t opened_ms; /* steady: since then nothing is proved; moved on when it is said */
    int64_t said_ms;
    char detail[DETAIL_BYTES];
};

struct directory_proof *directory_proof_new(const struct directory_proof_of *of)
{
    struct directory_proof *self = owned_new(sizeof *self);
    self->of = *of;
    self->open = directory_is_marked(of->copy);
    self->opened_ms = clock_steady_ms();
    return self;
}

/* The thread of the sets has ended before: no job is under way any more. */
void directory_proof_free(struct directory_proof **self)
{
    if (*self == NULL)
        return;
    directory_prover_free(&(*self)->prover);
    trust_free(&(*self)->trust);
    free(*self);
    *self = NULL;
}

bool directory_proof_is_open(const struct directory_proof *self)
{
    return self->open;
}

fault directory_proof_open(struct directory_proof *self)
{
    TRY(directory_mark(self->of.copy));
    if (!self->open)
        self->opened_ms = clock_steady_ms();
    self->open = true;
    self->stale = self->asked;
    if (!self->asked)
        directory_prover_free(&self->prover);
    return DONE;
}

// --- what is found ------------------------------------------------------------------------------

/* A standing fault is said once in a while. */
static void say(struct directory_proof *self, enum fault_code code, const char *detail)
{
    int64_t now_ms = clock_steady_ms();
    if (self->said_ms != 0 && now_ms - self->said_ms < FOLLOW_SAY_MS)
        return;
    self->said_ms = now_ms;
    EVENT(WARN, "directory.not_proved", E_FAULT(RAISE(code, "%s", detail)),
          E_TEXT("remedy", "if it stays so, what lies in the folder directory/ beside the log is "
                           "damaged: stop, move followed/ and directory/tile/ away, and start"));
}

/* What is tried again finds the same until somebody has mended it. */
static void rest(struct directory_proof *self, enum fault_code code, const char *detail)
{
    say(self, code, detail);
    self->rest_ms = clock_steady_ms() + FOLLOW_SAY_MS;
}

/* What it began with is what the acts lead to; or it is, now. */
static void close_proof(struct directory_proof *self)
{
    uint64_t begun = directory_begun(self->of.node->directory);
    if (begun > 0 && !directory_prover_held(self->prover, begun))
        self->of.reload(self->of.owner);
    uint64_t size = directory_prover_at(self->prover);
    fault f = directory_unmark(self->of.copy);
    if (failed(f)) {
        say(self, f.code, fault_detail());
        return; /* at the next look again: `done` stays */
    }
    directory_proved(self->of.node->directory);
    directory_prover_free(&self->prover);
    trust_free(&self->trust);
    self->open = self->done = false;
    EVENT(INFO, "directory.snapshot_proved", E_NUMBER("size", (int64_t)size));
    owned_give_back();
}

static void found_lie(struct directory_proof *self)
{
    self->lied = directory_prover_at(self->prover);
    text_format(self->detail, sizeof self->detail,
                "the authority vouched for a snapshot of the directory that is not what its first "
                "%" PRIu64 " acts lead to; this node began with it, and goes by the acts since "
                "now. What it decided before may rest on it. It is kept as "
                "directory/snapshot/%" PRIu64 ".lied, and act %" PRIu64 " vouches for it",
                self->lied, self->lied, self->lied);
    EVENT(ERROR, "directory.snapshot_lied", E_NUMBER("size", (int64_t)self->lied),
          E_TEXT("fault", "the authority's: its keys of acts and log vouched for a state that no "
                          "act leads to"),
          E_TEXT("remedy", "tell the authority and the auditors: its machine is in other hands. "
                           "This node uses what the acts lead to; look at what it let through "
                           "since it was first started"));
    self->of.reload(self->of.owner);
    self->telling = TELL_LIE;
}

static void found_bad(struct directory_proof *self, const char *why)
{
    text_format(self->detail, sizeof self->detail,
                "the acts of the directory before the snapshot with which this node began do not "
                "hold: %.300s. Who signed them holds the authority's keys, and no operator "
                "approved; this node has no directory that it could go by",
                why);
    EVENT(ERROR, "directory.acts_do_not_hold", E_FAULT(RAISE(DIRECTORY_BAD, "%s", why)),
          E_TEXT("remedy", "tell the authority: its machine is in other hands. This node starts "
                           "again when it has set a new directory, with the anchor of that one"));
    self->telling = TELL_BAD;
    self->tell_ms = 0;
}

/* Nobody's lie, and nothing to go by: the acts are there. The others are compared as before. What
 * the state in use did not begin with costs no reload. */
static void found_unreadable(struct directory_proof *self, const char *why)
{
    uint64_t begun = directory_begun(self->of.node->directory);
    EVENT(WARN, "directory.snapshot_unreadable",
          E_NUMBER("size", (int64_t)directory_prover_at(self->prover)),
          E_FAULT(RAISE(BAD_FRAME, "%s", why)));
    if (begun > 0 && begun == directory_prover_at(self->prover))
        self->of.reload(self->of.owner);
}

static void judge(struct directory_proof *self, enum fault_code code)
{
    char why[sizeof self->job.detail];
    text_format(why, sizeof why, "%s", self->job.detail);
    if (code == INCONSISTENT)
        found_lie(self);
    else if (code == BAD_FRAME)
        found_unreadable(self, why);
    else if (code == DIRECTORY_BAD)
        found_bad(self, why);
    else {
        self->absent = code == NOT_FOUND;
        if (!self->absent)
            rest(self, code, why);
        directory_prover_free(&self->prover);
    }
}

// --- the work -----------------------------------------------------------------------------------

/* On the thread of the sets. */
static fault step(void *owner)
{
    struct directory_proof *self = owner;
    for (int i = 0; i < DIRECTORY_PROVE_STEPS && !self->done; i++)
        TRY(directory_prover_step(self->prover, &self->done));
    return DONE;
}

static void on_step(struct set_job *job)
{
    struct directory_proof *self = job->owner;
    bool stale = self->stale;
    self->asked = self->stale = false;
    if (job->fault == OK && !stale)
        return;
    self->done = false;
    if (stale)
        directory_prover_free(&self->prover);
    else
        judge(self, job->fault);
}

static fault begin(struct directory_proof *self, uint64_t size)
{
    self->done = false;
    if (self->trust == NULL)
        TRY(self->of.trust(self->of.owner, &self->trust));
    return directory_prover_new(&(struct directory_prove){.folder = self->of.copy,
                                                          .size = size,
                                                          .trust = self->trust,
                                                          .to_the_end = true,
                                                          .vouched_only = true},
                                &self->prover);
}

static void ask(struct directory_proof *self, uint64_t size)
{
    fault f = self->prover == NULL ? begin(self, size) : DONE;
    if (failed(f)) {
        rest(self, f.code, fault_detail());
        return;
    }
    self->job = (struct set_job){.work = SET_CALL, .call = step, .done = on_step, .owner = self};
    self->asked = !failed(set_reader_ask(self->of.node->sets, &self->job)); /* else next time */
}

// --- telling ------------------------------------------------------------------------------------

static void give_up(const struct directory_proof *self)
{
    EVENT(ERROR, "directory.lost", E_FAULT(RAISE(DIRECTORY_BAD, "%.300s", self->detail)));
    _exit(1);
}

/* What stands in the log is not told twice, whatever the disk says. */
static void end_lie(struct directory_proof *self)
{
    fault f = directory_snapshot_aside(self->of.copy, self->lied);
    if (failed(f)) {
        say(self, f.code, fault_detail());
        self->tell_ms = clock_steady_ms() + FOLLOW_SAY_MS;
        return;
    }
    self->telling = TELL_NOTHING;
    self->told = false;
    directory_prover_free(&self->prover); /* and the others, from the first act on */
}

static void on_told(struct node *node, fault f)
{
    struct directory_proof *self = directory_feed_proof(node->feed);
    self->recording = false;
    if (self->telling == TELL_BAD)
        give_up(self);
    if (failed(f)) {
        self->tell_ms = clock_steady_ms() + FOLLOW_SAY_MS;
        return;
    }
    self->told = true;
    end_lie(self);
}

/* Once the log can be written to. What cannot be used is used no longer than a look, told or not.
 */
static void tell(struct directory_proof *self)
{
    if (self->telling == TELL_BAD && (self->recording || self->of.node->peer_check == NULL))
        give_up(self);
    if (self->recording || self->of.node->peer_check == NULL || clock_steady_ms() < self->tell_ms)
        return;
    if (self->told) {
        end_lie(self);
        return;
    }
    self->recording = true;
    own_record_keep(self->of.node, HEADER_INCIDENT, self->detail, on_told);
}

static void remind(struct directory_proof *self)
{
    int64_t now_ms = clock_steady_ms();
    if (now_ms - self->opened_ms < DIRECTORY_PROVE_SAY_MS)
        return;
    self->opened_ms = now_ms;
    EVENT(WARN, "directory.not_folded",
          E_NUMBER("begun", (int64_t)directory_begun(self->of.node->directory)),
          E_TEXT("remedy", "this node goes by a snapshot, and the acts before it are still "
                           "missing: nobody here can tell whether it is what they lead to. Name an "
                           "address in the anchor that has all acts; if none has, ask the "
                           "authority why"));
}

bool directory_proof_look(struct directory_proof *self, uint64_t size, bool whole)
{
    if (self->telling != TELL_NOTHING) {
        tell(self);
        return true;
    }
    if (!self->open || self->asked || self->of.node->sets == NULL)
        return true;
    remind(self);
    bool absent = self->absent;
    self->absent = false;
    if (absent || !whole)
        return false;
    if (self->prover != NULL && self->done)
        close_proof(self);
    else if (clock_steady_ms() >= self->rest_ms)
        ask(self, size);
    return true;
}
