// SPDX-License-Identifier: MIT
/*
 * verify_permit - citizens were asked for what the state should have: does this log bear out why?
 *
 * A permit names a record of its log. From what collections asked and what came of it, in the order
 * of the log, it is judged again. A failure was seen between two moments of this server's own
 * clock: when it had signed the request, and when nobody waited any more. Nothing is found that
 * some moment between them would excuse.
 */
#include "tools/audit/verify.h"

#include "lib/bus/outage_rule.h"

#include <inttypes.h>
#include <stdlib.h>

#define RULE "permit"
#define SLACK_MS OUTAGE_PATIENCE_MS /* until what has come is in the log */
#define NOTHING SIZE_MAX

/* A source's own query, that a collection of this server sent. */
struct asked {
    const char *source, *service, *case_ref; /* interned: the same text is the same pointer */
    bool about_somebody;
    struct sha256 subject; /* about_somebody: of the pseudonym */
    int64_t time_ms, deadline_ms;
    size_t outcome; /* the first; NOTHING: none came */
};

struct outcome {
    size_t asked;
    uint64_t index;
    uint32_t fault, status;
    int64_t seen_ms;       /* at the latest */
    size_t before, behind; /* of the same source */
};

struct permit_act {
    uint64_t index, evidence_index;
    struct sha256 evidence;
    enum permit_reason reason;
    const char *service, *case_ref;
    int64_t time_ms;
};

struct permit_log {
    size_t questions, outcomes, permits;
    struct asked *asked;
    struct outcome *outcome;
    struct permit_act *permit;
    struct map by_exchange; /* -> asked + 1 */
    struct map newest;      /* source -> outcome + 1 */
};

// --- what stands in the log ---------------------------------------------------------------------

static struct permit_log *trail_of(struct log *log)
{
    if (log->permits == NULL)
        log->permits = owned_new(sizeof *log->permits);
    return log->permits;
}

static void note_asked(struct log *log, const struct header *header)
{
    struct permit_log *trail = trail_of(log);
    struct span id = span_of(header->exchange_id, EXCHANGE_ID_BYTES);
    if (map_get(&trail->by_exchange, id) != NULL)
        return; /* it stands twice: found elsewhere */
    trail->asked = owned_grow(trail->asked, trail->questions + 1, sizeof *trail->asked);
    trail->asked[trail->questions++] =
        (struct asked){.source = verify_intern(log, header->source),
                       .service = verify_intern(log, header->service),
                       .case_ref = verify_intern(log, header->case_ref),
                       .about_somebody = header->subject.size > 0,
                       .subject = SHA256_OF(header->subject),
                       .time_ms = header->time_ms,
                       .deadline_ms = header->deadline_ms,
                       .outcome = NOTHING};
    map_set(&trail->by_exchange, id, (void *)(uintptr_t)trail->questions);
}

static struct asked *asked_in(const struct permit_log *trail, const struct kept *kept)
{
    struct span id = span_of(kept->exchange_id, EXCHANGE_ID_BYTES);
    uintptr_t place = trail == NULL ? 0 : (uintptr_t)map_get(&trail->by_exchange, id);
    return place == 0 ? NULL : &trail->asked[place - 1];
}

static void note_outcome(struct log *log, const struct kept *kept)
{
    struct permit_log *trail = log->permits;
    struct asked *asked = asked_in(trail, kept);
    if (asked == NULL || asked->outcome != NOTHING)
        return;
    struct span source = span_of_text(asked->source);
    size_t before = (uintptr_t)map_get(&trail->newest, source);
    int64_t seen_ms = kept_is_own(log, kept) && kept->time_ms > asked->deadline_ms
                          ? kept->time_ms
                          : asked->deadline_ms;
    trail->outcome = owned_grow(trail->outcome, trail->outcomes + 1, sizeof *trail->outcome);
    trail->outcome[trail->outcomes] = (struct outcome){.asked = (size_t)(asked - trail->asked),
                                                       .index = kept->index,
                                                       .fault = kept->fault,
                                                       .status = kept->status,
                                                       .seen_ms = seen_ms + SLACK_MS,
                                                       .before = before == 0 ? NOTHING : before - 1,
                                                       .behind = NOTHING};
    if (before != 0)
        trail->outcome[before - 1].behind = trail->outcomes;
    asked->outcome = trail->outcomes++;
    map_set(&trail->newest, source, (void *)(uintptr_t)trail->outcomes);
}

