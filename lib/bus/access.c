// SPDX-License-Identifier: MIT
#include "lib/bus/access.h"

#include "lib/bus/bus_id.h"
#include "lib/bus/directory_private.h"

#define ARBITER "arbiter"

// --- looking up ---------------------------------------------------------------------------------

const struct directory_calendar *directory_calendar(const struct directory *self)
{
    return self->calendar;
}

const struct directory_request *directory_request(const struct directory *self, struct span id)
{
    return map_get(&self->requests, id);
}

const struct directory_decision *directory_decision(const struct directory *self, struct span id)
{
    return map_get(&self->decisions, id);
}

const struct directory_break_glass *directory_break_glass(const struct directory *self,
                                                          struct span id)
{
    return map_get(&self->glasses, id);
}

const struct directory_request *directory_next_request(const struct directory *self, size_t *step)
{
    return map_next(&self->requests, step, NULL);
}

const struct directory_decision *directory_next_decision(const struct directory *self, size_t *step)
{
    return map_next(&self->decisions, step, NULL);
}

const struct directory_break_glass *directory_next_break_glass(const struct directory *self,
                                                               size_t *step)
{
    return map_next(&self->glasses, step, NULL);
}

const char *access_state_word(enum standing_state state)
{
    static const char *const words[STANDINGS_END] = {
        [STANDING_SUBMITTED] = "submitted", [STANDING_OBJECTED] = "objected",
        [STANDING_ESCALATED] = "escalated", [STANDING_REOPENED] = "reopened",
        [STANDING_GRANTED] = "granted",     [STANDING_SILENT] = "silent",
        [STANDING_ALLOWED] = "allowed",     [STANDING_DENIED] = "denied",
        [STANDING_UNNEEDED] = "unneeded",   [STANDING_ENDED] = "ended"};
    return state > 0 && state < STANDINGS_END ? words[state] : "";
}

bool access_is_open(enum standing_state state)
{
    return state == STANDING_SUBMITTED || state == STANDING_OBJECTED ||
           state == STANDING_ESCALATED || state == STANDING_REOPENED;
}

bool access_still_stands(enum standing_state state)
{
    return access_is_open(state) || state == STANDING_SILENT || state == STANDING_ALLOWED ||
           state == STANDING_GRANTED;
}

// --- where a request stands ---------------------------------------------------------------------

static void of_decision(const struct directory *self, const char *id, int64_t at_ms,
                        struct standing *out)
{
    const struct directory_decision *decision = directory_decision(self, span_of_text(id));
    bool stands = decision != NULL && at_ms < decision->until_ms;
    out->by = id;
    out->state = !stands ? STANDING_ENDED : decision->allow ? STANDING_ALLOWED : STANDING_DENIED;
    out->until_ms = stands ? decision->until_ms : 0;
}

/* Does it stand? */
static bool of_grant(const struct directory *self, const struct directory_request *request,
                     int64_t at_ms, struct standing *out)
{
    const struct directory_grant *grant = directory_grant(self, span_of_text(request->grant));
    bool stands = grant != NULL && strcmp(grant->request, request->id) == 0 &&
                  at_ms < grant->until_ms && access_may_use(self, request, grant->consumer, at_ms);
    out->by = request->grant;
    out->state = stands ? STANDING_GRANTED : STANDING_ENDED;
    out->until_ms = stands ? grant->until_ms : 0;
    return stands;
}

static void of_arbiter(const struct directory_request *request, enum standing_state state,
                       int64_t at_ms, struct standing *out)
{
    out->state = state;
    out->owner = ARBITER;
    out->until_ms = request->decide_until_ms;
    out->overdue = at_ms >= request->decide_until_ms;
}

static bool shares_a_purpose(const struct directory_request *request,
                             const struct directory_decision *decision)
{
    for (size_t i = 0; i < request->purposes; i++)
        for (size_t k = 0; k < decision->purposes; k++)
            if (strcmp(request->purpose[i], decision->purpose[k]) == 0)
                return true;
    return false;
}

static bool has_same_purposes(const struct directory_request *request,
                              const struct directory_decision *decision)
{
    bool same = request->purposes == decision->purposes; /* both rising */
    for (size_t i = 0; same && i < request->purposes; i++)
        same = strcmp(request->purpose[i], decision->purpose[i]) == 0;
    return same;
}

/* Not equal: a ground more, or a competence less, is no reason for silence to open what was denied.
 */
static bool is_no_better(const struct access_facts *now, const struct access_facts *then)
{
    return (now->competent & ~then->competent) == 0 && (then->public_agency || !now->public_agency);
}

/* What closes other parts is no measure: of these only who asks is compared. */
static bool stands_alike(const struct directory_request *request, const struct access_facts *facts,
                         const struct directory_decision *decision)
{
    if (!is_no_better(facts, &decision->facts))
        return false;
    return !access_scope_equal(&decision->scope, &request->scope) ||
           ((decision->facts.grounds & ~facts->grounds) == 0 &&
            (facts->by_law || !decision->facts.by_law));
}

/* Has the arbiter denied it, or a part of it, and is it asked again in other words, or for more or
 * less? Of who asks it is enough that a purpose is the same; of others, that the purposes are and
 * its facts are no better. */
static bool is_denied_in_other_words(const struct directory *self,
                                     const struct directory_request *request,
                                     const struct access_facts *facts, int64_t at_ms)
{
    const struct right_list *list =
        rights_of(&self->decision_of, span_of_text(request->service),
                  bus_id_prefix(span_of_text(request->consumer), ID_CLASS));
    for (size_t i = 0; i < list->count; i++) {
        const struct directory_decision *at = list->right[i].rule;
        const struct directory_request *on =
            at->allow || at_ms >= at->until_ms ? NULL
                                               : directory_request(self, span_of_text(at->request));
        if (on == NULL || !access_scope_meets(&at->scope, &request->scope))
            continue;
        if (strcmp(on->consumer, request->consumer) == 0
                ? shares_a_purpose(request, at)
                : has_same_purposes(request, at) && stands_alike(request, facts, at))
            return true;
    }
    return false;
}

