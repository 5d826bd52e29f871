// SPDX-License-Identifier: MIT
#include "security-server/exchange/permit_decision.h"

#include "lib/bus/audit_log.h"
#include "lib/bus/outage_rule.h"

#include <string.h>

bool permit_reason_is_personal(enum permit_reason reason)
{
    return reason == PERMIT_NO_UNIQUE_MATCH || reason == PERMIT_STALE;
}

// --- yes and no ---------------------------------------------------------------------------------

static const struct plan_leaf *first_source(const struct plan_requirement *requirement)
{
    for (size_t i = 0; i < requirement->ways; i++)
        if (requirement->way[i].state == requirement->state)
            for (size_t k = 0; k < requirement->way[i].leaves; k++)
                if (requirement->way[i].leaf[k].source != NULL)
                    return &requirement->way[i].leaf[k];
    return NULL;
}

static void deny(const struct permit_question *self, const char *why, struct permit_verdict *out)
{
    *out = (struct permit_verdict){
        .denied = true, .leaf = first_source(self->requirement), .why = why};
}

static void give(enum permit_reason reason, int64_t permit_ms, const char *why,
                 struct permit_verdict *out)
{
    *out = (struct permit_verdict){.reason = reason, .permit_ms = permit_ms, .why = why};
}

/* Nobody delivers it: until somebody is to, and at most so long. */
static void give_no_source(const struct permit_question *self, struct permit_verdict *out)
{
    const struct plan_requirement *requirement = self->requirement;
    bool registered = requirement->state == PLAN_NO_MATCH && requirement->satisfaction != NULL;
    int64_t permit_ms = PERMIT_NO_SOURCE_MS;
    const char *why = "nothing that is registered proves it";
    for (size_t i = 0; i < requirement->ways; i++)
        for (size_t k = 0; k < requirement->way[i].leaves; k++) {
            const struct plan_leaf *leaf = &requirement->way[i].leaf[k];
            if (leaf->state != PLAN_NO_SOURCE)
                continue;
            why = leaf->reason;
            registered = registered || leaf->until_ms > 0;
            if (leaf->until_ms > self->now_ms && leaf->until_ms - self->now_ms < permit_ms)
                permit_ms = leaf->until_ms - self->now_ms;
        }
    if (!registered && permit_ms > PERMIT_UNREGISTERED_MS)
        permit_ms = PERMIT_UNREGISTERED_MS;
    give(PERMIT_NO_SOURCE, permit_ms, why, out);
}

// --- what our log bears out ---------------------------------------------------------------------

struct borne {
    bool mixed; /* some way is barred for the other reason */
    const struct plan_leaf *leaf;
    int64_t since_ms; /* of SOURCE_DOWN */
    struct outcome_place evidence;
};

/* What does not grow old is not too old. */
static bool answer_fits(enum permit_reason reason, const struct plan_leaf *leaf, unsigned status)
{
    return reason == PERMIT_STALE ? status >= 200 && status < 300 && leaf->type->days_max > 0
                                  : outage_finds_no_one(status);
}

/* With which selectors it was asked the log does not show: what they provoked bars nothing. */
static const struct outage *outage_about_one(const struct permit_question *self,
                                             const struct directory_source *source)
{
    struct outages_question question = {.source = source->id,
                                        .case_ref = self->case_ref,
                                        .requirement = self->requirement->requirement->id,
                                        .subject = self->subject};
    return self->case_ref[0] == '\0' || self->subject.size == 0 || source->selectors > 0
               ? NULL
               : outages_about(self->outages, &question, self->now_ms);
}

static bool is_down(const struct permit_question *self, const struct directory_source *source,
                    struct borne *out)
{
    const struct outage *outage = outages_of(self->outages, source->id, self->now_ms);
    if (outage == NULL)
        outage = outage_about_one(self, source);
    if (outage == NULL)
        return false;
    out->since_ms = outage->since_ms;
    out->evidence = outage->newest;
    return true;
}

/* In this very case, about this very subject. */
static bool has_answered(const struct permit_question *self, enum permit_reason reason,
                         const struct plan_leaf *leaf, struct borne *out)
{
    unsigned status = 0;
    struct outages_question question = {leaf->source->id, self->case_ref,
                                        self->requirement->requirement->id, self->subject};
    return self->case_ref[0] != '\0' && self->subject.size > 0 &&
           outages_answer(self->outages, &question, self->now_ms, &status, &out->evidence) &&
           answer_fits(reason, leaf, status);
}