static void note_permit(struct log *log, const struct log_entry *entry)
{
    const struct header *header = entry->header;
    struct permit_log *trail = trail_of(log);
    trail->permit = owned_grow(trail->permit, trail->permits + 1, sizeof *trail->permit);
    trail->permit[trail->permits++] =
        (struct permit_act){.index = entry->index,
                            .evidence_index = header->permit->evidence_index,
                            .evidence = header->permit->evidence,
                            .reason = header->permit->reason,
                            .service = verify_intern(log, header->permit->service),
                            .case_ref = verify_intern(log, header->case_ref),
                            .time_ms = header->time_ms};
}

void verify_note_permit(struct log *log, const struct log_entry *entry, const struct kept *kept)
{
    const struct header *header = entry->header;
    if (header->kind == HEADER_RESPONSE || header->kind == HEADER_FAULT)
        note_outcome(log, kept);
    else if (!kept_is_own(log, kept))
        return; /* of others' collections nothing is known but this */
    else if (header->kind == HEADER_REQUEST && header->source.size > 0)
        note_asked(log, header);
    else if (header->kind == HEADER_PERMIT && header->permit->has_evidence)
        note_permit(log, entry);
}

// --- does it bear the permit out? ---------------------------------------------------------------

/* With all the patience that it can have had. */
static bool is_failure(const struct permit_log *trail, const struct outcome *outcome)
{
    const struct asked *asked = &trail->asked[outcome->asked];
    return outage_is_failure((enum fault_code)outcome->fault, outcome->status,
                             outcome->seen_ms - asked->time_ms);
}

static bool is_of_one(const struct outcome *outcome)
{
    return outage_is_of_one((enum fault_code)outcome->fault);
}

static bool is_of_same(const struct permit_log *trail, const struct outcome *outcome,
                       const struct outcome *newest)
{
    const struct asked *one = &trail->asked[outcome->asked], *other = &trail->asked[newest->asked];
    return one->about_somebody && other->about_somebody &&
           sha256_equal(&one->subject, &other->subject);
}

/* Of that outage: about anybody when nothing came, else of the same subject and case. */
static bool is_such_failure(const struct permit_log *trail, const struct outcome *outcome,
                            const struct outcome *newest)
{
    return is_failure(trail, outcome) && is_of_one(outcome) == is_of_one(newest) &&
           (!is_of_one(newest) ||
            (is_of_same(trail, outcome, newest) &&
             trail->asked[outcome->asked].case_ref == trail->asked[newest->asked].case_ref));
}

/* One that ends it. */
static bool is_answer(const struct permit_log *trail, const struct outcome *outcome,
                      const struct outcome *newest)
{
    return outcome->fault == OK && !is_failure(trail, outcome) &&
           (!is_of_one(newest) || is_of_same(trail, outcome, newest));
}

/* Of an earlier epoch, and of what was pruned, nothing is known here. */
static bool is_whole(const struct log *log)
{
    return log->view->epoch == 1 && log->first == 0;
}

/* NULL: two failures some time apart, without an answer between. */
static const char *how_not_repeated(const struct log *log, const struct outcome *newest,
                                    int64_t permit_ms)
{
    const struct permit_log *trail = log->permits;
    int64_t last_ms = newest->seen_ms < permit_ms ? newest->seen_ms : permit_ms;
    int64_t then_ms = trail->asked[newest->asked].time_ms;
    for (size_t at = newest->before; at != NOTHING; at = trail->outcome[at].before) {
        const struct outcome *outcome = &trail->outcome[at];
        int64_t asked_ms = trail->asked[outcome->asked].time_ms;
        if (is_answer(trail, outcome, newest))
            return "the source had answered since any failure before that one";
        if (!is_such_failure(trail, outcome, newest))
            continue;
        if (then_ms - outcome->seen_ms > OUTAGE_WINDOW_MS)
            return "nobody had seen it fail for long before that one";
        if (last_ms - asked_ms >= OUTAGE_SPACING_MS)
            return NULL;
        then_ms = asked_ms;
    }
    return is_whole(log) ? "it is the only failure of the source, or those before it came at once"
                         : NULL;
}

