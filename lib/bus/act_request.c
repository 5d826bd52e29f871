// SPDX-License-Identifier: MIT
/* Who asks for access, and who objects. Deadlines are set when the act
 * comes, by the calendar of that day; what follows from them is access.c's. */
#include "lib/bus/access.h"
#include "lib/bus/bus_id.h"
#include "lib/bus/consumer.h"
#include "lib/bus/directory_acts.h"

#include "directory.pb-c.h"

#define BAD(...) RAISE(DIRECTORY_BAD, __VA_ARGS__)

static fault check_purposes(const struct directory *self, const Chaski__AccessRequested *act)
{
    if (act->n_purpose == 0 || act->n_purpose > DIRECTORY_GRANT_PURPOSES_MAX)
        return BAD("request %s names %zu purposes; 1 to %d", act->id, act->n_purpose,
                   DIRECTORY_GRANT_PURPOSES_MAX);
    for (size_t i = 0; i < act->n_purpose; i++) {
        if (directory_find(&self->purposes, act->purpose[i]) == NULL)
            return BAD("request %s for a purpose that is not registered", act->id);
        if (i > 0 && strcmp(act->purpose[i - 1], act->purpose[i]) >= 0)
            return BAD("request %s does not name its purposes in rising order, each once", act->id);
    }
    return DONE;
}

static fault check_rising(const Chaski__AccessRequested *act, char *const *name, size_t count)
{
    for (size_t i = 1; i < count; i++)
        if (strcmp(name[i - 1], name[i]) >= 0)
            return BAD("request %s does not name its endpoints or columns in rising order, each "
                       "once",
                       act->id);
    return DONE;
}

static struct access_scope scope_of(const Chaski__AccessRequested *act)
{
    return (struct access_scope){act->n_endpoint, act->n_column, (const char *const *)act->endpoint,
                                 (const char *const *)act->column};
}

static fault check_request(const struct directory *self, const Chaski__AccessRequested *act)
{
    TRY(act_code("a request", act->id));
    TRY(act_word("the request's legal basis", act->legal_basis));
    TRY(act_word("the request's reason", act->reason));
    if (directory_find(&self->requests, act->id) != NULL)
        return BAD("request %s stands there already: take another name", act->id);
    if (directory_find(&self->services, act->service) == NULL)
        return BAD("request %s for a service that is not registered", act->id);
    if (directory_find(&self->subsystems, act->consumer) == NULL)
        return BAD("request %s of %.200s, which is no registered subsystem", act->id,
                   act->consumer);
    TRY(act_scope_check(
        self, act->id, act->service,
        &(struct act_scope){act->n_endpoint, act->n_column, act->endpoint, act->column}));
    TRY(check_rising(act, act->endpoint, act->n_endpoint));
    TRY(check_rising(act, act->column, act->n_column));
    return check_purposes(self, act);
}

static fault check_closed(const struct directory *self, const Chaski__AccessRequested *act)
{
    const struct access_scope scope = scope_of(act);
    bool part = scope.endpoints + scope.columns > 0;
    return access_is_closed(self, span_of_text(act->service), span_of_text(act->consumer), &scope,
                            self->last_ms)
               ? DONE
               : BAD("request %s is not needed: no restriction closes %s to %.200s", act->id,
                     part ? "these parts of the service" : "the service", act->consumer);
}

// --- what is asked already ----------------------------------------------------------------------

static bool shares_a_purpose(const struct directory_request *at, const Chaski__AccessRequested *act)
{
    for (size_t i = 0; i < at->purposes; i++)
        for (size_t k = 0; k < act->n_purpose; k++)
            if (strcmp(at->purpose[i], act->purpose[k]) == 0)
                return true;
    return false;
}

/* Another request that is about all of this one's parts. One that was denied may be made again: the
 * precedent answers it as long as it stands. */
static bool is_in_the_way(const struct directory_request *at, enum standing_state state,
                          const Chaski__AccessRequested *act)
{
    const struct access_scope scope = scope_of(act);
    return access_still_stands(state) && shares_a_purpose(at, act) &&
           access_scope_includes(&at->scope, &scope);
}

