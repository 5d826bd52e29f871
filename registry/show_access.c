// SPDX-License-Identifier: MIT
#include "registry/show_access.h"

#include "lib/base/clock.h"
#include "registry/show_closed.h"
#include "registry/show_list.h"

#define DAY_MS INT64_C(86400000)

#define WALK(kind)                                                                  \
    static const void *next_##kind(const struct directory *directory, size_t *step) \
    {                                                                               \
        return directory_next_##kind(directory, step);                              \
    }
WALK(request)
WALK(decision)
WALK(break_glass)
WALK(restriction)
WALK(grant)

static json_t *time_json(int64_t ms)
{
    char text[32];
    if (ms == 0)
        return json_null();
    clock_text(ms, text, sizeof text);
    return json_string(text);
}

static json_t *texts_json(const char *const *texts, size_t count)
{
    json_t *array = json_array();
    for (size_t i = 0; i < count; i++)
        json_array_append_new(array, json_string(texts[i]));
    return array;
}

typedef json_t *thing_json(const struct directory *directory, const void *thing, int64_t at_ms);

static const struct show_page everything = {.after = "", .most = SIZE_MAX};

static const char *id_of(const void *thing)
{
    return *(const char *const *)thing;
}

/* *next: where the following page begins, or NULL. */
static json_t *list_json(const struct directory *directory, show_next *walk, thing_json *json,
                         int64_t at_ms, const struct show_page *page, const char **next)
{
    OWNED(show_list) list = show_list_of(directory, walk);
    json_t *array = json_array();
    const char *last = NULL;
    *next = NULL;
    for (size_t i = 0; i < list->count; i++) {
        if (strcmp(id_of(list->at[i]), page->after) <= 0)
            continue;
        if (json_array_size(array) == page->most) {
            *next = last;
            break;
        }
        last = id_of(list->at[i]);
        json_array_append_new(array, json(directory, list->at[i], at_ms));
    }
    return array;
}

static json_t *all_json(const struct directory *directory, show_next *walk, thing_json *json,
                        int64_t at_ms)
{
    const char *next = NULL;
    return list_json(directory, walk, json, at_ms, &everything, &next);
}

static json_t *page_json(const struct directory *directory, int64_t at_ms,
                         const struct show_page *page, const char *name, show_next *walk,
                         thing_json *json)
{
    const char *next = NULL;
    json_t *list = list_json(directory, walk, json, at_ms, page, &next);
    return json_pack("{s:I,s:o,s:o,s:s?}", "epoch", (json_int_t)directory_epoch(directory), "at",
                     time_json(at_ms), name, list, "next", next);
}

// --- requests -----------------------------------------------------------------------------------

static json_t *standing_json(const struct standing *standing)
{
    return json_pack("{s:s,s:s,s:o,s:b,s:s}", "state", access_state_word(standing->state), "owner",
                     standing->owner, "until", time_json(standing->until_ms), "overdue",
                     standing->overdue, "by", standing->by);
}

static json_t *objection_json(const struct directory_request *request)
{
    if (request->objected_ms == 0)
        return json_null();
    return json_pack("{s:o,s:s,s:s}", "at", time_json(request->objected_ms), "ground",
                     directory_ground_word(request->objection), "reason",
                     request->objection_reason);
}

json_t *show_request_json(const struct directory *directory,
                          const struct directory_request *request, int64_t at_ms)
{
    struct standing standing;
    access_standing(directory, request, at_ms, &standing);
    json_t *json = json_pack(
        "{s:s,s:s,s:s,s:o,s:s,s:s,s:o,s:o,s:o,s:o}", "id", request->id, "service", request->service,
        "consumer", request->consumer, "purposes", texts_json(request->purpose, request->purposes),
        "legal_basis", request->legal_basis, "reason", request->reason, "at",
        time_json(request->at_ms), "answer_until", time_json(request->answer_until_ms),
        "decide_until", time_json(request->decide_until_ms), "objection", objection_json(request));
    json_object_set_new(json, "endpoints",
                        texts_json(request->scope.endpoint, request->scope.endpoints));
    json_object_set_new(json, "columns", texts_json(request->scope.column, request->scope.columns));
    json_object_update_new(json, standing_json(&standing));
    return json;
}

