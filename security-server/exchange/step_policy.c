// SPDX-License-Identifier: MIT
/* Step 9: the provider's node decides for itself, by its own directory, before anything is touched.
 */
#include "security-server/exchange/exchange_steps.h"

#include "lib/base/clock.h"
#include "lib/base/text.h"
#include "lib/bus/offer.h"
#include "lib/bus/sealing.h"
#include "security-server/exchange/directory_freshness.h"
#include "security-server/exchange/node.h"

static fault check_is_ours(const struct exchange *x)
{
    const struct header *header = header_of(x->request.read);
    const struct directory_subsystem *provider =
        offer_provider(x->node->directory, header->service);
    if (provider == NULL)
        return RAISE(UNKNOWN_SERVICE, "%s", x->service);
    if (!directory_server_has(node_self(x->node), provider))
        return RAISE(WRONG_SERVER, "%s is not served by %s", x->service, x->node->config->server);
    if (!span_is_text(header->receiver, provider->id))
        return RAISE(BAD_FRAME, "receiver and service of the request differ");
    TRY(directory_freshness_check(x->node->freshness, header->service));
    if (header->deadline_ms <= clock_wall_ms())
        return RAISE(DEADLINE_PASSED, "the request came %lld ms after its deadline",
                     (long long)(clock_wall_ms() - header->deadline_ms));
    return DONE;
}

/* Which ones this caller gets is kept for the call and for the answer's header: the directory may
 * change in between. */
static void decide_columns(struct exchange *x, const struct policy_question *question)
{
    const struct directory_service *service =
        directory_service(x->node->directory, question->service);
    if (service == NULL || service->columns == 0)
        return;
    x->columns = owned_new(sizeof *x->columns);
    policy_columns(x->node->directory, question, x->columns);
}

/* By our own directory, as of the request. */
static fault check_sealing(const struct exchange *x)
{
    const struct header *header = header_of(x->request.read);
    struct sealing_question question = {header->sender, header->purpose, header->sealing,
                                        header->sealed_until_ms, header->time_ms};
    return header->sealed_until_ms == 0 ? DONE : sealing_check(x->node->directory, &question);
}

enum step_end step_decide(struct exchange *x)
{
    fault f = check_is_ours(x);
    if (failed(f))
        return exchange_refuse(x, f);
    const struct header *header = header_of(x->request.read);
    struct policy_question question = {.client = header->sender,
                                       .service = header->service,
                                       .purpose = header->purpose,
                                       .at_ms = clock_wall_ms(),
                                       .endpoint = header->endpoint,
                                       .procedure = header->procedure,
                                       .requirement = header->requirement,
                                       .source = header->source,
                                       .names_nobody = header->subject.size == 0};
    struct policy_verdict verdict;
    policy_decide(x->node->directory, &question, &verdict);
    if (verdict.fault == OK && failed(check_sealing(x)))
        return exchange_refuse(x, RAISE(SEALING_REFUSED, "%s", fault_detail()));
    if (verdict.fault == OK) {
        text_format(x->rule, sizeof x->rule, "%s", verdict.rule);
        decide_columns(x, &question);
        return STEP_NEXT;
    }
    text_format(x->problem.rule, sizeof x->problem.rule, "%s", verdict.rule);
    text_format(x->problem.remedy, sizeof x->problem.remedy, "%s", verdict.remedy);
    return exchange_refuse(x, RAISE(verdict.fault, "%s", verdict.reason));
}
