// SPDX-License-Identifier: MIT
#include "security-server/exchange/kept_answers.h"

#include "lib/base/clock.h"
#include "lib/base/map.h"
#include "lib/bus/limits.h"
#include "lib/crypto/seal.h"

#include <stdlib.h>

struct kept_answer {
    uint64_t index;
    int64_t until_ms; /* steady */
    struct bytes *blob;
    struct kept_answer *next;
};

struct kept_answers {
    struct loop *loop;
    struct loop_timer timer;
    struct map by_index;
    struct kept_answer *first, **end; /* oldest first */
    size_t bytes;
};

static struct span key_of(const uint64_t *index)
{
    return span_of(index, sizeof *index);
}

/* Takes out the one that `place` points to. */
static void drop(struct kept_answers *self, struct kept_answer **place)
{
    struct kept_answer *answer = *place;
    *place = answer->next;
    if (self->end == &answer->next)
        self->end = place;
    map_remove(&self->by_index, key_of(&answer->index));
    self->bytes -= answer->blob->size;
    seal_wipe(answer->blob->data, answer->blob->size);
    bytes_free(&answer->blob);
    free(answer);
}

static void look(struct loop_timer *timer)
{
    struct kept_answers *self = timer->owner;
    int64_t now_ms = clock_steady_ms();
    for (struct kept_answer **place = &self->first; *place != NULL;)
        if ((*place)->until_ms <= now_ms)
            drop(self, place);
        else
            place = &(*place)->next;
    if (self->first != NULL)
        loop_set_timer(self->loop, &self->timer, KEPT_ANSWERS_LOOK_MS);
}

struct kept_answers *kept_answers_new(struct loop *loop)
{
    struct kept_answers *self = owned_new(sizeof *self);
    self->loop = loop;
    self->end = &self->first;
    self->timer = (struct loop_timer){.fire = look, .owner = self};
    return self;
}

void kept_answers_free(struct kept_answers **self)
{
    if (*self == NULL)
        return;
    loop_stop_timer((*self)->loop, &(*self)->timer);
    while ((*self)->first != NULL)
        drop(*self, &(*self)->first);
    map_clear(&(*self)->by_index);
    free(*self);
    *self = NULL;
}

void kept_answers_add(struct kept_answers *self, uint64_t index, int64_t until_wall_ms,
                      struct span blob)
{
    struct bytes *copy = NULL;
    if (blob.size > KEPT_ANSWERS_BYTES_MAX || failed(bytes_copy(blob, &copy)))
        return; /* a double will hear that its outcome is not known */
    while (self->bytes + blob.size > KEPT_ANSWERS_BYTES_MAX)
        drop(self, &self->first);
    if (self->first == NULL)
        loop_set_timer(self->loop, &self->timer, KEPT_ANSWERS_LOOK_MS);
    struct kept_answer *answer = owned_new(sizeof *answer);
    answer->index = index;
    answer->until_ms = clock_steady_ms() + until_wall_ms - clock_wall_ms();
    answer->blob = copy;
    *self->end = answer;
    self->end = &answer->next;
    self->bytes += blob.size;
    map_set(&self->by_index, key_of(&index), answer);
}

void kept_answers_find(const struct kept_answers *self, uint64_t index, struct bytes **out)
{
    const struct kept_answer *answer = map_get(&self->by_index, key_of(&index));
    if (answer != NULL && failed(bytes_copy(bytes_span(answer->blob), out)))
        *out = NULL;
}