static json_t *request_json(const struct directory *directory, const void *thing, int64_t at_ms)
{
    return show_request_json(directory, thing, at_ms);
}

static json_t *facts_json(const struct directory_decision *at)
{
    json_t *grounds = json_array(), *competent = json_array();
    for (unsigned ground = 1; ground < GROUNDS_END; ground++)
        if ((at->facts.grounds >> ground & 1) != 0)
            json_array_append_new(
                grounds, json_string(directory_ground_word((enum directory_ground)ground)));
    for (size_t i = 0; i < at->purposes; i++)
        if ((at->facts.competent >> i & 1) != 0)
            json_array_append_new(competent, json_string(at->purpose[i]));
    return json_pack("{s:b,s:o,s:o,s:b,s:s}", "public_agency", at->facts.public_agency, "competent",
                     competent, "grounds", grounds, "by_law", at->facts.by_law, "legal_basis",
                     at->legal_basis);
}

static json_t *decision_json(const struct directory *directory, const void *thing, int64_t at_ms)
{
    const struct directory_decision *at = thing;
    (void)directory;
    return json_pack("{s:s,s:s,s:o,s:o,s:b,s:s,s:o,s:o,s:b,s:s,s:s,s:o,s:o}", "id", at->id,
                     "request", at->request, "endpoints",
                     texts_json(at->scope.endpoint, at->scope.endpoints), "columns",
                     texts_json(at->scope.column, at->scope.columns), "allow", at->allow, "reason",
                     at->reason, "at", time_json(at->at_ms), "until", time_json(at->until_ms),
                     "in_force", at_ms < at->until_ms, "service", at->service, "class", at->class,
                     "purposes", texts_json(at->purpose, at->purposes), "rests_on", facts_json(at));
}

static const char *glass_state(const struct directory_break_glass *glass, int64_t at_ms)
{
    if (at_ms < access_glass_end_ms(glass))
        return "open";
    return glass->review[0] == '\0' ? "review due" : "reviewed";
}

static json_t *break_glass_json(const struct directory *directory, const void *thing, int64_t at_ms)
{
    const struct directory_break_glass *at = thing;
    bool over = at_ms >= access_glass_end_ms(at);
    int64_t due_ms = access_glass_end_ms(at) + BREAK_GLASS_REVIEW_MS;
    (void)directory;
    return json_pack("{s:s,s:s,s:s,s:s,s:s,s:o,s:o,s:o,s:s,s:o,s:b,s:s,s:s,s:o}", "id", at->id,
                     "service", at->service, "consumer", at->consumer, "purpose", at->purpose,
                     "reason", at->reason, "opened_by", texts_json(at->opener, at->openers), "at",
                     time_json(at->at_ms), "until", time_json(access_glass_end_ms(at)), "state",
                     glass_state(at, at_ms), "review_until", time_json(due_ms), "overdue",
                     over && at->review[0] == '\0' && at_ms >= due_ms, "review", at->review,
                     "reviewed_by", at->reviewer, "reviewed", time_json(at->reviewed_ms));
}

static json_t *calendar_json(const struct directory_calendar *calendar)
{
    if (calendar == NULL)
        return json_null();
    return json_pack("{s:i,s:i,s:i,s:i,s:i}", "first_year", (int)calendar->days.first_year,
                     "last_year", (int)calendar->days.last_year, "holidays",
                     (int)calendar->days.holidays, "answer_days", (int)calendar->answer_days,
                     "decide_days", (int)calendar->decide_days);
}

json_t *show_requests_json(const struct directory *directory, int64_t at_ms,
                           const struct show_page *page)
{
    return page_json(directory, at_ms, page, "requests", next_request, request_json);
}

json_t *show_emergencies_json(const struct directory *directory, int64_t at_ms,
                              const struct show_page *page)
{
    return page_json(directory, at_ms, page, "emergencies", next_break_glass, break_glass_json);
}

