// SPDX-License-Identifier: MIT
#include "lib/bus/policy_say.h"

#include "lib/bus/once_only.h"

#include "lib/base/clock.h"
#include "lib/base/text.h"
#include "lib/bus/access.h"

#include <assert.h>
#include <stdarg.h>
#include <stdio.h>

#define SAY(field, ...) text_format((field), POLICY_TEXT_BYTES, __VA_ARGS__)

/* For %.*s. */
#define TEXT_OF(span) (int)(span).size, (const char *)(span).at

// --- trace and verdict --------------------------------------------------------------------------

void policy_say_step(const struct policy_case *self, const char *name, bool holds,
                     const char *format, ...)
{
    if (self->trace == NULL)
        return;
    assert(self->trace->steps < POLICY_STEPS_MAX);
    struct policy_step *step = &self->trace->step[self->trace->steps++];
    va_list args;
    step->name = name;
    step->holds = holds;
    va_start(args, format);
    vsnprintf(step->detail, sizeof step->detail, format, args);
    va_end(args);
    if (!holds)
        self->trace->missing = name;
}

void policy_say_supply(const struct policy_case *self, const char *who, const char *format, ...)
{
    if (self->trace == NULL)
        return;
    va_list args;
    SAY(self->trace->supplier, "%s", who);
    va_start(args, format);
    vsnprintf(self->trace->command, sizeof self->trace->command, format, args);
    va_end(args);
}

void policy_say_allowed(struct policy_verdict *out, const char *rule, const char *id,
                        const char *reason)
{
    out->fault = OK;
    SAY(out->rule, "%s%s%s", rule, id[0] == '\0' ? "" : " ", id);
    SAY(out->reason, "%s", reason);
    out->remedy[0] = '\0';
}

static void refuse(struct policy_verdict *out, enum fault_code code, const char *rule)
{
    out->fault = code;
    SAY(out->rule, "%s", rule);
}

// --- who and what -------------------------------------------------------------------------------

void policy_say_unknown_client(const struct policy_case *self, struct policy_verdict *out)
{
    refuse(out, UNKNOWN_CLIENT, "directory/unknown-client");
    SAY(out->reason, "The calling subsystem is not in the directory.");
    SAY(out->remedy,
        "Ask the authority to register it: chaski-registry subsystem add STORE %.*s "
        "--name TEXT --server SERVER",
        TEXT_OF(self->question->client));
    policy_say_supply(self, POLICY_AUTHORITY,
                      "chaski-registry subsystem add STORE %.*s --name TEXT --server SERVER",
                      TEXT_OF(self->question->client));
}

void policy_say_unknown_service(struct policy_verdict *out)
{
    refuse(out, UNKNOWN_SERVICE, "directory/unknown-service");
    SAY(out->reason, "The service is not in the directory.");
    SAY(out->remedy, "Check the service's identifier against the directory's list.");
}

void policy_say_unknown_endpoint(const struct policy_case *self, struct policy_verdict *out)
{
    refuse(out, UNKNOWN_ENDPOINT, "directory/unknown-endpoint");
    SAY(out->reason, "The endpoint that the request names is not in the directory.");
    SAY(out->remedy,
        "Ask again: the caller's server may have an older directory. Endpoints of %s "
        "stand in the directory's list.",
        self->service->id);
}

void policy_say_disabled(const struct policy_case *self, struct policy_verdict *out)
{
    const struct directory_member *provider = self->service->subsystem->member;
    refuse(out, SERVICE_DISABLED, "service/disabled");
    SAY(out->reason, "%s",
        self->service->notice[0] != '\0' ? self->service->notice : "Switched off by its owner.");
    SAY(out->remedy, "Ask %s when the service will be back.", provider->name);
    policy_say_supply(self, provider->id, "chaski service enable %s --config SERVER_CONF",
                      self->service->id);
}