/* NULL: the source had not answered when the permit was given. */
static const char *how_answered_since(const struct permit_log *trail, const struct outcome *newest,
                                      int64_t permit_ms)
{
    for (size_t at = newest->behind; at != NOTHING; at = trail->outcome[at].behind)
        if (trail->asked[trail->outcome[at].asked].time_ms >= permit_ms)
            return NULL;
        else if (is_answer(trail, &trail->outcome[at], newest) &&
                 trail->outcome[at].seen_ms < permit_ms)
            return "the source had answered before the permit was given";
    return NULL;
}

static const char *how_not_down(const struct log *log, const struct permit_act *permit,
                                const struct outcome *outcome)
{
    if (!is_failure(log->permits, outcome))
        return "that record is no failure of its source";
    const struct asked *asked = &log->permits->asked[outcome->asked];
    if (is_of_one(outcome) && asked->case_ref != permit->case_ref)
        return "that record is of another case";
    if (is_of_one(outcome) && !asked->about_somebody)
        return "that record is about nobody";
    const char *wrong = how_not_repeated(log, outcome, permit->time_ms);
    return wrong != NULL ? wrong : how_answered_since(log->permits, outcome, permit->time_ms);
}

static const char *how_not_answered(const struct permit_act *permit, const struct asked *asked,
                                    const struct outcome *outcome)
{
    bool delivered = outcome->status >= 200 && outcome->status < 300;
    if (asked->case_ref != permit->case_ref)
        return "that record is of another case";
    if (!asked->about_somebody)
        return "that record is about nobody";
    if (outcome->fault != OK ||
        !(permit->reason == PERMIT_STALE ? delivered : outage_finds_no_one(outcome->status)))
        return "that record is no such answer";
    return NULL;
}

/* NULL: nothing. */
static const char *what_is_wrong(const struct log *log, const struct permit_act *permit)
{
    if (permit->evidence_index >= permit->index)
        return "no such record stood before it";
    const struct kept *kept = &log->entry[permit->evidence_index];
    if (!sha256_equal(&kept->leaf_hash, &permit->evidence))
        return "another record stands there";
    if (kept->kind == 0)
        return NULL; /* pruned, or found elsewhere */
    if (kept->kind != HEADER_RESPONSE && kept->kind != HEADER_FAULT)
        return "that record is the outcome of nothing";
    const struct asked *asked = asked_in(log->permits, kept);
    if (asked == NULL || asked->outcome == NOTHING)
        return is_whole(log) ? "that record answers no query that a collection sent to a source"
                             : NULL;
    const struct outcome *outcome = &log->permits->outcome[asked->outcome];
    if (asked->service != permit->service)
        return "that record is of a source of another service";
    if (permit->time_ms - outcome->seen_ms > OUTAGE_WINDOW_MS)
        return "that record was too old";
    return permit->reason == PERMIT_SOURCE_DOWN ? how_not_down(log, permit, outcome)
                                                : how_not_answered(permit, asked, outcome);
}

void verify_permits(struct verify *self, struct log *log)
{
    for (size_t i = 0; log->permits != NULL && i < log->permits->permits; i++) {
        const struct permit_act *permit = &log->permits->permit[i];
        const char *wrong = what_is_wrong(log, permit);
        if (wrong != NULL)
            FIND(self, log, permit->index, RULE,
                 "A citizen was asked for what the state should have, for a reason that this log "
                 "does not bear out.",
                 "a permit for %s leans on entry %" PRIu64 ": %s",
                 permit_reason_word(permit->reason), permit->evidence_index, wrong);
    }
}

void verify_permits_clear(struct log *log)
{
    struct permit_log *trail = log->permits;
    if (trail == NULL)
        return;
    free(trail->asked);
    free(trail->outcome);
    free(trail->permit);
    map_clear(&trail->by_exchange);
    map_clear(&trail->newest);
    free(trail);
    log->permits = NULL;
}
