// SPDX-License-Identifier: MIT
#include "lib/bus/policy_view.h"

#include "lib/base/text.h"
#include "lib/bus/directory_private.h"
#include "lib/bus/policy_say.h"

#define SAY(field, ...) text_format((field), POLICY_TEXT_BYTES, __VA_ARGS__)
#define COMMAND                                                                              \
    "chaski-registry competence add STORE C-ID --consumer %s --purpose " POLICY_VIEW_PURPOSE \
    " --legal-basis TEXT"

static bool competence_holds(const struct policy_case *self, const void *rule)
{
    const struct directory_competence *competence = rule;
    return competence->until_ms > self->question->at_ms;
}

static void say_not_competent(const struct policy_case *self, struct policy_verdict *out)
{
    out->fault = ACCESS_DENIED;
    SAY(out->rule, "citizen-view/not-competent");
    SAY(out->reason, "Who looked at a person's data is told to who has a competence for the "
                     "purpose " POLICY_VIEW_PURPOSE ", and names it.");
    SAY(out->remedy, "Ask the authority: " COMMAND, self->client->id);
    policy_say_supply(self, POLICY_AUTHORITY, COMMAND, self->client->id);
}

void policy_view_decide(struct policy_case *self, struct policy_verdict *out)
{
    struct span purpose = span_of_text(POLICY_VIEW_PURPOSE);
    bool named = span_equal(self->question->purpose, purpose);
    const struct right *right = NULL;
    consumer_names_of(self->directory, self->question->client, &self->names);
    policy_say_step(self, "purpose", named, "%.*s", (int)self->question->purpose.size,
                    (const char *)self->question->purpose.at);
    if (named)
        right = policy_longest(self, &self->directory->competence_of, purpose, competence_holds);
    if (named)
        policy_say_step(self, "competence", right != NULL, "%s",
                        right != NULL ? right->id : "none stands");
    if (right == NULL)
        say_not_competent(self, out);
    else
        policy_say_allowed(out, "citizen-view/competence", right->id,
                           "A competence for the view of a person stands.");
}