void policy_say_no_subject(const struct policy_case *self, struct policy_verdict *out)
{
    refuse(out, SUBJECT_REQUIRED, "subject/not-named");
    SAY(out->reason, "This service is about persons: each request says about whom, so that it "
                     "stands in that person's view.");
    SAY(out->remedy, "Send Chaski-Subject with the type and the number of the person's document, "
                     "such as \"CC 1020304050\"; it goes no further than your own server.");
    policy_say_supply(self, self->client->member->id, "%s", "");
}

static void name_procedure(struct policy_verdict *out, const char *id)
{
    size_t used = strlen(out->rule);
    text_format(out->rule + used, sizeof out->rule - used, " %s", id);
}

void policy_say_not_owner(const struct policy_case *self,
                          const struct directory_procedure *procedure, struct policy_verdict *out)
{
    refuse(out, ACCESS_DENIED, "once-only/not-owner");
    name_procedure(out, procedure->id);
    SAY(out->reason, "The procedure %s (%s) is run by %s, which this caller is not.", procedure->id,
        procedure->title, procedure->owner);
    SAY(out->remedy,
        "Name the procedure of your own for which it is needed, or none; who is to run %s is its "
        "owner in the register.",
        procedure->id);
    policy_say_supply(self, POLICY_AUTHORITY, "chaski-registry once-only add STORE FILE");
}

void policy_say_source_alone(const struct policy_case *self, struct policy_verdict *out)
{
    refuse(out, ACCESS_DENIED, "once-only/outside-plan");
    SAY(out->reason, "The request names a source of evidence, and no procedure of the register.");
    SAY(out->remedy, "Only a collection names a source: POST /once-only/v1/collect.");
    policy_say_supply(self, POLICY_AUTHORITY, "chaski-registry once-only add STORE FILE");
}

