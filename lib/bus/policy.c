// SPDX-License-Identifier: MIT
#include "lib/bus/policy.h"

#include "lib/bus/bus_id.h"
#include "lib/bus/directory_private.h"
#include "lib/bus/metaservice.h"
#include "lib/bus/policy_procedure.h"
#include "lib/bus/policy_request.h"
#include "lib/bus/policy_say.h"
#include "lib/bus/policy_view.h"

const struct right *policy_longest(const struct policy_case *self, const struct rights *table,
                                   struct span about, policy_fits *fits)
{
    const struct right *best = NULL;
    for (size_t i = 0; i < self->names.count; i++) {
        const struct right_list *list = rights_of(table, about, self->names.name[i]);
        for (size_t k = 0; k < list->count; k++) {
            if (!fits(self, list->right[k].rule))
                continue;
            if (best == NULL || right_comes_before(&list->right[k], best))
                best = &list->right[k];
            break; /* the others of this list end earlier */
        }
    }
    return best;
}

bool policy_is_about(const struct policy_case *self, const char *const *endpoint, size_t count)
{
    for (size_t i = 0; self->endpoint != NULL && i < count; i++)
        if (strcmp(endpoint[i], self->endpoint->id) == 0)
            return true;
    return count == 0;
}

// --- open and shared ----------------------------------------------------------------------------

static bool competence_holds(const struct policy_case *self, const void *rule)
{
    const struct directory_competence *competence = rule;
    return competence->until_ms > self->question->at_ms;
}

static void decide_competence(const struct policy_case *self, struct policy_verdict *out)
{
    const struct right *right = policy_longest(self, &self->directory->competence_of,
                                               self->question->purpose, competence_holds);
    policy_say_step(self, "competence", right != NULL, "%s",
                    right != NULL ? right->id : "none stands");
    if (right == NULL)
        policy_say_not_competent(self, out);
    else
        policy_say_allowed(
            out, "shared/competence", right->id,
            "A public agency may use a shared service for a purpose for which it is competent.");
}

static void decide_by_competence(const struct policy_case *self, struct policy_verdict *out)
{
    policy_say_step(self, "agency", self->client->member->public_agency, "%s",
                    self->client->member->id);
    if (!self->client->member->public_agency) {
        policy_say_no_agency(self, out);
        return;
    }
    if (self->question->purpose.size == 0) {
        policy_say_step(self, "purpose", false, "none is named");
        policy_say_no_purpose(self, out);
        return;
    }
    const struct directory_purpose *purpose =
        directory_purpose(self->directory, self->question->purpose);
    policy_say_step(self, "purpose", purpose != NULL, "%s",
                    purpose != NULL ? purpose->title : "it is not registered");
    if (purpose == NULL) {
        policy_say_unknown_purpose(self, out);
        return;
    }
    decide_competence(self, out);
}

// --- restricted ---------------------------------------------------------------------------------

static bool names_column(const struct policy_case *self, const char *const *column, size_t count)
{
    for (size_t i = 0; self->column != NULL && i < count; i++)
        if (strcmp(column[i], self->column->name) == 0)
            return true;
    return false;
}

static bool restriction_holds(const struct policy_case *self, const void *rule)
{
    const struct directory_restriction *restriction = rule;
    return restriction->from_ms <= self->question->at_ms &&
           self->question->at_ms < restriction->until_ms &&
           policy_is_about(self, restriction->endpoint, restriction->endpoints) &&
           (restriction->columns == 0 ||
            names_column(self, restriction->column, restriction->columns));
}

/* The one in force that ends last: on everybody, or on this client. */
static const struct directory_restriction *restriction_on(const struct policy_case *self)
{
    struct span service = span_of_text(self->service->id);
    const struct right *own =
        self->service->shut_out == 0
            ? NULL
            : policy_longest(self, &self->directory->restriction_of, service, restriction_holds);
    if (self->service->restrictions == self->service->shut_out)
        return own == NULL ? NULL : own->rule;
    const struct right_list *all =
        rights_of(&self->directory->restriction_of, service, span_of("", 0));
    for (size_t i = 0; i < all->count; i++)
        if (restriction_holds(self, all->right[i].rule)) {
            if (own == NULL || right_comes_before(&all->right[i], own))
                own = &all->right[i];
            break;
        }
    return own == NULL ? NULL : own->rule;
}

