// SPDX-License-Identifier: MIT
#include "lib/bus/policy.h"

#include "lib/base/clock.h"
#include "lib/base/text.h"
#include "lib/bus/bus_id.h"
#include "lib/bus/consumer.h"
#include "lib/bus/directory_private.h"
#include "lib/bus/metaservice.h"

#include <assert.h>
#include <stdarg.h>
#include <stdio.h>

#define AUTHORITY "authority"

#define SAY(field, ...) text_format((field), POLICY_TEXT_BYTES, __VA_ARGS__)

static void refuse(struct policy_verdict *out, enum fault_code code, const char *rule)
{
    out->fault = code;
    SAY(out->rule, "%s", rule);
}

static void allow(struct policy_verdict *out, const char *rule, const char *reason)
{
    out->fault = OK;
    SAY(out->rule, "%s", rule);
    SAY(out->reason, "%s", reason);
}

// --- rules by name ------------------------------------------------------------------------------

struct case_of {
    const struct directory *directory;
    const struct policy_question *question;
    const struct directory_subsystem *client;
    const struct directory_service *service;
    struct policy_trace *trace;  /* or NULL */
    struct consumer_names names; /* under which rules may mean the client */
};

static void say(char *out, const char *format, va_list args)
{
    vsnprintf(out, POLICY_TEXT_BYTES, format, args);
}

/* What was looked at, and what was found. */
static void note(const struct case_of *self, const char *name, bool holds, const char *format, ...)
    __attribute__((format(printf, 4, 5)));
static void note(const struct case_of *self, const char *name, bool holds, const char *format, ...)
{
    if (self->trace == NULL)
        return;
    assert(self->trace->steps < POLICY_STEPS_MAX);
    struct policy_step *step = &self->trace->step[self->trace->steps++];
    va_list args;
    step->name = name;
    step->holds = holds;
    va_start(args, format);
    say(step->detail, format, args);
    va_end(args);
    if (!holds)
        self->trace->missing = name;
}

