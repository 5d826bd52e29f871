// SPDX-License-Identifier: MIT
#include "security-server/exchange/can_i.h"

#include "lib/base/clock.h"
#include "lib/bus/bus_id.h"
#include "security-server/exchange/node.h"
#include "security-server/exchange/quota.h"

/* A hint and no promise: the provider counts, and others share the rate. */
static void fill_left(const struct node *node, const struct admission *question, struct can_i *out)
{
    struct span member = bus_id_prefix(span_of_text(question->client), ID_MEMBER);
    const struct directory_service *service =
        directory_service(node->directory, span_of_text(question->service));
    const struct directory_grant *grant =
        out->problem.fault != OK ? NULL
                                 : quota_grant(node->directory, span_of_text(out->problem.rule));
    out->rate = service == NULL ? 0 : service->rate;
    out->subject_required = service != NULL && service->subject_required;
    if (grant == NULL)
        return;
    out->volume_a_day = grant->volume_a_day;
    out->used_today = quota_used(node->quota, grant->id, member, clock_wall_ms());
}

void can_i(struct node *node, const struct admission *question, struct can_i *out)
{
    const struct directory_server *peer = NULL;
    struct policy_verdict verdict;
    struct policy_question policy = {.client = span_of_text(question->client),
                                     .service = span_of_text(question->service),
                                     .purpose = span_of_text(question->purpose),
                                     .at_ms = admission_ms(question),
                                     .endpoint = span_of_text(question->endpoint),
                                     .procedure = span_of_text(question->procedure),
                                     .requirement = span_of_text(question->requirement),
                                     .source = span_of_text(question->source)};
    *out = (struct can_i){.epoch = directory_epoch(node->directory)};
    policy_explain(node->directory, &policy, &verdict, &out->trace);
    admit(node, question, &out->problem, &peer);
    fill_left(node, question, out);
    if (out->problem.fault == OK)
        policy_columns(node->directory, &policy, &out->columns);
}
