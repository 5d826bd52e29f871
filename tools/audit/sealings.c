// SPDX-License-Identifier: MIT
#include "tools/audit/sealings.h"

#include "lib/base/bytes.h"

#include "directory.pb-c.h"

#include <stdlib.h>

static void end_last(struct sealings *self, const char *id, uint64_t number)
{
    struct sealing_stood *last = map_get(&self->by_id, span_of_text(id));
    if (last != NULL && last->until == UINT64_MAX)
        last->until = number; /* the state of so many acts is the last with it */
}

static void begin(struct sealings *self, uint64_t number, const Chaski__SealingSet *act)
{
    struct sealing_stood *made = owned_new(sizeof *made);
    end_last(self, act->id, number);
    *made = (struct sealing_stood){.from = number,
                                   .until = UINT64_MAX,
                                   .consumer = owned_text(act->consumer),
                                   .purpose = owned_text(act->purpose),
                                   .days_max = act->days_max,
                                   .until_ms = (int64_t)act->until_ms};
    made->before = map_set(&self->by_id, span_of_text(act->id), made);
}

void sealings_take(struct sealings *self, uint64_t number, const Chaski__Act *act)
{
    if (act->act_case == CHASKI__ACT__ACT_SEALING_SET)
        begin(self, number, act->sealing_set);
    else if (act->act_case == CHASKI__ACT__ACT_REMOVED &&
             act->removed->what_case == CHASKI__REMOVED__WHAT_SEALING)
        end_last(self, act->removed->sealing, number);
}

void sealings_clear(struct sealings *self)
{
    size_t step = 0;
    for (struct sealing_stood *last; (last = map_next(&self->by_id, &step, NULL)) != NULL;)
        while (last != NULL) {
            struct sealing_stood *before = last->before;
            free(last->consumer);
            free(last->purpose);
            free(last);
            last = before;
        }
    map_clear(&self->by_id);
}

const struct sealing_stood *sealings_at(const struct sealings *self, struct span id, uint64_t size)
{
    const struct sealing_stood *at = map_get(&self->by_id, id);
    while (at != NULL && !(at->from < size && size <= at->until))
        at = at->before;
    return at;
}