/* Who can supply what is missing, and by which command. */
static void supply(const struct case_of *self, const char *who, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
static void supply(const struct case_of *self, const char *who, const char *format, ...)
{
    if (self->trace == NULL)
        return;
    va_list args;
    SAY(self->trace->supplier, "%s", who);
    va_start(args, format);
    say(self->trace->command, format, args);
    va_end(args);
}

typedef bool right_fits(const struct case_of *self, const void *rule);

/* The fitting rule that ends last, among all that mean the client; the smallest id among equals, so
 * that both sides name the same. */
static const struct right *longest(const struct case_of *self, const struct rights *table,
                                   struct span about, right_fits *fits)
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

// --- open and shared ----------------------------------------------------------------------------

/* Any registered purpose, to name as an example; the smallest, so that both sides say the same. */
static const char *example_purpose(const struct directory *directory)
{
    size_t step = 0;
    const char *example = NULL;
    for (const struct directory_purpose *purpose;
         (purpose = directory_next_purpose(directory, &step)) != NULL;)
        if (example == NULL || strcmp(purpose->id, example) < 0)
            example = purpose->id;
    return example == NULL ? "(none is registered yet)" : example;
}

static void say_purpose_remedy(const struct directory *directory, struct policy_verdict *out)
{
    SAY(out->remedy,
        "Send the header Chaski-Purpose with a purpose that is registered in the directory, such "
        "as "
        "%s, or set a default purpose for this subsystem in the gateway's configuration.",
        example_purpose(directory));
}

static bool competence_holds(const struct case_of *self, const void *rule)
{
    const struct directory_competence *competence = rule;
    return competence->until_ms > self->question->at_ms;
}

static void decide_competence(const struct case_of *self, struct policy_verdict *out)
{
    char rule[POLICY_TEXT_BYTES];
    const struct right *right =
        longest(self, &self->directory->competence_of, self->question->purpose, competence_holds);
    note(self, "competence", right != NULL, "%s", right != NULL ? right->id : "none stands");
    if (right == NULL) {
        refuse(out, ACCESS_DENIED, "shared/not-competent");
        SAY(out->reason,
            "No competence of %s for the purpose that the request names is registered, or it has "
            "ended.",
            self->client->member->id);
        SAY(out->remedy,
            "Name a purpose for which the member is competent, or have the authority register the "
            "competence with its legal basis: chaski-registry competence add STORE C-ID --consumer "
            "%s --purpose %.*s --legal-basis TEXT",
            self->client->member->id, (int)self->question->purpose.size,
            (const char *)self->question->purpose.at);
        supply(self, AUTHORITY,
               "chaski-registry competence add STORE C-ID --consumer %s --purpose %.*s "
               "--legal-basis TEXT",
               self->client->member->id, (int)self->question->purpose.size,
               (const char *)self->question->purpose.at);
        return;
    }
    SAY(rule, "shared/competence %s", right->id);
    allow(out, rule,
          "A public agency may use a shared service for a purpose for which it is competent.");
}

static void decide_shared(const struct case_of *self, struct policy_verdict *out)
{
    note(self, "agency", self->client->member->public_agency, "%s", self->client->member->id);
    if (!self->client->member->public_agency) {
        refuse(out, ACCESS_DENIED, "shared/not-a-public-agency");
        SAY(out->reason,
            "The service is shared among public agencies, and %s is not registered as one.",
            self->client->member->id);
        SAY(out->remedy, "Ask the authority to register the member as a public agency if it is one "
                         "(chaski-registry member add --public), or ask the provider to offer the "
                         "data as a restricted service and to grant it.");
        supply(self, AUTHORITY, "chaski-registry member add STORE %s --name TEXT --public",
               self->client->member->id);
        return;
    }
    if (self->question->purpose.size == 0) {
        note(self, "purpose", false, "none is named");
        supply(self, self->client->member->id, "curl -H 'Chaski-Purpose: %s' ...",
               example_purpose(self->directory));
        refuse(out, ACCESS_DENIED, "shared/no-purpose");
        SAY(out->reason,
            "The service is shared with public agencies that name a registered purpose, "
            "and the request names none.");
        say_purpose_remedy(self->directory, out);
        return;
    }
    const struct directory_purpose *purpose =
        directory_purpose(self->directory, self->question->purpose);
    note(self, "purpose", purpose != NULL, "%s",
         purpose != NULL ? purpose->title : "it is not registered");
    if (purpose == NULL) {
        supply(self, AUTHORITY,
               "chaski-registry purpose add STORE %.*s --title TEXT "
               "--legal-basis TEXT",
               (int)self->question->purpose.size, (const char *)self->question->purpose.at);
        refuse(out, ACCESS_DENIED, "shared/unknown-purpose");
        SAY(out->reason, "The purpose that the request names is not registered in the directory.");
        say_purpose_remedy(self->directory, out);
        return;
    }
    decide_competence(self, out);
}

// --- restricted ---------------------------------------------------------------------------------

static bool restriction_holds(const struct case_of *self, const void *rule)
{
    const struct directory_restriction *restriction = rule;
    return restriction->from_ms <= self->question->at_ms &&
           self->question->at_ms < restriction->until_ms;
}

/* The one in force that ends last: on everybody, or on this client. */
static const struct directory_restriction *restriction_on(const struct case_of *self)
{
    struct span service = span_of_text(self->service->id);
    const struct right *own =
        self->service->shut_out == 0
            ? NULL
            : longest(self, &self->directory->restriction_of, service, restriction_holds);
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

/* A grant for any purpose still refuses a purpose that nobody registered: the name would go into
 * signed evidence. */
static bool grant_is_for(const struct case_of *self, const void *rule)
{
    const struct directory_grant *grant = rule;
    for (size_t i = 0; i < grant->purposes; i++)
        if (span_is_text(self->question->purpose, grant->purpose[i]))
            return true;
    return grant->purposes == 0 &&
           (self->question->purpose.size == 0 ||
            directory_purpose(self->directory, self->question->purpose) != NULL);
}

static void say_grant_remedy(const struct case_of *self, struct policy_verdict *out)
{
    SAY(out->remedy,
        "Ask %s (%s) for a grant; the authority records it with: chaski-registry grant add STORE "
        "G-ID --service %s --consumer %s --legal-basis TEXT --until YYYY-MM-DD",
        self->service->subsystem->member->name, self->service->subsystem->member->id,
        self->service->id, self->client->id);
}

static void decide_restricted(const struct case_of *self,
                              const struct directory_restriction *restriction,
                              struct policy_verdict *out)
{
    char rule[POLICY_TEXT_BYTES], until[32];
    const struct right *grant =
        longest(self, &self->directory->grant_of, span_of_text(self->service->id), grant_is_for);
    bool granted = grant != NULL && grant->until_ms > self->question->at_ms;
    note(self, "grant", granted, "%s", grant == NULL ? "none fits" : grant->id);
    if (granted) {
        SAY(rule, "restricted/grant %s", grant->id);
        allow(out, rule, "A grant covers this consumer and purpose.");
        return;
    }
    clock_text(restriction->until_ms, until, sizeof until);
    if (grant != NULL)
        SAY(rule, "restricted/grant-expired %s", grant->id);
    else
        SAY(rule, "restricted/no-grant %s", restriction->id);
    SAY(out->reason, "The service is restricted until %s (%s, by %s), and %s%s.", until,
        directory_ground_word(restriction->ground), restriction->approver,
        grant != NULL ? "the grant has ended: " : "no grant covers this consumer and purpose",
        grant != NULL ? grant->id : "");
    refuse(out, ACCESS_DENIED, rule);
    say_grant_remedy(self, out);
    supply(self, self->service->subsystem->member->id,
           "chaski-registry grant add STORE G-ID --service %s --consumer %s --legal-basis TEXT "
           "--until YYYY-MM-DD",
           self->service->id, self->client->id);
}

// --- deciding -----------------------------------------------------------------------------------

static bool is_metadata(const struct directory *directory, const struct policy_question *question)
{
    return metaservice_of(question->service) != METASERVICE_NONE &&
           directory_subsystem(directory, bus_id_prefix(question->service, ID_SUBSYSTEM)) != NULL;
}

static void decide_right(struct case_of *self, struct policy_verdict *out)
{
    consumer_names_of(self->directory, self->question->client, &self->names);
    const struct directory_restriction *restriction = restriction_on(self);
    note(self, "restriction", true, "%s", restriction == NULL ? "none holds" : restriction->id);
    if (restriction != NULL) {
        decide_restricted(self, restriction, out);
    } else if (self->service->class == SERVICE_OPEN) {
        note(self, "class", true, "open");
        allow(out, "open/any-member", "Any member may use an open service.");
    } else {
        note(self, "class", true, "shared");
        decide_shared(self, out);
    }
}

static void decide(struct case_of *self, struct policy_verdict *out)
{
    const struct policy_question *question = self->question;
    note(self, "client", self->client != NULL, "%.*s", (int)question->client.size,
         (const char *)question->client.at);
    if (self->client == NULL) {
        refuse(out, UNKNOWN_CLIENT, "directory/unknown-client");
        SAY(out->reason, "The calling subsystem is not in the directory.");
        SAY(out->remedy,
            "Ask the authority to register it: chaski-registry subsystem add STORE %.*s "
            "--name TEXT --server SERVER",
            (int)question->client.size, (const char *)question->client.at);
        supply(self, AUTHORITY,
               "chaski-registry subsystem add STORE %.*s --name TEXT --server SERVER",
               (int)question->client.size, (const char *)question->client.at);
        return;
    }
    if (is_metadata(self->directory, question)) {
        allow(out, "metadata/any-member",
              "Any registered subsystem may ask what another one offers.");
        return;
    }
    note(self, "service", self->service != NULL, "%.*s", (int)question->service.size,
         (const char *)question->service.at);
    if (self->service == NULL) {
        refuse(out, UNKNOWN_SERVICE, "directory/unknown-service");
        SAY(out->reason, "The service is not in the directory.");
        SAY(out->remedy, "Check the service's identifier against the directory's list.");
        return;
    }
    const struct directory_member *provider = self->service->subsystem->member;
    note(self, "switch", !self->service->disabled, "%s",
         self->service->disabled ? "switched off" : "switched on");
    if (self->service->disabled) {
        refuse(out, SERVICE_DISABLED, "service/disabled");
        SAY(out->reason, "%s",
            self->service->notice[0] != '\0' ? self->service->notice
                                             : "Switched off by its owner.");
        SAY(out->remedy, "Ask %s when the service will be back.", provider->name);
        supply(self, provider->id, "chaski-registry service enable STORE %s", self->service->id);
        return;
    }
    decide_right(self, out);
}

void policy_explain(const struct directory *directory, const struct policy_question *question,
                    struct policy_verdict *out, struct policy_trace *trace)
{
    struct case_of it = {.directory = directory,
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

enum policy_class policy_class_of(const struct directory *directory, struct span service,
                                  int64_t at_ms)
{
    const struct directory_service *found = directory_service(directory, service);
    const struct policy_question question = {.service = service, .at_ms = at_ms};
    struct case_of it = {.directory = directory, .question = &question, .service = found};
    if (found == NULL)
        return POLICY_OPEN;
    if (restriction_on(&it) != NULL)
        return POLICY_RESTRICTED;
    return found->class == SERVICE_OPEN ? POLICY_OPEN : POLICY_SHARED;
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

bool policy_allows_somehow(const struct directory *directory,
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