void policy_say_outside_plan(const struct policy_case *self,
                             const struct directory_procedure *procedure,
                             struct policy_verdict *out)
{
    const struct policy_question *question = self->question;
    refuse(out, ACCESS_DENIED, "once-only/outside-plan");
    name_procedure(out, procedure->id);
    if (question->requirement.size > 0)
        SAY(out->reason, "The procedure %s (%s) needs nothing of this service for %.*s.",
            procedure->id, procedure->title, (int)question->requirement.size,
            (const char *)question->requirement.at);
    else
        SAY(out->reason, "The procedure %s (%s) needs nothing of this service.", procedure->id,
            procedure->title);
    SAY(out->remedy,
        "Ask what the procedure needs: GET /once-only/v1/plan?procedure=%s; or, if it "
        "is for something else, name that.",
        procedure->id);
    policy_say_supply(self, "authority", "chaski-registry once-only add STORE FILE");
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

void policy_say_no_agency(const struct policy_case *self, struct policy_verdict *out)
{
    refuse(out, ACCESS_DENIED, "shared/not-a-public-agency");
    SAY(out->reason,
        "The service is shared among public agencies, and %s is not registered as one.",
        self->client->member->id);
    SAY(out->remedy,
        "Ask the authority to register the member as a public agency if it is one (chaski-registry "
        "member add --public), or ask %s for a grant, which opens shared data to any member: "
        "chaski grant add G-ID --service %s --consumer %s --legal-basis TEXT --until YYYY-MM-DD",
        self->service->subsystem->member->name, self->service->id, self->client->id);
    policy_say_supply(self, POLICY_AUTHORITY,
                      "chaski-registry member add STORE %s --name TEXT --public",
                      self->client->member->id);
}

void policy_say_no_purpose(const struct policy_case *self, struct policy_verdict *out)
{
    policy_say_supply(self, self->client->member->id, "curl -H 'Chaski-Purpose: %s' ...",
                      example_purpose(self->directory));
    refuse(out, ACCESS_DENIED, "shared/no-purpose");
    SAY(out->reason, "The service is shared with public agencies that name a registered purpose, "
                     "and the request names none.");
    say_purpose_remedy(self->directory, out);
}

void policy_say_unknown_purpose(const struct policy_case *self, struct policy_verdict *out)
{
    policy_say_supply(self, POLICY_AUTHORITY,
                      "chaski-registry purpose add STORE %.*s --title TEXT "
                      "--legal-basis TEXT",
                      TEXT_OF(self->question->purpose));
    refuse(out, ACCESS_DENIED, "shared/unknown-purpose");
    SAY(out->reason, "The purpose that the request names is not registered in the directory.");
    say_purpose_remedy(self->directory, out);
}

void policy_say_not_competent(const struct policy_case *self, struct policy_verdict *out)
{
    refuse(out, ACCESS_DENIED, "shared/not-competent");
    SAY(out->reason,
        "No competence of %s for the purpose that the request names is registered, or it has "
        "ended.",
        self->client->member->id);
    SAY(out->remedy,
        "Name a purpose for which the member is competent, or have the authority register the "
        "competence with its legal basis: chaski-registry competence add STORE C-ID --consumer "
        "%s --purpose %.*s --legal-basis TEXT",
        self->client->member->id, TEXT_OF(self->question->purpose));
    policy_say_supply(self, POLICY_AUTHORITY,
                      "chaski-registry competence add STORE C-ID --consumer %s --purpose %.*s "
                      "--legal-basis TEXT",
                      self->client->member->id, TEXT_OF(self->question->purpose));
}

// --- restricted ---------------------------------------------------------------------------------

/* Where no clock can be set, only the owner's grant is left. */
static void say_request_remedy(const struct policy_case *self, struct policy_verdict *out)
{
    static const struct span any = {(const uint8_t *)"PURPOSE", 7};
    const struct span purpose = directory_purpose(self->directory, self->question->purpose) == NULL
                                    ? any
                                    : self->question->purpose;
    const char *option = self->endpoint == NULL ? "" : " --endpoint ";
    const char *endpoint = self->endpoint == NULL ? "" : self->endpoint->id;
    SAY(out->remedy,
        "Ask for it: chaski access request --service %s%s%s --client %s --purpose %.*s "
        "--legal-basis TEXT --reason TEXT. %s then has %u working days to answer.",
        self->service->id, option, endpoint, self->client->id, TEXT_OF(purpose),
        self->service->subsystem->member->name, directory_calendar(self->directory)->answer_days);
    policy_say_supply(self, self->service->subsystem->member->id,
                      "chaski access request --service %s%s%s --client %s --purpose %.*s "
                      "--legal-basis TEXT --reason TEXT",
                      self->service->id, option, endpoint, self->client->id, TEXT_OF(purpose));
}

static void say_grant_remedy(const struct policy_case *self, struct policy_verdict *out)
{
    SAY(out->remedy,
        "Ask %s (%s) for a grant, which it records with: chaski grant add G-ID --service %s "
        "--consumer %s --legal-basis TEXT --until YYYY-MM-DD",
        self->service->subsystem->member->name, self->service->subsystem->member->id,
        self->service->id, self->client->id);
}

void policy_say_no_grant(const struct policy_case *self,
                         const struct directory_restriction *restriction, const struct right *ended,
                         struct policy_verdict *out)
{
    char rule[POLICY_TEXT_BYTES], until[32];
    bool part = self->endpoint != NULL && restriction->endpoints > 0;
    clock_text(restriction->until_ms, until, sizeof until);
    if (ended != NULL)
        SAY(rule, "restricted/grant-expired %s", ended->id);
    else
        SAY(rule, "restricted/no-grant %s", restriction->id);
    refuse(out, ACCESS_DENIED, rule);
    SAY(out->reason, "The %s is restricted until %s (%s, by %s), and %s%s.",
        part ? "endpoint" : "service", until, directory_ground_word(restriction->ground),
        restriction->approver,
        ended != NULL ? "the grant has ended: " : "no grant covers this consumer and purpose",
        ended != NULL ? ended->id : "");
    if (directory_calendar(self->directory) != NULL) {
        say_request_remedy(self, out);
        return;
    }
    say_grant_remedy(self, out);
    policy_say_supply(self, self->service->subsystem->member->id,
                      "chaski grant add G-ID --service %s --consumer %s%s%s --legal-basis TEXT "
                      "--until YYYY-MM-DD --config SERVER_CONF",
                      self->service->id, self->client->id, part ? " --endpoint " : "",
                      part ? self->endpoint->id : "");
}
