// SPDX-License-Identifier: MIT
/* Who may what, and until when: competences, restrictions, grants. */
#include "lib/bus/directory_acts.h"

#include "lib/bus/consumer.h"

#include "directory.pb-c.h"

#define BAD(...) RAISE(DIRECTORY_BAD, __VA_ARGS__)

// --- competences --------------------------------------------------------------------------------

fault act_competence_apply(struct directory *self, const Chaski__CompetenceSet *act)
{
    TRY(act_code("a competence", act->id));
    TRY(consumer_check(self, "a competence of", act->consumer));
    TRY(act_word("the competence's legal basis", act->legal_basis));
    if (directory_find(&self->purposes, act->purpose) == NULL)
        return BAD("competence %s for a purpose that is not registered", act->id);
    if (act->until_ms != 0)
        TRY(act_time("the competence's end", act->until_ms));
    if (act->until_ms != 0 && (int64_t)act->until_ms <= self->last_ms)
        return BAD("competence %s must end after now", act->id);
    act_competence_drop(self, act->id);
    struct directory_competence *competence = directory_make(self, sizeof *competence);
    competence->id = directory_keep_text(self, act->id);
    competence->consumer = directory_keep_text(self, act->consumer);
    competence->purpose = directory_keep_text(self, act->purpose);
    competence->legal_basis = directory_keep_text(self, act->legal_basis);
    competence->until_ms = act->until_ms == 0 ? INT64_MAX : (int64_t)act->until_ms;
    map_set(&self->competences, span_of_text(competence->id), competence);
    rights_put(&self->competence_of, span_of_text(competence->purpose),
               span_of_text(competence->consumer),
               (struct right){competence->id, competence->until_ms, competence});
    return DONE;
}

bool act_competence_drop(struct directory *self, const char *id)
{
    const struct directory_competence *old = map_remove(&self->competences, span_of_text(id));
    if (old != NULL)
        rights_take(&self->competence_of, span_of_text(old->purpose), span_of_text(old->consumer),
                    id);
    return old != NULL;
}

// --- restrictions -------------------------------------------------------------------------------

static fault check_restriction(const struct directory *self, const Chaski__RestrictionSet *act)
{
    TRY(act_code("a restriction", act->id));
    TRY(act_word("the restriction's reason", act->reason));
    TRY(act_word("who answers for the restriction", act->approver));
    TRY(act_time("the restriction's beginning", act->from_ms));
    TRY(act_time("the restriction's end", act->until_ms));
    if (directory_ground_word((enum directory_ground)act->ground)[0] == '\0')
        return BAD("restriction %s without a ground from the list", act->id);
    if (directory_find(&self->services, act->service) == NULL)
        return BAD("restriction %s of a service that is not registered", act->id);
    TRY(act_scope_check(
        self, act->id, act->service,
        &(struct act_scope){act->n_endpoint, act->n_column, act->endpoint, act->column}));
    if (act->consumer[0] != '\0')
        TRY(consumer_check(self, "a restriction that shuts out", act->consumer));
    if (act->ground == CHASKI__GROUND__MISUSE && act->consumer[0] == '\0')
        return BAD("restriction %s: misuse is the ground to shut out one consumer, not everybody",
                   act->id);
    if ((int64_t)act->until_ms <= self->last_ms || act->until_ms <= act->from_ms)
        return BAD("restriction %s must end after now, and after its beginning", act->id);
    if (act->until_ms - act->from_ms > DIRECTORY_RESTRICTION_MS_MAX)
        return BAD("restriction %s is for more than 12 months", act->id);
    if ((int64_t)act->from_ms > self->last_ms + DIRECTORY_RESTRICTION_AHEAD_MS_MAX)
        return BAD("restriction %s begins more than 90 days from now", act->id);
    return DONE;
}

/* So that a decision need not look for what is not there. */
static void count_restriction(struct directory *self, const struct directory_restriction *at,
                              size_t change)
{
    struct directory_service *service = directory_find(&self->services, at->service);
    service->restrictions += change; /* it is there as long as a restriction names it */
    service->shut_out += at->consumer[0] == '\0' ? 0 : change;
}

