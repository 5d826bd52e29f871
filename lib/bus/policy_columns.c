// SPDX-License-Identifier: MIT
#include "lib/bus/policy_columns.h"

#include "lib/base/text.h"
#include "lib/bus/policy_private.h"

static void decide(struct policy_case *it, const struct directory_column *column,
                   struct policy_column *out)
{
    struct policy_verdict verdict = {.fault = OK};
    it->column = column;
    policy_decide_right(it, &verdict);
    text_format(out->name, sizeof out->name, "%s", column->name);
    text_format(out->rule, sizeof out->rule, "%s", verdict.fault == OK ? "" : verdict.rule);
}

void policy_columns(const struct directory *directory, const struct policy_question *question,
                    struct policy_columns *out)
{
    struct policy_case it = {.directory = directory,
                             .question = question,
                             .client = directory_subsystem(directory, question->client),
                             .service = directory_service(directory, question->service)};
    out->count = 0;
    if (it.client == NULL || it.service == NULL)
        return;
    if (question->endpoint.size > 0)
        it.endpoint = directory_endpoint(it.service, question->endpoint);
    for (; out->count < it.service->columns; out->count++)
        decide(&it, &it.service->column[out->count], &out->column[out->count]);
}

void policy_columns_withheld(const struct policy_columns *self, struct withheld *out)
{
    out->count = 0;
    for (size_t i = 0; i < self->count; i++)
        if (self->column[i].rule[0] != '\0')
            out->column[out->count++] =
                (struct withheld_column){self->column[i].name, self->column[i].rule};
}
