// SPDX-License-Identifier: MIT
#include "security-server/exchange/outages.h"

#include "lib/base/clock.h"
#include "lib/base/map.h"
#include "lib/bus/outage_rule.h"
#include "lib/bus/pseudonym.h"
#include "security-server/exchange/exchange.h"
#include "security-server/exchange/node.h"

#include <stdlib.h>

/* What a source answered in a case: names as hashes, so that one costs little. */
struct answer {
    struct sha256 about, requirement;
    int64_t at_ms;
    unsigned status;
    struct outcome_place place;
};

struct outages {
    struct map failing;       /* by source: struct outage */
    struct map failing_about; /* by source and subject */
    struct answer *answer;
    size_t answers, next; /* the place of the next one */
};

struct outages *outages_new(void)
{
    struct outages *self = owned_new(sizeof *self);
    self->answer = owned_array(OUTCOMES_HELD_MAX, sizeof *self->answer);
    return self;
}

static void forget_all(struct map *failing)
{
    size_t step = 0;
    for (void *at; (at = map_next(failing, &step, NULL)) != NULL;)
        free(at);
    map_clear(failing);
}

void outages_free(struct outages **self)
{
    if (*self == NULL)
        return;
    forget_all(&(*self)->failing);
    forget_all(&(*self)->failing_about);
    free((*self)->answer);
    free(*self);
    *self = NULL;
}

/* A pseudonym has one length. */
static struct sha256 person(struct span source, struct span subject)
{
    return SHA256_OF(subject, source);
}

static struct sha256 about(struct span source, struct span subject, struct span case_ref)
{
    return SHA256_OF(subject, source, span_of("\n", 1), case_ref);
}

static bool is_young(int64_t then_ms, int64_t at_ms)
{
    return at_ms - then_ms <= OUTAGE_WINDOW_MS;
}

// --- what happened ------------------------------------------------------------------------------

struct outcome {
    struct span source, case_ref, requirement, subject;
    enum fault_code fault;
    unsigned status;
    int64_t at_ms, waited_ms;
    struct outcome_place place;
};

/* The one that failed longest ago makes room. */
static void forget_one(struct map *failing)
{
    const struct outage *oldest = NULL;
    struct span which = {0}, source;
    size_t step = 0;
    for (const struct outage *at; (at = map_next(failing, &step, &source)) != NULL;)
        if (oldest == NULL || at->newest_ms < oldest->newest_ms) {
            oldest = at;
            which = source;
        }
    if (oldest != NULL)
        free(map_remove(failing, which));
}

static struct outage *outage_of(struct map *failing, struct span which)
{
    struct outage *outage = map_get(failing, which);
    if (outage != NULL)
        return outage;
    if (failing->count >= OUTAGES_MAX)
        forget_one(failing);
    outage = owned_new(sizeof *outage);
    map_set(failing, which, outage);
    return outage;
}

static void failed_once(struct outage *outage, const struct outcome *what)
{
    if (!is_young(outage->newest_ms, what->at_ms))
        outage->failures = 0; /* nobody knows what was in between */
    if (outage->failures == 0)
        outage->since_ms = what->at_ms;
    outage->newest_ms = what->at_ms;
    outage->newest = what->place;
    if (outage->failures > 0 && what->at_ms - outage->counted_ms < OUTAGE_SPACING_MS)
        return;
    outage->counted_ms = what->at_ms;
    outage->failures++;
}

/* Of nobody, or in no case, it bears nothing out. */
static void failed_about_one(struct outages *self, const struct outcome *what)
{
    if (what->case_ref.size == 0 || what->subject.size != PSEUDONYM_BYTES)
        return;
    struct sha256 who = person(what->source, what->subject), case_ref = SHA256_OF(what->case_ref);
    struct outage *outage = outage_of(&self->failing_about, sha256_span(&who));
    if (!sha256_equal(&outage->case_ref, &case_ref))
        *outage = (struct outage){.case_ref = case_ref};
    failed_once(outage, what);
}