json_t *show_access_json(const struct directory *directory, int64_t at_ms)
{
    return json_pack("{s:o,s:o,s:o,s:o}", "requests",
                     all_json(directory, next_request, request_json, at_ms), "decisions",
                     all_json(directory, next_decision, decision_json, at_ms), "emergencies",
                     all_json(directory, next_break_glass, break_glass_json, at_ms), "calendar",
                     calendar_json(directory_calendar(directory)));
}

// --- restrictions and grants --------------------------------------------------------------------

static const char *state_word(int64_t from_ms, int64_t until_ms, int64_t at_ms)
{
    return at_ms < from_ms ? "to come" : at_ms < until_ms ? "in force" : "ended";
}

/* Whole days that are left, rounded up: on its last day, 1. */
static json_int_t days_left(int64_t until_ms, int64_t at_ms)
{
    return at_ms >= until_ms ? 0 : (json_int_t)((until_ms - at_ms + DAY_MS - 1) / DAY_MS);
}

static json_t *restriction_json(const struct directory *directory, const void *thing, int64_t at_ms)
{
    const struct directory_restriction *at = thing;
    (void)directory;
    return json_pack("{s:s,s:s,s:o,s:o,s:o,s:s,s:b,s:s,s:s,s:o,s:o,s:s,s:I}", "id", at->id,
                     "service", at->service, "endpoints", texts_json(at->endpoint, at->endpoints),
                     "columns", texts_json(at->column, at->columns), "consumer",
                     at->consumer[0] == '\0' ? json_null() : json_string(at->consumer), "ground",
                     directory_ground_word(at->ground), "by_law", at->by_law, "reason", at->reason,
                     "approver", at->approver, "from", time_json(at->from_ms), "until",
                     time_json(at->until_ms), "state", state_word(at->from_ms, at->until_ms, at_ms),
                     "days_left", days_left(at->until_ms, at_ms));
}

static json_t *grant_json(const struct directory *directory, const void *thing, int64_t at_ms)
{
    const struct directory_grant *at = thing;
    (void)directory;
    return json_pack("{s:s,s:s,s:o,s:o,s:s,s:o,s:s,s:s,s:o,s:s,s:I}", "id", at->id, "service",
                     at->service, "endpoints", texts_json(at->endpoint, at->endpoints), "columns",
                     texts_json(at->column, at->columns), "consumer", at->consumer, "purposes",
                     texts_json(at->purpose, at->purposes), "legal_basis", at->legal_basis,
                     "request", at->request, "until", time_json(at->until_ms), "state",
                     state_word(0, at->until_ms, at_ms), "days_left",
                     days_left(at->until_ms, at_ms));
}

json_t *show_restrictions_json(const struct directory *directory, int64_t at_ms,
                               const struct show_page *page)
{
    const char *next = NULL;
    json_t *json =
        page_json(directory, at_ms, page, "restrictions", next_restriction, restriction_json);
    if (page->after[0] == '\0') { /* the first page has the first of those that need none, too */
        json_object_set_new(
            json, "closed_without_restriction",
            list_json(directory, show_closed_next, show_closed_json, at_ms, page, &next));
        json_object_set_new(json, "closed_without_restriction_next",
                            next == NULL ? json_null() : json_string(next));
    }
    return json;
}

json_t *show_closed_page_json(const struct directory *directory, int64_t at_ms,
                              const struct show_page *page)
{
    return page_json(directory, at_ms, page, "closed_without_restriction", show_closed_next,
                     show_closed_json);
}

json_t *show_grants_json(const struct directory *directory, int64_t at_ms,
                         const struct show_page *page)
{
    return page_json(directory, at_ms, page, "grants", next_grant, grant_json);
}

// --- JSON-LD ------------------------------------------------------------------------------------

#define CHASKI "urn:chaski:"

static json_t *constraint_ld(const char *left, const char *operator, json_t * right)
{
    return json_pack("{s:s,s:s,s:o}", "odrl:leftOperand", left, "odrl:operator", operator,
                     "odrl:rightOperand", right);
}

static json_t *moment_ld(int64_t ms)
{
    return json_pack("{s:s,s:o}", "@type", "xsd:dateTime", "@value", time_json(ms));
}

