// SPDX-License-Identifier: MIT
#include "gateway/subject_queue.h"

#include "lib/base/bytes.h"

#include <assert.h>
#include <stdlib.h>

void subject_queue_fill(struct subject_queue *self, size_t targets)
{
    subject_queue_clear(self);
    self->targets = targets;
    self->fresh.at = owned_array(targets + 1, sizeof *self->fresh.at);
    self->again.at = owned_array(targets + 1, sizeof *self->again.at);
    for (size_t i = 0; i < targets; i++)
        subject_queue_put(self, i, false);
}

void subject_queue_clear(struct subject_queue *self)
{
    free(self->fresh.at);
    free(self->again.at);
    *self = (struct subject_queue){.targets = 0};
}

void subject_queue_put(struct subject_queue *self, size_t target, bool again)
{
    struct subject_fifo *fifo = again ? &self->again : &self->fresh;
    assert(target < self->targets && fifo->count < self->targets);
    fifo->at[(fifo->first + fifo->count++) % self->targets] = target;
}

static size_t pull(struct subject_queue *self, struct subject_fifo *fifo)
{
    size_t target = fifo->at[fifo->first];
    fifo->first = (fifo->first + 1) % self->targets;
    fifo->count--;
    return target;
}

bool subject_queue_take(struct subject_queue *self, size_t most, size_t *target, bool *again)
{
    size_t most_again = most > 1 ? most / 2 : 1;
    if (self->under_way >= most)
        return false;
    if (self->fresh.count == 0 && (self->again.count == 0 || self->again_under_way >= most_again))
        return false;
    *again = self->fresh.count == 0;
    *target = pull(self, *again ? &self->again : &self->fresh);
    self->under_way++;
    self->again_under_way += *again;
    return true;
}

void subject_queue_done(struct subject_queue *self, bool again)
{
    assert(self->under_way > 0 && (!again || self->again_under_way > 0));
    self->under_way--;
    self->again_under_way -= again;
}

bool subject_queue_is_over(const struct subject_queue *self)
{
    return self->fresh.count == 0 && self->again.count == 0 && self->under_way == 0;
}
