// SPDX-License-Identifier: MIT
/* Step 2: well formed, in bounds, known, allowed. Nothing is sent that must fail. */
#include "security-server/exchange/exchange_steps.h"

#include "lib/base/clock.h"
#include "lib/base/text.h"
#include "lib/bus/bus_id.h"
#include "lib/bus/offer.h"
#include "security-server/exchange/directory_freshness.h"
#include "security-server/exchange/node.h"
#include "security-server/exchange/token_line.h"

static fault check_client(const struct node *node, const struct admission *question)
{
    const struct directory_subsystem *client =
        directory_subsystem(node->directory, span_of_text(question->client));
    if (client == NULL || !directory_server_has(node_self(node), client))
        return RAISE(UNKNOWN_CLIENT, "%s is not a subsystem of server %s", question->client,
                     node->config->server);
    return DONE;
}

static fault find_provider(const struct node *node, const struct admission *question,
                           const struct directory_subsystem **out)
{
    struct span id = span_of_text(question->service);
    *out = offer_provider(node->directory, id);
    if (*out != NULL)
        return DONE;
    struct span subsystem = bus_id_prefix(id, ID_SUBSYSTEM);
    if (directory_subsystem(node->directory, subsystem) == NULL)
        return RAISE(UNKNOWN_MEMBER, "%.*s is not in the directory", (int)subsystem.size,
                     (const char *)subsystem.at);
    return RAISE(UNKNOWN_SERVICE, "%s", question->service);
}

/* What is sealed for it may be read by whoever has its keys now: nothing is sent to it. */
static bool is_revoked(const struct directory_server *server)
{
    for (size_t i = 0; i < server->signers; i++)
        if (server->signer[i]->revoked_since_ms == 0)
            return false;
    return server->signers > 0;
}

static fault choose_server(const struct directory_subsystem *subsystem, const char *wanted,
                           const struct directory_server **out)
{
    const struct directory_server *revoked = NULL;
    for (size_t i = 0; i < subsystem->servers; i++) {
        const struct directory_server *server = subsystem->server[i];
        if (wanted[0] != '\0' && strcmp(server->id, wanted) != 0)
            continue;
        if (!is_revoked(server)) {
            *out = server;
            return DONE;
        }
        revoked = server;
    }
    if (revoked != NULL)
        return RAISE(REVOKED, "the certificate of %s is revoked: nothing is sent to it",
                     revoked->id);
    if (wanted[0] != '\0')
        return RAISE(BAD_SERVER_CHOICE, "%s does not serve %s", wanted, subsystem->id);
    return RAISE(UNKNOWN_SERVICE, "no server is registered for %s", subsystem->id);
}

static fault find_way(struct node *node, const struct admission *question,
                      const struct directory_server **peer)
{
    const struct directory_subsystem *provider = NULL;
    TRY(node_ready(node));
    TRY(token_line_room(node->token));
    if (question->payload_bytes > node_payload_bytes_max(node))
        return RAISE(BODY_TOO_LARGE, "at most %lld bytes", (long long)node->config->body_bytes_max);
    TRY(check_client(node, question));
    TRY(find_provider(node, question, &provider));
    TRY(directory_freshness_check(node->freshness, span_of_text(question->service)));
    return choose_server(provider, question->wanted_server, peer);
}

void admit(struct node *node, const struct admission *question, struct problem *problem,
           const struct directory_server **peer)
{
    *problem = (struct problem){0};
    fault f = find_way(node, question, peer);
    if (failed(f)) {
        problem->fault = f.code;
        text_format(problem->detail, sizeof problem->detail, "%s", fault_detail());
        text_format(problem->remedy, sizeof problem->remedy, "%s", node_remedy(f.code));
        return;
    }
    struct policy_verdict verdict;
    struct policy_question policy = {.client = span_of_text(question->client),
                                     .service = span_of_text(question->service),
                                     .purpose = span_of_text(question->purpose),
                                     .at_ms = admission_ms(question),
                                     .endpoint = span_of_text(question->endpoint),
                                     .procedure = span_of_text(question->procedure),
                                     .requirement = span_of_text(question->requirement),
                                     .source = span_of_text(question->source),
                                     .names_nobody = question->names_nobody};
    policy_decide(node->directory, &policy, &verdict);
    problem->fault = verdict.fault;
    text_format(problem->detail, sizeof problem->detail, "%s", verdict.reason);
    text_format(problem->rule, sizeof problem->rule, "%s", verdict.rule);
    text_format(problem->remedy, sizeof problem->remedy, "%s", verdict.remedy);
}

enum step_end step_admit(struct exchange *x)
{
    struct admission question = {.client = x->client,
                                 .service = x->service,
                                 .wanted_server = x->wanted_server,
                                 .purpose = x->purpose,
                                 .payload_bytes = x->request.blob->size - SALT_BYTES,
                                 .endpoint = x->endpoint,
                                 .procedure = x->procedure,
                                 .requirement = x->requirement,
                                 .source = x->source,
                                 .names_nobody = x->subject_year == 0 && x->person[0] == '\0'};
    struct problem problem;
    admit(x->node, &question, &problem, &x->peer);
    if (problem.fault != OK) {
        x->problem = problem;
        return STEP_FAULT;
    }
    text_format(x->rule, sizeof x->rule, "%s", problem.rule);
    return STEP_NEXT;
}