static fault check_others(const struct directory *self, const Chaski__AccessRequested *act)
{
    struct span consumer = span_of_text(act->consumer);
    const struct right_list *list =
        rights_of(&self->request_of, span_of_text(act->service), consumer);
    size_t open = 0;
    for (size_t i = 0; i < list->count; i++) {
        const struct directory_request *at = list->right[i].rule;
        struct standing standing;
        access_standing(self, at, self->last_ms, &standing);
        open += access_is_open(standing.state);
        if (is_in_the_way(at, standing.state, act))
            return BAD("request %s asks what %s asks, which is %s", act->id, at->id,
                       access_state_word(standing.state));
    }
    if (open >= ACCESS_REQUESTS_OPEN_MAX)
        return BAD("%.200s has %d requests open about this service", act->consumer,
                   ACCESS_REQUESTS_OPEN_MAX);
    if (list->count >= ACCESS_REQUESTS_OF_ONE_MAX ||
        rights_of(&self->requests_of, bus_id_prefix(consumer, ID_MEMBER), span_of("", 0))->count >=
            ACCESS_REQUESTS_OF_MEMBER_MAX)
        return BAD("too many requests of %.200s stand in the register: withdraw old ones",
                   act->consumer);
    return DONE;
}

// --- precedents ---------------------------------------------------------------------------------

static bool is_equal(const struct directory_decision *at, const struct directory_request *request,
                     const struct access_facts *facts)
{
    bool same = at->purposes == request->purposes; /* both rising */
    for (size_t i = 0; same && i < at->purposes; i++)
        same = strcmp(at->purpose[i], request->purpose[i]) == 0;
    return same && access_scope_equal(&at->scope, &request->scope) &&
           strcmp(at->legal_basis, request->legal_basis) == 0 &&
           access_facts_equal(&at->facts, facts);
}

/* The latest word on an equal request; "" when there is none in force. */
static const char *precedent_for(const struct directory *self,
                                 const struct directory_request *request)
{
    const struct right_list *list =
        rights_of(&self->decision_of, span_of_text(request->service),
                  bus_id_prefix(span_of_text(request->consumer), ID_CLASS));
    struct access_facts facts;
    access_facts_of(self, request, self->last_ms, &facts);
    for (size_t i = 0; i < list->count; i++) { /* the latest first */
        const struct directory_decision *at = list->right[i].rule;
        if (self->last_ms < at->until_ms && is_equal(at, request, &facts))
            return at->id;
    }
    return "";
}

// --- the register -------------------------------------------------------------------------------

static struct directory_request *make_request(struct directory *self,
                                              const Chaski__AccessRequested *act, int64_t at_ms)
{
    struct directory_request *request = directory_make(self, sizeof *request);
    request->id = directory_keep_text(self, act->id);
    request->service = directory_keep_text(self, act->service);
    request->consumer = directory_keep_text(self, act->consumer);
    request->purposes = act->n_purpose;
    request->purpose = directory_keep_texts(self, act->purpose, act->n_purpose);
    request->scope = (struct access_scope){
        act->n_endpoint, act->n_column,
        (const char *const *)directory_keep_texts(self, act->endpoint, act->n_endpoint),
        (const char *const *)directory_keep_texts(self, act->column, act->n_column)};
    request->legal_basis = directory_keep_text(self, act->legal_basis);
    request->reason = directory_keep_text(self, act->reason);
    request->objection_reason = request->grant = request->decision = request->precedent = "";
    request->at_ms = at_ms;
    return request;
}

static void enter(struct directory *self, struct directory_request *request)
{
    struct span consumer = span_of_text(request->consumer);
    struct right right = {request->id, request->at_ms, request};
    map_set(&self->requests, span_of_text(request->id), request);
    rights_put(&self->request_of, span_of_text(request->service), consumer, right);
    rights_put(&self->requests_of, bus_id_prefix(consumer, ID_MEMBER), span_of("", 0), right);
}

/* *out_ms = so many working days on. */
static fault deadline(const struct directory *self, int64_t from_ms, unsigned days, int64_t *out_ms)
{
    if (working_days_end(&self->calendar->days, from_ms, days, out_ms))
        return DONE;
    return BAD("the calendar knows the holidays of %u to %u only, and a deadline would lie beyond: "
               "have the authority set it anew",
               self->calendar->days.first_year, self->calendar->days.last_year);
}