static bool misuse_holds(const struct policy_case *self, const void *rule)
{
    const struct directory_restriction *restriction = rule;
    return restriction->ground == GROUND_MISUSE && restriction_holds(self, rule);
}

/* Apart from the others: the one that decides is the one that ends last. */
static bool is_misused(const struct policy_case *self)
{
    return self->service->shut_out > 0 &&
           policy_longest(self, &self->directory->restriction_of, span_of_text(self->service->id),
                          misuse_holds) != NULL;
}

/* By name, and not as one of a class or a group: whoever granted it meant this one. */
static bool is_named(const struct policy_case *self, const char *consumer)
{
    return strcmp(consumer, self->client->id) == 0 ||
           strcmp(consumer, self->client->member->id) == 0;
}

/* A grant for any purpose still refuses a purpose that nobody registered: the name would go into
 * signed evidence. */
static bool grant_is_for(const struct policy_case *self, const void *rule)
{
    const struct directory_grant *grant = rule;
    if (!policy_is_about(self, grant->endpoint, grant->endpoints) ||
        (self->misused && !is_named(self, grant->consumer)))
        return false;
    /* a grant of some columns opens the table, and gives these */
    if (self->column != NULL && grant->columns > 0 &&
        !names_column(self, grant->column, grant->columns))
        return false;
    for (size_t i = 0; i < grant->purposes; i++)
        if (span_is_text(self->question->purpose, grant->purpose[i]))
            return true;
    return grant->purposes == 0 &&
           (self->question->purpose.size == 0 ||
            directory_purpose(self->directory, self->question->purpose) != NULL);
}

/* One that is in force and counts nothing: so no further grant takes anything away. */
static bool grant_is_unbounded(const struct policy_case *self, const void *rule)
{
    const struct directory_grant *grant = rule;
    return grant->volume_a_day == 0 && grant->until_ms > self->question->at_ms &&
           grant_is_for(self, rule);
}

static uint32_t volume_of(const struct right *grant)
{
    return ((const struct directory_grant *)grant->rule)->volume_a_day;
}

/* Of those in force that count: for the same reason the one that counts furthest. */
static const struct right *widest_grant(const struct policy_case *self, struct span service)
{
    const struct right *best = NULL;
    for (size_t i = 0; i < self->names.count; i++) {
        const struct right_list *list =
            rights_of(&self->directory->grant_of, service, self->names.name[i]);
        for (size_t k = 0; k < list->count; k++) {
            const struct right *at = &list->right[k];
            if (at->until_ms <= self->question->at_ms)
                break; /* the others of this list have ended too */
            if (grant_is_for(self, at->rule) &&
                (best == NULL || volume_of(at) > volume_of(best) ||
                 (volume_of(at) == volume_of(best) && right_comes_before(at, best))))
                best = at;
        }
    }
    return best;
}

static const struct right *grant_of(const struct policy_case *self)
{
    struct span service = span_of_text(self->service->id);
    const struct rights *grants = &self->directory->grant_of;
    const struct right *grant = policy_longest(self, grants, service, grant_is_for);
    if (grant == NULL || volume_of(grant) == 0 || grant->until_ms <= self->question->at_ms)
        return grant;
    const struct right *unbounded = policy_longest(self, grants, service, grant_is_unbounded);
    return unbounded != NULL ? unbounded : widest_grant(self, service);
}

static void decide_restricted(const struct policy_case *self,
                              const struct directory_restriction *restriction,
                              struct policy_verdict *out)
{
    const struct right *grant = grant_of(self);
    bool granted = grant != NULL && grant->until_ms > self->question->at_ms;
    if (granted ? volume_of(grant) > 0 && policy_request_opens(self, out)
                : policy_request_decides(self, out))
        return;
    policy_say_step(self, "grant", granted, "%s", grant == NULL ? "none fits" : grant->id);
    if (granted)
        policy_say_allowed(out, "restricted/grant", grant->id,
                           "A grant covers this consumer and purpose.");
    else
        policy_say_no_grant(self, restriction, grant, out);
}