fault act_restriction_apply(struct directory *self, const Chaski__RestrictionSet *act)
{
    TRY(check_restriction(self, act));
    act_restriction_drop(self, act->id);
    struct directory_restriction *restriction = directory_make(self, sizeof *restriction);
    restriction->id = directory_keep_text(self, act->id);
    restriction->service = directory_keep_text(self, act->service);
    restriction->consumer = directory_keep_text(self, act->consumer);
    restriction->ground = (enum directory_ground)act->ground;
    restriction->by_law = act->by_law;
    restriction->reason = directory_keep_text(self, act->reason);
    restriction->approver = directory_keep_text(self, act->approver);
    restriction->from_ms = (int64_t)act->from_ms;
    restriction->until_ms = (int64_t)act->until_ms;
    restriction->endpoints = act->n_endpoint;
    restriction->endpoint = directory_keep_texts(self, act->endpoint, act->n_endpoint);
    restriction->columns = act->n_column;
    restriction->column = directory_keep_texts(self, act->column, act->n_column);
    map_set(&self->restrictions, span_of_text(restriction->id), restriction);
    rights_put(&self->restriction_of, span_of_text(restriction->service),
               span_of_text(restriction->consumer),
               (struct right){restriction->id, restriction->until_ms, restriction});
    count_restriction(self, restriction, 1);
    return DONE;
}

bool act_restriction_drop(struct directory *self, const char *id)
{
    const struct directory_restriction *old = map_remove(&self->restrictions, span_of_text(id));
    if (old == NULL)
        return false;
    rights_take(&self->restriction_of, span_of_text(old->service), span_of_text(old->consumer), id);
    count_restriction(self, old, (size_t)-1);
    return true;
}

// --- grants -------------------------------------------------------------------------------------

static fault check_grant(const struct directory *self, const Chaski__GrantSet *act)
{
    TRY(act_code("a grant", act->id));
    TRY(act_word("the grant's legal basis", act->legal_basis));
    TRY(act_time("the grant's end", act->until_ms));
    if (directory_find(&self->services, act->service) == NULL)
        return BAD("grant %s for a service that is not registered", act->id);
    TRY(act_scope_check(
        self, act->id, act->service,
        &(struct act_scope){act->n_endpoint, act->n_column, act->endpoint, act->column}));
    TRY(consumer_check(self, "a grant to", act->consumer));
    if (act->n_purpose > DIRECTORY_GRANT_PURPOSES_MAX)
        return BAD("grant %s for more than %d purposes", act->id, DIRECTORY_GRANT_PURPOSES_MAX);
    for (size_t i = 0; i < act->n_purpose; i++)
        if (directory_find(&self->purposes, act->purpose[i]) == NULL)
            return BAD("grant %s for a purpose that is not registered", act->id);
    if (act->volume_a_day > GRANT_VOLUME_MAX)
        return BAD("grant %s of more than %d answers a day", act->id, GRANT_VOLUME_MAX);
    if ((int64_t)act->until_ms <= self->last_ms ||
        (int64_t)act->until_ms - self->last_ms > DIRECTORY_GRANT_MS_MAX)
        return BAD("grant %s must end after now and within 24 months", act->id);
    return DONE;
}

fault act_grant_apply(struct directory *self, const Chaski__GrantSet *act)
{
    TRY(check_grant(self, act));
    TRY(act_request_granted(self, act));
    act_grant_changes(self, directory_find(&self->grants, act->id), act);
    act_grant_drop(self, act->id);
    struct directory_grant *grant = directory_make(self, sizeof *grant);
    grant->id = directory_keep_text(self, act->id);
    grant->service = directory_keep_text(self, act->service);
    grant->consumer = directory_keep_text(self, act->consumer);
    grant->purposes = act->n_purpose;
    grant->purpose = directory_keep_texts(self, act->purpose, act->n_purpose);
    grant->legal_basis = directory_keep_text(self, act->legal_basis);
    grant->until_ms = (int64_t)act->until_ms;
    grant->endpoints = act->n_endpoint;
    grant->endpoint = directory_keep_texts(self, act->endpoint, act->n_endpoint);
    grant->request = directory_keep_text(self, act->request);
    grant->volume_a_day = act->volume_a_day;
    grant->columns = act->n_column;
    grant->column = directory_keep_texts(self, act->column, act->n_column);
    map_set(&self->grants, span_of_text(grant->id), grant);
    rights_put(&self->grant_of, span_of_text(grant->service), span_of_text(grant->consumer),
               (struct right){grant->id, grant->until_ms, grant});
    return DONE;
}

bool act_grant_take_back(struct directory *self, const char *id)
{
    act_grant_changes(self, directory_find(&self->grants, id), NULL);
    return act_grant_drop(self, id);
}

bool act_grant_drop(struct directory *self, const char *id)
{
    const struct directory_grant *old = map_remove(&self->grants, span_of_text(id));
    if (old != NULL)
        rights_take(&self->grant_of, span_of_text(old->service), span_of_text(old->consumer), id);
    return old != NULL;
}