static void answered(struct outages *self, const struct outcome *what)
{
    if (self->failing.count > 0)
        free(map_remove(&self->failing, what->source));
    if (what->subject.size != PSEUDONYM_BYTES)
        return;
    struct sha256 who = person(what->source, what->subject);
    if (self->failing_about.count > 0)
        free(map_remove(&self->failing_about, sha256_span(&who)));
    if (what->case_ref.size == 0)
        return;
    self->answer[self->next] =
        (struct answer){about(what->source, what->subject, what->case_ref),
                        SHA256_OF(what->requirement), what->at_ms, what->status, what->place};
    self->next = (self->next + 1) % OUTCOMES_HELD_MAX;
    if (self->answers < OUTCOMES_HELD_MAX)
        self->answers++;
}

/* Anything else says nothing about the source: a rule that refused, a token that was away. */
static void take(struct outages *self, const struct outcome *what)
{
    if (what->source.size == 0)
        return; /* no collection's: it may have asked for anything */
    if (outage_is_failure(what->fault, what->status, what->waited_ms)) {
        if (outage_is_of_one(what->fault))
            failed_about_one(self, what);
        else
            failed_once(outage_of(&self->failing, what->source), what);
    } else if (what->fault == OK) {
        answered(self, what);
    }
}

void outages_note(struct outages *self, const struct exchange *x)
{
    if (self == NULL || !x->answer.durable || x->request.read == NULL)
        return;
    const struct header *request = header_of(x->request.read);
    take(self, &(struct outcome){.source = request->source,
                                 .case_ref = request->case_ref,
                                 .requirement = request->requirement,
                                 .subject = request->subject,
                                 .fault = x->problem.fault,
                                 .status = header_of(x->answer.read)->status,
                                 .at_ms = clock_wall_ms(),
                                 .waited_ms = (clock_steady_us() - x->started_us) / 1000,
                                 .place = {audit_place(x->node->log_epoch, x->answer.index),
                                           x->answer.leaf_hash}});
}

void outages_recall(struct outages *self, const struct header *request,
                    const struct header *outcome, const struct outcome_place *place)
{
    take(self, &(struct outcome){.source = request->source,
                                 .case_ref = request->case_ref,
                                 .requirement = request->requirement,
                                 .subject = request->subject,
                                 .fault = (enum fault_code)outcome->fault,
                                 .status = outcome->status,
                                 .at_ms = outcome->time_ms,
                                 .waited_ms = outcome->time_ms - request->time_ms,
                                 .place = *place});
}

// --- what it bears out --------------------------------------------------------------------------

static bool is_down(const struct outage *outage, int64_t at_ms)
{
    return outage != NULL && outage->failures >= OUTAGE_ATTEMPTS &&
           is_young(outage->newest_ms, at_ms);
}

const struct outage *outages_of(const struct outages *self, const char *source, int64_t at_ms)
{
    const struct outage *outage = map_get(&self->failing, span_of_text(source));
    return is_down(outage, at_ms) ? outage : NULL;
}

const struct outage *outages_about(const struct outages *self,
                                   const struct outages_question *question, int64_t at_ms)
{
    struct sha256 who = person(span_of_text(question->source), question->subject);
    struct sha256 case_ref = SHA256_OF(span_of_text(question->case_ref));
    const struct outage *outage = map_get(&self->failing_about, sha256_span(&who));
    return is_down(outage, at_ms) && sha256_equal(&outage->case_ref, &case_ref) ? outage : NULL;
}

/* One that was fetched for several requirements names the first of them: it serves where nothing
 * was asked for this one. */
bool outages_answer(const struct outages *self, const struct outages_question *question,
                    int64_t at_ms, unsigned *status, struct outcome_place *out)
{
    struct sha256 wanted =
        about(span_of_text(question->source), question->subject, span_of_text(question->case_ref));
    struct sha256 requirement = SHA256_OF(span_of_text(question->requirement));
    const struct answer *newest = NULL;
    for (size_t i = 1; i <= self->answers; i++) {
        const struct answer *at =
            &self->answer[(self->next + OUTCOMES_HELD_MAX - i) % OUTCOMES_HELD_MAX];
        if (!sha256_equal(&at->about, &wanted))
            continue;
        bool exact = sha256_equal(&at->requirement, &requirement);
        if (newest == NULL || exact)
            newest = at;
        if (exact)
            break;
    }
    if (newest == NULL)
        return false;
    *status = newest->status;
    *out = newest->place;
    return is_young(newest->at_ms, at_ms);
}