static void of_clock(const struct directory *self, const struct directory_request *request,
                     int64_t at_ms, struct standing *out)
{
    const struct directory_service *at = directory_service(self, span_of_text(request->service));
    struct access_facts facts;
    access_facts_of(self, request, at_ms, &facts);
    if (at == NULL || facts.grounds == 0) {
        out->state = STANDING_UNNEEDED;
        return;
    }
    if (request->taken_back_ms != 0)
        return of_arbiter(request, STANDING_REOPENED, at_ms, out);
    if (request->objected_ms != 0)
        return of_arbiter(request, STANDING_OBJECTED, at_ms, out);
    if (at_ms < request->answer_until_ms) {
        out->state = STANDING_SUBMITTED;
        out->owner = at->subsystem->member->id;
        out->until_ms = request->answer_until_ms;
        return;
    }
    if (!access_silence_opens(self, request, &facts) ||
        is_denied_in_other_words(self, request, &facts, at_ms))
        return of_arbiter(request, STANDING_ESCALATED, at_ms, out);
    int64_t end_ms = request->answer_until_ms + ACCESS_SILENCE_MS;
    out->state = at_ms < end_ms ? STANDING_SILENT : STANDING_ENDED;
    out->until_ms = at_ms < end_ms ? end_ms : 0;
}

/* An equal request's decision. What it opened is the arbiter's again when this one's facts have
 * become less than those that it rested on: silence would open it no more either. */
static void of_precedent(const struct directory *self, const struct directory_request *request,
                         int64_t at_ms, struct standing *out)
{
    struct access_facts facts;
    of_decision(self, request->precedent, at_ms, out);
    if (out->state != STANDING_ALLOWED)
        return;
    access_facts_of(self, request, at_ms, &facts);
    const struct directory_decision *decision =
        directory_decision(self, span_of_text(request->precedent));
    if (!access_facts_suffice(&facts, &decision->facts))
        of_arbiter(request, STANDING_ESCALATED, at_ms, out);
}

/* A grant that stands goes first, for the policy looks at grants first; then the arbiter's word on
 * this request, its word on an equal one, and the clock. What its owner has taken back is the
 * arbiter's, whatever stood before. */
void access_standing(const struct directory *self, const struct directory_request *request,
                     int64_t at_ms, struct standing *out)
{
    *out = (struct standing){.owner = "", .by = ""};
    if (request->taken_back_ms != 0)
        return of_clock(self, request, at_ms, out);
    if (request->grant[0] != '\0' && of_grant(self, request, at_ms, out))
        return;
    *out = (struct standing){.owner = "", .by = ""};
    if (request->decision[0] != '\0')
        of_decision(self, request->decision, at_ms, out);
    else if (request->grant[0] != '\0')
        of_grant(self, request, at_ms, out);
    else if (request->precedent[0] != '\0')
        of_precedent(self, request, at_ms, out);
    else
        of_clock(self, request, at_ms, out);
}

// --- for a decision -----------------------------------------------------------------------------

static bool names_purpose(const struct directory_request *request, struct span purpose)
{
    for (size_t i = 0; i < request->purposes; i++)
        if (span_is_text(purpose, request->purpose[i]))
            return true;
    return false;
}

static int weight(enum standing_state state)
{
    if (state == STANDING_SILENT || state == STANDING_ALLOWED || state == STANDING_GRANTED)
        return 3;
    return state == STANDING_DENIED ? 2 : access_is_open(state) ? 1 : 0;
}

const struct directory_request *access_request_for(const struct directory *self,
                                                   const struct access_wanted *wanted,
                                                   int64_t at_ms, struct standing *standing)
{
    const struct right_list *list = rights_of(&self->request_of, wanted->service, wanted->consumer);
    const struct directory_request *best = NULL;
    for (size_t i = 0; i < list->count; i++) { /* the latest first */
        const struct directory_request *at = list->right[i].rule;
        struct standing where;
        if (!names_purpose(at, wanted->purpose) ||
            !access_scope_covers(&at->scope, wanted->endpoint, wanted->column))
            continue;
        access_standing(self, at, at_ms, &where);
        if (best == NULL || weight(where.state) > weight(standing->state)) {
            best = at;
            *standing = where;
        }
    }
    return best;
}

bool access_has_asked(const struct directory *self, struct span service, struct span consumer)
{
    return rights_of(&self->request_of, service, consumer)->count > 0;
}

int64_t access_glass_end_ms(const struct directory_break_glass *glass)
{
    return glass->ended_ms != 0 ? glass->ended_ms : glass->until_ms;
}

const struct directory_break_glass *access_break_glass(const struct directory *self,
                                                       struct span service, struct span consumer,
                                                       struct span purpose, int64_t at_ms)
{
    const struct right_list *list = rights_of(&self->glass_of, service, consumer);
    const struct directory_break_glass *best = NULL;
    for (size_t i = 0; i < list->count; i++) {
        const struct directory_break_glass *at = list->right[i].rule;
        if (at_ms >= access_glass_end_ms(at) || !span_is_text(purpose, at->purpose))
            continue;
        if (best == NULL || access_glass_end_ms(at) > access_glass_end_ms(best))
            best = at; /* the list orders equals */
    }
    return best;
}