fault act_request_apply(struct directory *self, const Chaski__AccessRequested *act)
{
    int64_t answer_ms = 0, decide_ms = 0;
    TRY(check_request(self, act));
    if (self->calendar == NULL)
        return BAD("request %s: no calendar is set by which its deadline could be told", act->id);
    TRY(check_closed(self, act));
    TRY(check_others(self, act));
    TRY(deadline(self, self->last_ms, self->calendar->answer_days, &answer_ms));
    TRY(deadline(self, answer_ms - 1, self->calendar->decide_days, &decide_ms)); /* its next day */
    struct directory_request *request = make_request(self, act, self->last_ms);
    request->answer_until_ms = answer_ms;
    request->decide_until_ms = decide_ms;
    request->precedent = precedent_for(self, request);
    enter(self, request);
    return DONE;
}

bool act_request_drop(struct directory *self, const char *id)
{
    const struct directory_request *old = map_remove(&self->requests, span_of_text(id));
    if (old == NULL)
        return false;
    struct span consumer = span_of_text(old->consumer);
    rights_take(&self->request_of, span_of_text(old->service), consumer, id);
    rights_take(&self->requests_of, bus_id_prefix(consumer, ID_MEMBER), span_of("", 0), id);
    return true;
}

// --- answers ------------------------------------------------------------------------------------

static fault check_ground(const Chaski__AccessObjected *act)
{
    if (directory_ground_word((enum directory_ground)act->ground)[0] == '\0')
        return BAD("an objection to %.200s without a ground from the list", act->request);
    return act_word("the objection's reason", act->reason);
}

static void set_objection(struct directory *self, struct directory_request *request,
                          const Chaski__AccessObjected *act, int64_t at_ms)
{
    request->objected_ms = at_ms;
    request->objection = (enum directory_ground)act->ground;
    request->objection_reason = directory_keep_text(self, act->reason);
}

fault act_objection_apply(struct directory *self, const Chaski__AccessObjected *act)
{
    struct directory_request *request = directory_find(&self->requests, act->request);
    struct standing standing;
    int64_t decide_ms = 0;
    TRY(check_ground(act));
    if (request == NULL)
        return BAD("an objection to %.200s, which is not there", act->request);
    access_standing(self, request, self->last_ms, &standing);
    if (standing.state != STANDING_SUBMITTED)
        return BAD("an objection to %s, which is %s: the time to object is over", request->id,
                   access_state_word(standing.state));
    if (working_days_end(&self->calendar->days, self->last_ms, self->calendar->decide_days,
                         &decide_ms))
        request->decide_until_ms = decide_ms; /* else the later one of silence stays */
    set_objection(self, request, act, self->last_ms);
    return DONE;
}

/* A grant that stands may be made narrower: that goes to the arbiter (act_taken_back.c). */
static bool is_made_anew(const struct directory *self, const struct directory_request *request,
                         const char *grant)
{
    const struct directory_grant *old = directory_grant(self, span_of_text(grant));
    return strcmp(request->grant, grant) == 0 && old != NULL && self->last_ms < old->until_ms;
}

/* An answer is an answer to what was asked, all of it, and for as long as silence opens: else the
 * request would stand as granted, in the way of the next one and out of the arbiter's reach, and
 * open little or nothing, again and again. */
static fault check_answer(const struct directory_request *request, const Chaski__GrantSet *act,
                          bool is_anew)
{
    if ((int64_t)act->until_ms < request->answer_until_ms + ACCESS_SILENCE_MS && !is_anew)
        return BAD("grant %s answers %s and ends before what silence would have opened, 12 months "
                   "after the provider's deadline: give a short grant without naming the request, "
                   "or object with a ground",
                   act->id, request->id);
    const struct access_scope granted = {act->n_endpoint, act->n_column,
                                         (const char *const *)act->endpoint,
                                         (const char *const *)act->column};
    if (!access_scope_includes(&granted, &request->scope))
        return BAD("grant %s answers %s and is not for all of the service that it asks for",
                   act->id, request->id);
    if (act->volume_a_day > 0 && !is_anew)
        return BAD("grant %s answers %s and is for so many answers a day only: give that without "
                   "naming the request, or object with a ground",
                   act->id, request->id);
    for (size_t i = 0; act->n_purpose > 0 && i < request->purposes; i++) {
        bool named = false;
        for (size_t k = 0; k < act->n_purpose && !named; k++)
            named = strcmp(act->purpose[k], request->purpose[i]) == 0;
        if (!named)
            return BAD("grant %s answers %s and is not for all its purposes", act->id, request->id);
    }
    return DONE;
}

