// SPDX-License-Identifier: MIT
/* Behind step 9: a request that may be, and is one too many for now. Nothing is touched yet. */
#include "security-server/exchange/exchange_steps.h"

#include "lib/base/clock.h"
#include "lib/base/text.h"
#include "lib/bus/bus_id.h"
#include "security-server/exchange/node.h"
#include "security-server/exchange/quota_verdict.h"

static enum step_end refuse(struct exchange *x, const char *rule, uint32_t retry_s, fault f)
{
    x->problem.retry_s = retry_s;
    text_format(x->problem.rule, sizeof x->problem.rule, "%s", rule);
    enum step_end end = exchange_refuse(x, f);
    text_format(x->problem.remedy, sizeof x->problem.remedy,
                "Ask again in %u seconds; the answer says so in Retry-After.", retry_s);
    return end;
}

enum step_end step_count(struct exchange *x)
{
    const struct header *header = header_of(x->request.read);
    const struct server_config *config = x->node->config;
    const struct quota_question question = {
        .directory = x->node->directory,
        .service = directory_service(x->node->directory, header->service),
        .member = bus_id_prefix(header->sender, ID_MEMBER),
        .rule = x->rule,
        .at_ms = clock_wall_ms(),
        .steady_us = clock_steady_us(),
        .class_rate = {[POLICY_OPEN] = config->rate_open,
                       [POLICY_SHARED] = config->rate_shared,
                       [POLICY_RESTRICTED] = config->rate_restricted}};
    struct quota_verdict verdict;
    if (question.service == NULL) /* a metaservice */
        return STEP_NEXT;
    fault f = quota_verdict(x->node->quota, &question, &verdict);
    x->counted = verdict.counted;
    return failed(f) ? refuse(x, verdict.rule, verdict.retry_s, f) : STEP_NEXT;
}

static bool is_answered(const struct exchange *x)
{
    return x->answer.durable && x->answer.read != NULL &&
           header_of(x->answer.read)->kind == HEADER_RESPONSE;
}

void step_uncount(struct exchange *x)
{
    if (!x->counted || is_answered(x))
        return;
    const struct directory_grant *grant = quota_grant(x->node->directory, span_of_text(x->rule));
    if (grant != NULL)
        quota_give_back(x->node->quota, grant->id,
                        bus_id_prefix(header_of(x->request.read)->sender, ID_MEMBER));
}

/* One that a server asked of itself was counted where it was let through. */
void step_count_answer(struct exchange *x)
{
    const struct header *header = header_of(x->answer.read);
    if (!span_is_text(header->sender_server, x->node->config->server))
        quota_note(x->node->quota, x->node->directory, header);
}