/* A grant opens what is shared, too: to a firm, say, or to an agency of another competence. Else
 * its holder would lose by a restriction's end what the restriction left open. */
static void decide_shared(const struct policy_case *self, struct policy_verdict *out)
{
    struct policy_case quiet = *self;
    quiet.trace = NULL;
    decide_by_competence(&quiet, out);
    const struct right *grant = out->fault == OK ? NULL : grant_of(self);
    if (grant != NULL && grant->until_ms > self->question->at_ms) {
        policy_say_step(self, "grant", true, "%s", grant->id);
        policy_say_allowed(out, "shared/grant", grant->id,
                           "A grant covers this consumer and purpose.");
    } else if (self->trace != NULL) {
        decide_by_competence(self, out);
    }
}

// --- deciding -----------------------------------------------------------------------------------

static bool is_metadata(const struct directory *directory, const struct policy_question *question)
{
    return metaservice_of(question->service) != METASERVICE_NONE &&
           directory_subsystem(directory, bus_id_prefix(question->service, ID_SUBSYSTEM)) != NULL;
}

/* The own class of an endpoint or a column, which may be more open or more closed than its
 * service's. */
static enum service_class class_of(const struct policy_case *self)
{
    return self->column != NULL     ? self->column->class
           : self->endpoint != NULL ? self->endpoint->class
                                    : self->service->class;
}

static void decide_class(const struct policy_case *self, struct policy_verdict *out)
{
    const struct directory_restriction *restriction = restriction_on(self);
    policy_say_step(self, "restriction", true, "%s",
                    restriction == NULL ? "none holds" : restriction->id);
    if (restriction != NULL) {
        decide_restricted(self, restriction, out);
    } else if (class_of(self) == SERVICE_OPEN) {
        policy_say_step(self, "class", true, "open");
        policy_say_allowed(out, "open/any-member", "", "Any member may use an open service.");
    } else {
        policy_say_step(self, "class", true, "shared");
        decide_shared(self, out);
    }
}

/* Whoever asks: a look at a person without a name would be in nobody's view. */
static bool is_about_nobody(const struct policy_case *self, struct policy_verdict *out)
{
    bool nobody = self->question->names_nobody;
    if (!self->service->subject_required)
        return false;
    policy_say_step(self, "subject", !nobody, "each request names the person (Chaski-Subject)");
    if (nobody)
        policy_say_no_subject(self, out);
    return nobody;
}

/* An emergency is named only where nothing else would have opened the service. */
void policy_decide_right(struct policy_case *self, struct policy_verdict *out)
{
    consumer_names_of(self->directory, self->question->client, &self->names);
    self->misused = is_misused(self);
    const struct directory_break_glass *glass = policy_break_glass(self);
    if (glass != NULL) {
        struct policy_case quiet = *self;
        quiet.trace = NULL;
        decide_class(&quiet, out);
        if (out->fault != OK) {
            policy_say_break_glass(self, glass, out);
            return;
        }
    }
    decide_class(self, out);
}

static void decide(struct policy_case *self, struct policy_verdict *out)
{
    const struct policy_question *question = self->question;
    policy_say_step(self, "client", self->client != NULL, "%.*s", (int)question->client.size,
                    (const char *)question->client.at);
    if (self->client == NULL) {
        policy_say_unknown_client(self, out);
        return;
    }
    if (metaservice_of(question->service) == METASERVICE_SUBJECT &&
        is_metadata(self->directory, question)) {
        policy_view_decide(self, out);
        return;
    }
    if (is_metadata(self->directory, question)) {
        policy_say_allowed(out, "metadata/any-member", "",
                           "Any registered subsystem may ask what another one offers.");
        return;
    }
    policy_say_step(self, "service", self->service != NULL, "%.*s", (int)question->service.size,
                    (const char *)question->service.at);
    if (self->service == NULL) {
        policy_say_unknown_service(out);
        return;
    }
    if (self->question->endpoint.size > 0) {
        self->endpoint = directory_endpoint(self->service, self->question->endpoint);
        policy_say_step(self, "endpoint", self->endpoint != NULL, "%.*s",
                        (int)self->question->endpoint.size,
                        (const char *)self->question->endpoint.at);
        if (self->endpoint == NULL) {
            policy_say_unknown_endpoint(self, out);
            return;
        }
    }
    policy_say_step(self, "switch", !self->service->disabled, "%s",
                    self->service->disabled ? "switched off" : "switched on");
    if (self->service->disabled) {
        policy_say_disabled(self, out);
        return;
    }
    if (is_about_nobody(self, out) || policy_procedure_refuses(self, out))
        return;
    policy_decide_right(self, out);
}

