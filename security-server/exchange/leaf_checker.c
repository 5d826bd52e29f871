// SPDX-License-Identifier: MIT
#include "security-server/exchange/leaf_checker.h"

#include "lib/bus/set_talk.h"

static void check_next(struct leaf_checker *self)
{
    OWNED(late_leaf) leaf = NULL;
    struct span bytes;
    fault f = set_talk_get_leaf(&self->left, &bytes);
    if (failed(f))
        self->left.size = 0; /* was looked at before: cannot be */
    else
        f = bytes.size == 0 ? RAISE(NOT_FOUND, "the leaf is not at hand there")
                            : late_leaf_check(self->node, self->peer, bytes, &leaf);
    self->each(self, f, &leaf);
    self->at++;
}

static void on_timer(struct loop_timer *timer)
{
    struct leaf_checker *self = timer->owner;
    if (self->left.size > 0) {
        check_next(self);
        loop_set_timer(self->node->loop, &self->timer, 0);
        return;
    }
    bytes_free(&self->leaves);
    self->end(self);
}

void leaf_checker_begin(struct leaf_checker *self)
{
    self->left = bytes_span(self->leaves);
    self->at = 0;
    self->timer = (struct loop_timer){.fire = on_timer, .owner = self};
    loop_set_timer(self->node->loop, &self->timer, 0);
}

void leaf_checker_stop(struct leaf_checker *self)
{
    if (self->node != NULL)
        loop_stop_timer(self->node->loop, &self->timer);
    bytes_free(&self->leaves);
}
