// SPDX-License-Identifier: MIT
#include "lib/bus/policy.h"

#include "lib/base/text.h"
#include "lib/bus/bus_id.h"
#include "lib/bus/metaservice.h"

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
        "Send the header Chaski-Purpose with a purpose that is registered in the directory, such "
        "as "
        "%s, or set a default purpose for this subsystem in the gateway's configuration.",
        example_purpose(directory));
}

static void decide_shared(const struct directory *directory,
                          const struct directory_subsystem *client,
                          const struct policy_question *question, struct policy_verdict *out)
{
    if (!client->member->public_agency) {
        refuse(out, ACCESS_DENIED, "shared/not-a-public-agency");
        SAY(out->reason,
            "The service is shared among public agencies, and %s is not registered as one.",
            client->member->id);
        SAY(out->remedy, "Ask the authority to register the member as a public agency if it is one "
                         "(chaski-registry member add --public), or ask the provider to offer the "
                         "data as a restricted service and to grant it.");
        return;
    }
    if (question->purpose.size == 0) {
        refuse(out, ACCESS_DENIED, "shared/no-purpose");
        SAY(out->reason,
            "The service is shared with any public agency that names a registered purpose, "
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

/* A grant for any purpose still refuses a purpose that nobody registered: the name would go into
 * signed evidence. */
static bool grant_is_for(const struct directory *directory, const struct directory_grant *grant,
                         const struct policy_question *question)
{
    struct span member = bus_id_prefix(question->client, ID_MEMBER);
    if (!span_is_text(question->client, grant->consumer) && !span_is_text(member, grant->consumer))
        return false;
    if (grant->purpose[0] != '\0')
        return span_is_text(question->purpose, grant->purpose);
    return question->purpose.size == 0 || directory_purpose(directory, question->purpose) != NULL;
}

/* The longest grant that fits; a service's grants stand in the order of their ends. */
static const struct directory_grant *find_grant(const struct directory *directory,
                                                const struct directory_service *service,
                                                const struct policy_question *question)
{
    for (size_t i = 0; i < service->grants; i++)
        if (grant_is_for(directory, service->grant[i], question))
            return service->grant[i];
    return NULL;
}

static void say_grant_remedy(const struct directory_service *service,
                             const struct policy_question *question, struct policy_verdict *out)
{
    SAY(out->remedy,
        "Ask %s (%s) for a grant; the authority records it with: chaski-registry grant add STORE "
        "G-ID --service %s --consumer %.*s --legal-basis TEXT --until YYYY-MM-DD",
        service->subsystem->member->name, service->subsystem->member->id, service->id,
        (int)question->client.size, (const char *)question->client.at);
}

static void decide_restricted(const struct directory *directory,
                              const struct directory_service *service,
                              const struct policy_question *question, struct policy_verdict *out)
{
    const struct directory_grant *grant = find_grant(directory, service, question);
    char rule[POLICY_TEXT_BYTES] = "restricted/no-grant";
    if (grant != NULL && grant->until_ms > question->at_ms) {
        SAY(rule, "restricted/grant %s", grant->id);
        allow(out, rule, "A grant covers this consumer and purpose.");
        return;
    }
    if (grant != NULL) {
        SAY(rule, "restricted/grant-expired %s", grant->id);
        SAY(out->reason, "The service is restricted, and grant %s has ended.", grant->id);
    } else {
        SAY(out->reason,
            "The service is restricted, and no grant covers this consumer and purpose.");
    }
    refuse(out, ACCESS_DENIED, rule);
    say_grant_remedy(service, question, out);
}

static bool is_metadata(const struct directory *directory, const struct policy_question *question)
{
    return metaservice_of(question->service) != METASERVICE_NONE &&
           directory_subsystem(directory, bus_id_prefix(question->service, ID_SUBSYSTEM)) != NULL;
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
        SAY(out->remedy,
            "Ask the authority to register it: chaski-registry subsystem add STORE %.*s "
            "--name TEXT --server SERVER",
            (int)question->client.size, (const char *)question->client.at);
        return;
    }
    if (is_metadata(directory, question)) {
        allow(out, "metadata/any-member",
              "Any registered subsystem may ask what another one offers.");
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
        SAY(out->reason, "%s",
            service->notice[0] != '\0' ? service->notice : "Switched off by its owner.");
        SAY(out->remedy, "Ask %s when the service will be back.", service->subsystem->member->name);
        return;
    }
    if (service->class == SERVICE_OPEN)
        allow(out, "open/any-member", "Any member may use an open service.");
    else if (service->class == SERVICE_SHARED)
        decide_shared(directory, client, question, out);
    else
        decide_restricted(directory, service, question, out);
}

static bool allows(const struct directory *directory, const struct policy_question *question,
                   const char *purpose)
{
    struct policy_verdict verdict;
    struct policy_question with = *question;
    with.purpose = span_of_text(purpose);
    policy_decide(directory, &with, &verdict);
    return verdict.fault == OK;
}

static bool allows_for_a_grant(const struct directory *directory,
                               const struct directory_service *service,
                               const struct policy_question *question)
{
    struct span member = bus_id_prefix(question->client, ID_MEMBER);
    for (size_t i = 0; i < service->grants; i++) {
        const struct directory_grant *grant = service->grant[i];
        bool names_caller = span_is_text(question->client, grant->consumer) ||
                            span_is_text(member, grant->consumer);
        if (names_caller && allows(directory, question, grant->purpose))
            return true;
    }
    return false;
}

/* To a shared service one registered purpose is as good as another; to a restricted one those of
 * its grants are all that can help. */
bool policy_allows_somehow(const struct directory *directory,
                           const struct policy_question *question)
{
    const struct directory_service *service = directory_service(directory, question->service);
    if (question->purpose.size == 0 && service != NULL && service->class == SERVICE_SHARED) {
        size_t step = 0;
        const struct directory_purpose *any = directory_next_purpose(directory, &step);
        return any != NULL && allows(directory, question, any->id);
    }
    if (question->purpose.size == 0 && service != NULL && service->class == SERVICE_RESTRICTED)
        return allows_for_a_grant(directory, service, question);
    struct policy_verdict verdict;
    policy_decide(directory, question, &verdict);
    return verdict.fault == OK;
}
