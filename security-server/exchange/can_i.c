// SPDX-License-Identifier: MIT
#include "security-server/exchange/can_i.h"

#include "lib/base/clock.h"
#include "security-server/exchange/node.h"

void can_i(struct node *node, const struct admission *question, struct can_i *out)
{
    const struct directory_server *peer = NULL;
    struct policy_verdict verdict;
    struct policy_question policy = {.client = span_of_text(question->client),
                                     .service = span_of_text(question->service),
                                     .purpose = span_of_text(question->purpose),
                                     .at_ms = clock_wall_ms(),
                                     .endpoint = span_of_text(question->endpoint),
                                     .procedure = span_of_text(question->procedure),
                                     .requirement = span_of_text(question->requirement)};
    *out = (struct can_i){.epoch = directory_epoch(node->directory)};
    policy_explain(node->directory, &policy, &verdict, &out->trace);
    admit(node, question, &out->problem, &peer);
    if (out->problem.fault == OK)
        policy_columns(node->directory, &policy, &out->columns);
}