void policy_explain(const struct directory *directory, const struct policy_question *question,
                    struct policy_verdict *out, struct policy_trace *trace)
{
    struct policy_case it = {.directory = directory,
                             .question = question,
                             .client = directory_subsystem(directory, question->client),
                             .service = directory_service(directory, question->service),
                             .trace = trace};
    out->fault = OK;
    out->rule[0] = out->reason[0] = out->remedy[0] = '\0';
    if (trace != NULL) {
        trace->steps = 0;
        trace->missing = "";
        trace->supplier[0] = trace->command[0] = '\0';
    }
    decide(&it, out);
}

void policy_decide(const struct directory *directory, const struct policy_question *question,
                   struct policy_verdict *out)
{
    policy_explain(directory, question, out, NULL);
}

static bool is_restricted(const struct directory_service *service, struct policy_case *it)
{
    it->endpoint = NULL;
    if (restriction_on(it) != NULL)
        return true;
    if (service->restrictions == 0)
        return false;
    for (size_t i = 0; i < service->endpoints; i++) {
        it->endpoint = &service->endpoint[i];
        if (restriction_on(it) != NULL)
            return true;
    }
    it->endpoint = NULL;
    for (size_t i = 0; i < service->columns; i++) {
        it->column = &service->column[i];
        if (restriction_on(it) != NULL)
            return true;
    }
    return false;
}

enum policy_class policy_class_of(const struct directory *directory, struct span service,
                                  int64_t at_ms)
{
    const struct directory_service *found = directory_service(directory, service);
    const struct policy_question question = {.service = service, .at_ms = at_ms};
    struct policy_case it = {.directory = directory, .question = &question, .service = found};
    if (found == NULL)
        return POLICY_OPEN;
    if (is_restricted(found, &it))
        return POLICY_RESTRICTED;
    bool open = found->class == SERVICE_OPEN;
    for (size_t i = 0; i < found->endpoints; i++)
        open = open && found->endpoint[i].class == SERVICE_OPEN;
    for (size_t i = 0; i < found->columns; i++)
        open = open && found->column[i].class == SERVICE_OPEN;
    return open ? POLICY_OPEN : POLICY_SHARED;
}

// --- somehow ------------------------------------------------------------------------------------

static bool allows(const struct directory *directory, const struct policy_question *question,
                   const char *purpose)
{
    struct policy_verdict verdict;
    struct policy_question with = *question;
    with.purpose = span_of_text(purpose);
    policy_decide(directory, &with, &verdict);
    return verdict.fault == OK;
}

bool policy_allows_part_somehow(const struct directory *directory,
                                const struct policy_question *question)
{
    struct policy_verdict verdict;
    size_t step = 0;
    policy_decide(directory, question, &verdict);
    if (verdict.fault == OK || question->purpose.size > 0)
        return verdict.fault == OK;
    for (const struct directory_purpose *at;
         verdict.fault == ACCESS_DENIED && (at = directory_next_purpose(directory, &step)) != NULL;)
        if (allows(directory, question, at->id))
            return true;
    return false;
}

bool policy_allows_somehow(const struct directory *directory,
                           const struct policy_question *question)
{
    const struct directory_service *service = directory_service(directory, question->service);
    if (policy_allows_part_somehow(directory, question))
        return true;
    for (size_t i = 0; service != NULL && question->endpoint.size == 0 && i < service->endpoints;
         i++) {
        struct policy_question part = *question;
        part.endpoint = span_of_text(service->endpoint[i].id);
        if (policy_allows_part_somehow(directory, &part))
            return true;
    }
    return false;
}
