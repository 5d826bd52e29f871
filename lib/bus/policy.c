// SPDX-License-Identifier: MIT
#include "lib/bus/policy.h"

#include "lib/base/text.h"
#include "lib/bus/bus_id.h"

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
        "Send the header Chaski-Purpose with a purpose that is registered in the directory, such as "
        "%s, or set a default purpose for this subsystem in the gateway's configuration.",
        example_purpose(directory));
}

static void decide_shared(const struct directory *directory,
                          const struct directory_subsystem *client,
                          const struct policy_question *question, struct policy_verdict *out)
{
    if (!client->member->public_agency) {
        refuse(out, ACCESS_DENIED, "shared/not-a-public-agency");
        SAY(out->reason, "The service is shared among public agencies, and %s is not registered as one.",
            client->member->id);
        SAY(out->remedy, "Ask the authority to register the member as a public agency if it is one, or "
                         "ask the provider for a grant on a restricted service.");
        return;
    }
    if (question->purpose.size == 0) {
        refuse(out, ACCESS_DENIED, "shared/no-purpose");
        SAY(out->reason, "The service is shared with any public agency that names a registered purpose, "
                         "and the request names none.");
        say_purpose_remedy(directory, out);
        return;
    }
    if (directory_purpose(directory, question->purpose) == NULL) {
        refuse(out, ACCESS_DENIED, "shared/unknown-purpose");
        SAY(out->reason, "The purpose that the request names is not registered in the directory.");
        say_purpose_remedy(directory, out);
        return;
    }
    allow(out, "shared/public-agency-with-purpose",
          "Any public agency that names a registered purpose may use a shared service.");
}

static bool grant_is_for(const struct directory_grant *grant, const struct policy_question *question)
{
    struct span member = bus_id_prefix(question->client, ID_MEMBER);
    if (!span_is_text(question->client, grant->consumer) && !span_is_text(member, grant->consumer))
        return false;
    return grant->purpose[0] == '\0' || span_is_text(question->purpose, grant->purpose);
}

static void decide_restricted(const struct directory_service *service,
                              const struct policy_question *question, struct policy_verdict *out)
{
    const struct directory_grant *expired = NULL;
    char rule[POLICY_TEXT_BYTES];
    for (size_t i = 0; i < service->grants; i++) {
        const struct directory_grant *grant = service->grant[i];
        if (!grant_is_for(grant, question))
            continue;
        if (grant->until_ms > question->at_ms) {
            SAY(rule, "restricted/grant %s", grant->id);
            allow(out, rule, "A grant covers this consumer and purpose.");
            return;
        }
        expired = grant;
    }
    if (expired != NULL) {
        SAY(rule, "restricted/grant-expired %s", expired->id);
        refuse(out, ACCESS_DENIED, rule);
        SAY(out->reason, "The service is restricted, and grant %s has ended.", expired->id);
    } else {
        refuse(out, ACCESS_DENIED, "restricted/no-grant");
        SAY(out->reason, "The service is restricted, and no grant covers this consumer and purpose.");
    }
    SAY(out->remedy,
        "Ask %s for a grant; the authority records it with: chaski-registry grant add STORE G-... "
        "--service %s --consumer %.*s",
        service->subsystem->member->name, service->id, (int)question->client.size,
        (const char *)question->client.at);
}

void policy_decide(const struct directory *directory, const struct policy_question *question,
                   struct policy_verdict *out)
{
    *out = (struct policy_verdict){0};
    const struct directory_subsystem *client = directory_subsystem(directory, question->client);
    const struct directory_service *service = directory_service(directory, question->service);
    if (client == NULL) {
        refuse(out, UNKNOWN_CLIENT, "directory/unknown-client");
        SAY(out->reason, "The calling subsystem is not in the directory.");
        SAY(out->remedy, "Ask the authority to register the subsystem.");
        return;
    }
    if (service == NULL) {
        refuse(out, UNKNOWN_SERVICE, "directory/unknown-service");
        SAY(out->reason, "The service is not in the directory.");
        SAY(out->remedy, "Check the service's identifier against the directory's list.");
        return;
    }
    if (service->disabled) {
        refuse(out, SERVICE_DISABLED, "service/disabled");
        SAY(out->reason, "%s", service->notice[0] != '\0' ? service->notice : "Switched off by its owner.");
        SAY(out->remedy, "Ask %s when the service will be back.", service->subsystem->member->name);
        return;
    }
    if (service->class == SERVICE_OPEN)
        allow(out, "open/any-member", "Any member may use an open service.");
    else if (service->class == SERVICE_SHARED)
        decide_shared(directory, client, question, out);
    else
        decide_restricted(service, question, out);
}
