// SPDX-License-Identifier: MIT
/* What the arbiter says, and what it rests on: the precedent for equal requests. */
#include "lib/bus/access.h"
#include "lib/bus/bus_id.h"
#include "lib/bus/directory_acts.h"
#include "lib/bus/facts_act.h"

#include "directory.pb-c.h"

#define BAD(...) RAISE(DIRECTORY_BAD, __VA_ARGS__)

static fault check_decision(const struct directory *self, const Chaski__AccessDecided *act)
{
    TRY(act_code("a decision", act->id));
    TRY(act_word("the decision's reason", act->reason));
    TRY(act_time("the decision's end", act->until_ms));
    if (directory_find(&self->decisions, act->id) != NULL)
        return BAD("decision %s stands there already: take another name", act->id);
    if ((int64_t)act->until_ms <= self->last_ms ||
        (int64_t)act->until_ms - self->last_ms > DIRECTORY_GRANT_MS_MAX)
        return BAD("decision %s must end after now and within 24 months", act->id);
    return DONE;
}

static fault check_turn(const struct directory *self, const char *id,
                        const struct directory_request *request)
{
    struct standing standing;
    if (request == NULL)
        return BAD("decision %s on a request that is not there", id);
    access_standing(self, request, self->last_ms, &standing);
    if (standing.state == STANDING_SUBMITTED)
        return BAD("decision %s on %s: the time of %.200s to answer is not over", id, request->id,
                   standing.owner);
    if (standing.state == STANDING_GRANTED || standing.state == STANDING_UNNEEDED ||
        standing.state == STANDING_ENDED)
        return BAD("decision %s on %s, which is %s: there is nothing to decide", id, request->id,
                   access_state_word(standing.state));
    return DONE;
}

/* What the act says that it rests on is what holds now: whoever approved it read that. */
static fault find_facts(const struct directory *self, const Chaski__AccessDecided *act,
                        const struct directory_request *request, struct access_facts *out)
{
    struct access_facts said;
    access_facts_of(self, request, self->last_ms, out);
    if (act->facts == NULL)
        return DONE;
    TRY(facts_act_read(act->facts, request, &said));
    if (!access_facts_equal(&said, out) ||
        strcmp(act->facts->legal_basis, request->legal_basis) != 0)
        return BAD("decision %s on %s rests on what does not hold any more: propose it anew",
                   act->id, request->id);
    return DONE;
}

static fault enter_decision(struct directory *self, const Chaski__AccessDecided *act,
                            const struct directory_request *request,
                            const struct access_facts *facts, int64_t at_ms)
{
    char class[ID_TEXT_BYTES_MAX + 1];
    struct span prefix = bus_id_prefix(span_of_text(request->consumer), ID_CLASS);
    struct span service = span_of_text(request->service);
    if (rights_of(&self->decision_of, service, prefix)->count >= ACCESS_DECISIONS_OF_ONE_MAX)
        return BAD("too many decisions about %.200s: take back old ones", request->service);
    memcpy(class, prefix.at, prefix.size);
    class[prefix.size] = '\0';
    struct directory_decision *decision = directory_make(self, sizeof *decision);
    decision->id = directory_keep_text(self, act->id);
    decision->request = request->id;
    decision->allow = act->allow;
    decision->reason = directory_keep_text(self, act->reason);
    decision->at_ms = at_ms;
    decision->until_ms = (int64_t)act->until_ms;
    decision->service = request->service;
    decision->class = directory_keep_text(self, class);
    decision->purposes = request->purposes;
    decision->purpose = request->purpose;
    decision->scope = request->scope;
    decision->legal_basis = request->legal_basis;
    decision->facts = *facts;
    map_set(&self->decisions, span_of_text(decision->id), decision);
    rights_put(&self->decision_of, service, prefix,
               (struct right){decision->id, decision->at_ms, decision});
    return DONE;
}

fault act_decision_apply(struct directory *self, const Chaski__AccessDecided *act)
{
    struct directory_request *request = directory_find(&self->requests, act->request);
    struct access_facts facts;
    TRY(check_decision(self, act));
    TRY(check_turn(self, act->id, request));
    TRY(find_facts(self, act, request, &facts));
    TRY(enter_decision(self, act, request, &facts, self->last_ms));
    request->decision = directory_keep_text(self, act->id);
    if (request->taken_back_ms != 0)
        request->grant = ""; /* what is left of it opens as any grant does, and answers no more */
    request->taken_back_ms = 0;
    return DONE;
}

bool act_decision_drop(struct directory *self, const char *id)
{
    const struct directory_decision *old = map_remove(&self->decisions, span_of_text(id));
    if (old != NULL)
        rights_take(&self->decision_of, span_of_text(old->service), span_of_text(old->class), id);
    return old != NULL;
}

fault act_decision_was(struct directory *self, const Chaski__SnapshotDecision *from)
{
    if (from->set == NULL || directory_find(&self->decisions, from->set->id) != NULL)
        return BAD("a decision of which nothing is said, or that is there twice");
    TRY(act_code("a decision", from->set->id));
    TRY(act_time("a decision's time", from->at_ms));
    const struct directory_request *request = directory_find(&self->requests, from->set->request);
    struct access_facts facts;
    if (request == NULL || from->set->facts == NULL)
        return BAD("decision %s on a request that is not there, or resting on nothing",
                   from->set->id);
    TRY(facts_act_read(from->set->facts, request, &facts));
    return enter_decision(self, from->set, request, &facts, (int64_t)from->at_ms);
}
