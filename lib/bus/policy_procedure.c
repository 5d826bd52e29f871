// SPDX-License-Identifier: MIT
#include "lib/bus/policy_procedure.h"

#include "lib/bus/once_only.h"
#include "lib/bus/policy_say.h"

/* What a procedure needs is all that may be had in its name; and by a source's own query only what
 * that source is registered for. */
static bool is_in_plan(const struct policy_case *self, const struct directory_procedure *procedure)
{
    const struct policy_question *question = self->question;
    return question->source.size == 0
               ? once_only_in_plan(self->directory, procedure, question->service,
                                   question->requirement)
               : once_only_source_in_plan(self->directory, procedure, question->service,
                                          question->requirement, question->source);
}

bool policy_procedure_refuses(const struct policy_case *self, struct policy_verdict *out)
{
    const struct policy_question *question = self->question;
    const struct directory_procedure *procedure =
        question->procedure.size == 0 ? NULL
                                      : directory_procedure(self->directory, question->procedure);
    if (procedure == NULL && question->source.size > 0) {
        policy_say_step(self, "procedure", false, "it names a source, and no procedure");
        policy_say_source_alone(self, out);
        return true;
    }
    if (procedure == NULL)
        return false;
    bool runs = once_only_runs(self->directory, procedure, question->client);
    policy_say_step(self, "owner", runs, "%s is of %s", procedure->id, procedure->owner);
    if (!runs) {
        policy_say_not_owner(self, procedure, out);
        return true;
    }
    bool in_plan = is_in_plan(self, procedure);
    policy_say_step(self, "procedure", in_plan, "%s: %s", procedure->id, procedure->title);
    if (!in_plan)
        policy_say_outside_plan(self, procedure, out);
    return !in_plan;
}