/* An identifier of the bus as a name: urn:chaski:CO/GOV/... */
static json_t *name_ld(const char *id)
{
    return json_sprintf(CHASKI "%s", id);
}

static json_t *context_ld(void)
{
    return json_pack("{s:s,s:s,s:s,s:s}", "odrl", "http://www.w3.org/ns/odrl/2/", "dct",
                     "http://purl.org/dc/terms/", "xsd", "http://www.w3.org/2001/XMLSchema#",
                     "chaski", CHASKI);
}

static json_t *restriction_ld(const struct directory *directory, const void *thing, int64_t at_ms)
{
    const struct directory_restriction *at = thing;
    json_t *rule = json_pack("{s:s,s:o,s:s,s:[o,o]}", "@type", "odrl:Prohibition", "odrl:target",
                             name_ld(at->service), "odrl:action", "odrl:use", "odrl:constraint",
                             constraint_ld("odrl:dateTime", "odrl:gteq", moment_ld(at->from_ms)),
                             constraint_ld("odrl:dateTime", "odrl:lt", moment_ld(at->until_ms)));
    (void)directory;
    if (at->consumer[0] != '\0')
        json_object_set_new(rule, "odrl:assignee", name_ld(at->consumer));
    if (at->endpoints > 0)
        json_object_set_new(rule, "chaski:endpoints", texts_json(at->endpoint, at->endpoints));
    if (at->columns > 0)
        json_object_set_new(rule, "chaski:columns", texts_json(at->column, at->columns));
    return json_pack("{s:o,s:s,s:o,s:s,s:b,s:s,s:s,s:s}", "@id",
                     json_sprintf(CHASKI "restriction:%s", at->id), "@type", "odrl:Set",
                     "odrl:prohibition", rule, "chaski:ground", directory_ground_word(at->ground),
                     "chaski:byLaw", at->by_law, "dct:description", at->reason, "chaski:approver",
                     at->approver, "chaski:state", state_word(at->from_ms, at->until_ms, at_ms));
}

static json_t *grant_ld(const struct directory *directory, const void *thing, int64_t at_ms)
{
    const struct directory_grant *at = thing;
    const struct directory_service *service =
        directory_service(directory, span_of_text(at->service));
    json_t *limits =
        json_pack("[o]", constraint_ld("odrl:dateTime", "odrl:lt", moment_ld(at->until_ms)));
    if (at->purposes > 0)
        json_array_append_new(limits, constraint_ld("odrl:purpose", "odrl:isAnyOf",
                                                    texts_json(at->purpose, at->purposes)));
    if (at->endpoints > 0)
        json_array_append_new(limits, constraint_ld("chaski:endpoint", "odrl:isAnyOf",
                                                    texts_json(at->endpoint, at->endpoints)));
    if (at->columns > 0)
        json_array_append_new(limits, constraint_ld("chaski:column", "odrl:isAnyOf",
                                                    texts_json(at->column, at->columns)));
    return json_pack(
        "{s:o,s:s,s:o,s:o,s:{s:s,s:o,s:s,s:o},s:s,s:s}", "@id",
        json_sprintf(CHASKI "grant:%s", at->id), "@type", "odrl:Agreement", "odrl:assigner",
        name_ld(service == NULL ? at->service : service->subsystem->member->id), "odrl:assignee",
        name_ld(at->consumer), "odrl:permission", "@type", "odrl:Permission", "odrl:target",
        name_ld(at->service), "odrl:action", "odrl:use", "odrl:constraint", limits,
        "chaski:legalBasis", at->legal_basis, "chaski:state", state_word(0, at->until_ms, at_ms));
}

static json_t *graph_ld(const struct directory *directory, int64_t at_ms,
                        const struct show_page *page, show_next *walk, thing_json *json)
{
    const char *next = NULL;
    json_t *list = list_json(directory, walk, json, at_ms, page, &next);
    return json_pack("{s:o,s:o,s:s?}", "@context", context_ld(), "@graph", list, "chaski:next",
                     next);
}