static bool leaf_bears(const struct permit_question *self, enum permit_reason reason,
                       const struct plan_leaf *leaf, struct borne *out)
{
    out->leaf = leaf;
    if (leaf->source == NULL || leaf->source->service[0] == '\0')
        return false;
    return (reason == PERMIT_SOURCE_DOWN ? is_down(self, leaf->source, out)
                                         : has_answered(self, reason, leaf, out)) &&
           audit_place_epoch(out->evidence.place) == self->log_epoch;
}

/* One source was down and another did not find the subject: neither way can be gone. */
static enum permit_reason other_reason(enum permit_reason reason)
{
    return reason == PERMIT_SOURCE_DOWN       ? PERMIT_NO_UNIQUE_MATCH
           : reason == PERMIT_NO_UNIQUE_MATCH ? PERMIT_SOURCE_DOWN
                                              : reason;
}

static bool way_bears(const struct permit_question *self, enum permit_reason reason,
                      const struct plan_way *way, struct borne *out)
{
    bool barred = false;
    for (size_t k = 0; !barred && k < way->leaves; k++)
        barred = leaf_bears(self, reason, &way->leaf[k], out);
    return barred;
}

/* Every way that could be gone must be barred by some source of it, and one at least for this
 * reason; *out: of the first of these. */
static bool is_borne_out(const struct permit_question *self, enum permit_reason reason,
                         struct borne *out)
{
    const struct plan_requirement *requirement = self->requirement;
    bool any = false, mixed = false;
    for (size_t i = 0; i < requirement->ways; i++) {
        const struct plan_way *way = &requirement->way[i];
        struct borne found = {0}, other = {0};
        if (way->state != PLAN_READY && way->state != PLAN_NEED)
            continue;
        if (!way_bears(self, reason, way, &found)) {
            if (!way_bears(self, other_reason(reason), way, &other))
                return false;
            mixed = true;
            continue;
        }
        if (!any)
            *out = found;
        any = true;
    }
    out->mixed = mixed;
    return any;
}

static void give_with(const struct borne *borne, struct permit_verdict *out)
{
    out->leaf = borne->leaf;
    out->since_ms = out->reason == PERMIT_SOURCE_DOWN ? borne->since_ms : 0;
    out->has_evidence = true;
    out->evidence = borne->evidence;
}

static void decide_down(const struct permit_question *self, struct permit_verdict *out)
{
    struct borne found = {0};
    if (!is_borne_out(self, PERMIT_SOURCE_DOWN, &found)) {
        deny(
            self,
            self->wanted == PERMIT_SOURCE_DOWN
                ? "a source delivers it, and the log of this server shows no failure of the "
                  "source's own query, by a collection, that is recent and repeated some time "
                  "apart (an answer with 5xx counts for its subject and case alone): ask the source"
                : "a source delivers it: ask the source",
            out);
        return;
    }
    give(PERMIT_SOURCE_DOWN, PERMIT_SOURCE_DOWN_MS, "who delivers it did not answer", out);
    give_with(&found, out);
}

static void decide_answered(const struct permit_question *self, struct permit_verdict *out)
{
    struct borne found = {0};
    bool stale = self->wanted == PERMIT_STALE;
    if (!is_borne_out(self, self->wanted, &found)) {
        deny(self,
             stale ? "the log of this server holds no recent answer of the source to a collection "
                     "in this case about this subject, or the evidence does not grow old: ask the "
                     "source"
                   : "the log of this server holds no recent answer of the source to a collection "
                     "in this case about this subject that says so (404, 409 or 300): ask the "
                     "source",
             out);
        return;
    }
    give(self->wanted, found.mixed ? PERMIT_SOURCE_DOWN_MS : PERMIT_OTHER_MS,
         stale ? "what the source delivered is too old, says the member"
               : "the source did not find the one subject",
         out);
    give_with(&found, out);
}

void permit_decide(const struct permit_question *question, struct permit_verdict *out)
{
    enum plan_state state = question->requirement->state;
    if (state != PLAN_READY && state != PLAN_NEED) {
        give_no_source(question, out);
        return;
    }
    switch (question->wanted) {
    case PERMIT_CITIZEN_PREFERS:
        give(PERMIT_CITIZEN_PREFERS, PERMIT_OTHER_MS,
             "the citizen prefers to hand it in, says the member", out);
        return;
    case PERMIT_NO_UNIQUE_MATCH:
    case PERMIT_STALE:
        decide_answered(question, out);
        return;
    case PERMIT_NO_SOURCE:
        deny(question, "there is a source", out);
        return;
    default:
        decide_down(question, out);
    }
}
