// SPDX-License-Identifier: MIT
#include "lib/bus/directory_acts.h"

#include "directory.pb-c.h"

#define BAD(...) RAISE(DIRECTORY_BAD, __VA_ARGS__)

static size_t stamper_place(const struct directory *self, const char *name)
{
    size_t at = 0;
    while (at < self->stampers && strcmp(self->stamper[at].name, name) != 0)
        at++;
    return at;
}

static void drop_stamper(struct directory *self, size_t at)
{
    for (self->stampers--; at < self->stampers; at++)
        self->stamper[at] = self->stamper[at + 1];
}

/* Of one order, by name: the same on every node. */
static bool comes_after(const struct directory_stamper *self, const struct directory_stamper *other)
{
    return self->order != other->order ? self->order > other->order
                                       : strcmp(self->name, other->name) > 0;
}

fault act_stamper_apply(struct directory *self, const Chaski__StampAuthoritySet *act)
{
    TRY(act_code("a time stamp authority", act->name));
    TRY(act_url("the address of a time stamp authority", act->url));
    if (act->order == 0 || act->order > DIRECTORY_STAMPER_ORDER_MAX)
        return BAD("the order of a time stamp authority is from 1 to %d",
                   DIRECTORY_STAMPER_ORDER_MAX);
    size_t at = stamper_place(self, act->name);
    if (at < self->stampers)
        drop_stamper(self, at);
    if (self->stampers == DIRECTORY_STAMPERS_MAX)
        return BAD("more than %d time stamp authorities", DIRECTORY_STAMPERS_MAX);
    struct directory_stamper set = {directory_keep_text(self, act->name),
                                    directory_keep_text(self, act->url), act->order};
    for (at = self->stampers++; at > 0 && comes_after(&self->stamper[at - 1], &set); at--)
        self->stamper[at] = self->stamper[at - 1];
    self->stamper[at] = set;
    return DONE;
}

fault act_stamper_remove(struct directory *self, const char *name)
{
    size_t at = stamper_place(self, name);
    if (at == self->stampers)
        return BAD("time stamp authority %.200s is not there", name);
    drop_stamper(self, at);
    return DONE;
}