json_t *show_restrictions_ld(const struct directory *directory, int64_t at_ms,
                             const struct show_page *page)
{
    return graph_ld(directory, at_ms, page, next_restriction, restriction_ld);
}

json_t *show_closed_page_ld(const struct directory *directory, int64_t at_ms,
                            const struct show_page *page)
{
    return graph_ld(directory, at_ms, page, show_closed_next, show_closed_ld);
}

json_t *show_grants_ld(const struct directory *directory, int64_t at_ms,
                       const struct show_page *page)
{
    return graph_ld(directory, at_ms, page, next_grant, grant_ld);
}

// --- for people ---------------------------------------------------------------------------------

static void print_scope(const struct access_scope *scope, FILE *out)
{
    for (size_t i = 0; i < scope->endpoints; i++)
        fprintf(out, "%s%s", i == 0 ? ", endpoint " : ", ", scope->endpoint[i]);
    for (size_t i = 0; i < scope->columns; i++)
        fprintf(out, "%s%s", i == 0 ? ", column " : ", ", scope->column[i]);
}

static void print_request(const struct directory *directory, const void *thing, int64_t at_ms,
                          FILE *out)
{
    const struct directory_request *at = thing;
    struct standing standing;
    char until[32];
    access_standing(directory, at, at_ms, &standing);
    clock_text(standing.until_ms, until, sizeof until);
    fprintf(out, "%s asks for %s", at->consumer, at->service);
    print_scope(&at->scope, out);
    fprintf(out, ": %s%s%s%s%s", access_state_word(standing.state),
            standing.by[0] == '\0' ? "" : " by ", standing.by,
            standing.until_ms == 0 ? "" : " until ", standing.until_ms == 0 ? "" : until);
    fprintf(out, "%s%s%s\n", standing.owner[0] == '\0' ? "" : "; the turn of ", standing.owner,
            standing.overdue ? ", OVERDUE" : "");
}

static void print_decision(const struct directory *directory, const void *thing, int64_t at_ms,
                           FILE *out)
{
    const struct directory_decision *at = thing;
    char until[32];
    (void)directory;
    clock_text(at->until_ms, until, sizeof until);
    fprintf(out, "%s on %s, and on equal requests of %s for %s", at->allow ? "allow" : "deny",
            at->request, at->class, at->service);
    print_scope(&at->scope, out);
    fprintf(out, ", %s %s (%s)\n", at_ms < at->until_ms ? "until" : "ended", until, at->reason);
}

static void print_glass(const struct directory *directory, const void *thing, int64_t at_ms,
                        FILE *out)
{
    const struct directory_break_glass *at = thing;
    char until[32];
    (void)directory;
    clock_text(access_glass_end_ms(at), until, sizeof until);
    fprintf(out, "%s, %s for %s until %s: %s", glass_state(at, at_ms), at->consumer, at->service,
            until, at->reason);
    for (size_t i = 0; i < at->openers; i++)
        fprintf(out, "%s%s", i == 0 ? "; opened by " : ", ", at->opener[i]);
    fprintf(out, "%s%s%s%s\n", at->review[0] == '\0' ? "" : "; reviewed by ", at->reviewer,
            at->review[0] == '\0' ? "" : ": ", at->review);
}

void show_access(const struct directory *directory, int64_t at_ms, FILE *out)
{
    static const struct {
        const char *title;
        show_next *next;
        void (*print)(const struct directory *, const void *, int64_t, FILE *);
    } kinds[] = {{"REQUESTS FOR ACCESS", next_request, print_request},
                 {"DECISIONS OF THE ARBITER", next_decision, print_decision},
                 {"EMERGENCIES", next_break_glass, print_glass}};
    for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++) {
        OWNED(show_list) list = show_list_of(directory, kinds[i].next);
        fprintf(out, "\n%s (%zu)\n", kinds[i].title, list->count);
        for (size_t k = 0; k < list->count; k++) {
            fprintf(out, "  %-*s  ", show_width(list), *(const char *const *)list->at[k]);
            kinds[i].print(directory, list->at[k], at_ms, out);
        }
    }
}