/* What is open already by silence or by the arbiter needs no answer, and would end with it. What
 * was taken back is the arbiter's: another answer would start its clock anew. What has ended is
 * asked anew. */
static fault check_may_answer(const struct directory *self, const struct directory_request *request,
                              const char *grant)
{
    struct standing standing;
    access_standing(self, request, self->last_ms, &standing);
    if (standing.state == STANDING_SILENT || standing.state == STANDING_ALLOWED ||
        standing.state == STANDING_UNNEEDED || standing.state == STANDING_REOPENED ||
        standing.state == STANDING_ENDED)
        return BAD("grant %s answers %s, which is %s: a grant that names no request adds to it",
                   grant, request->id, access_state_word(standing.state));
    if (standing.state == STANDING_GRANTED && strcmp(request->grant, grant) != 0)
        return BAD("grant %s answers %s, which grant %s answers: one that names no request adds to "
                   "it",
                   grant, request->id, request->grant);
    return DONE;
}

fault act_request_granted(struct directory *self, const Chaski__GrantSet *act)
{
    struct directory_request *request = directory_find(&self->requests, act->request);
    struct consumer_names names;
    if (act->request[0] == '\0' || self->restored)
        return DONE;
    if (request == NULL || strcmp(request->service, act->service) != 0)
        return BAD("grant %s answers %.200s, which is no request for this service", act->id,
                   act->request);
    consumer_names_of(self, span_of_text(request->consumer), &names);
    bool named = false;
    for (size_t i = 0; i < names.count; i++)
        named = named || span_is_text(names.name[i], act->consumer);
    if (!named)
        return BAD("grant %s answers %s and is to somebody else", act->id, request->id);
    if (!access_may_use(self, request, act->consumer, self->last_ms))
        return BAD("grant %s answers %s of who is shut out for misuse, and names neither it nor "
                   "its member: it would open nothing",
                   act->id, request->id);
    TRY(check_may_answer(self, request, act->id));
    TRY(check_answer(request, act, is_made_anew(self, request, act->id)));
    request->grant = directory_keep_text(self, act->id);
    return DONE;
}

// --- from a snapshot ----------------------------------------------------------------------------

fault act_request_was(struct directory *self, const Chaski__SnapshotRequest *from)
{
    if (from->set == NULL || directory_find(&self->requests, from->set->id) != NULL)
        return BAD("a request of which nothing is said, or that is there twice");
    TRY(act_code("a request", from->set->id));
    if (from->set->n_purpose > DIRECTORY_GRANT_PURPOSES_MAX)
        return BAD("request %s with %zu purposes", from->set->id, from->set->n_purpose);
    if (from->set->n_endpoint > DIRECTORY_ENDPOINTS_MAX ||
        from->set->n_column > DIRECTORY_COLUMNS_MAX)
        return BAD("request %s with %zu endpoints and %zu columns", from->set->id,
                   from->set->n_endpoint, from->set->n_column);
    TRY(act_id(self, from->set->consumer, ID_SUBSYSTEM));
    TRY(act_id(self, from->set->service, ID_SERVICE));
    TRY(act_time("a request's time", from->at_ms));
    TRY(act_time("a request's deadline", from->answer_until_ms));
    TRY(act_time("a request's deadline", from->decide_until_ms));
    struct directory_request *request = make_request(self, from->set, (int64_t)from->at_ms);
    request->answer_until_ms = (int64_t)from->answer_until_ms;
    request->decide_until_ms = (int64_t)from->decide_until_ms;
    request->grant = directory_keep_text(self, from->grant);
    request->decision = directory_keep_text(self, from->decision);
    request->precedent = directory_keep_text(self, from->precedent);
    if (from->taken_back_ms != 0)
        TRY(act_time("the time of a taking back", from->taken_back_ms));
    request->taken_back_ms = (int64_t)from->taken_back_ms;
    if (from->objection != NULL) {
        TRY(check_ground(from->objection));
        TRY(act_time("an objection's time", from->objected_ms));
        set_objection(self, request, from->objection, (int64_t)from->objected_ms);
    }
    enter(self, request);
    return DONE;
}
