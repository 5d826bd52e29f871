// SPDX-License-Identifier: MIT
/* What is too young to be compared is left out, and told: who reads "equal" is to know of how much
 * it is said. */
#include "security-server/exchange/pair_private.h"

#include "security-server/exchange/sets_reach.h"

/* On the thread of the sets. */
static fault count(void *owner)
{
    struct pair *self = owner;
    return leaf_set_count(self->node->config->audit_folder, self->peer, self->until_ms,
                          self->young_until_ms, &self->young);
}

static void counted(struct set_job *job)
{
    struct pair *self = job->owner;
    self->report.young = self->young;
    if (job->fault == OK)
        pair_next(self, pair_go);
    else
        pair_fail_own(self, job);
}

void pair_count_young(struct pair *self)
{
    if (!sets_reach_time(self->node, self->young_until_ms)) {
        pair_wait(self, pair_count_young);
        return;
    }
    self->job = (struct set_job){.work = SET_CALL, .call = count, .done = counted, .owner = self};
    fault f = set_reader_ask(self->node->sets, &self->job);
    if (failed(f))
        pair_fail(self, f);
}
