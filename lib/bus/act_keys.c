// SPDX-License-Identifier: MIT
/* The authority's own keys. */
#include "lib/bus/directory_acts.h"
#include "lib/bus/handover.h"

#include "directory.pb-c.h"

#define BAD(...) RAISE(DIRECTORY_BAD, __VA_ARGS__)

static bool is_same(const struct note_key *self, const struct note_key *other)
{
    return strcmp(self->name, other->name) == 0 &&
           memcmp(self->public_key, other->public_key, sizeof self->public_key) == 0;
}

/* A key that gave way never comes back: whoever has stolen it would have waited for that. */
static fault check_order(const struct directory *self, const struct handover *next, uint64_t number)
{
    if (self->keys_count == HANDOVERS_MAX)
        return BAD("more than %d changes of the log key", HANDOVERS_MAX);
    for (size_t i = 0; i < self->keys_count; i++)
        if (is_same(&self->keys[i].handover.before, &next->after))
            return BAD("the new log key was in use before");
    if (self->keys_count == 0)
        return DONE;
    const struct directory_keys *last = &self->keys[self->keys_count - 1];
    if (number <= last->number)
        return BAD("changes of the log key that are not in order");
    return is_same(&last->handover.after, &next->before)
               ? DONE
               : BAD("the log key that gives way is not the one in use");
}

fault act_keys_apply(struct directory *self, const Chaski__AuthorityKeysSet *act, uint64_t number)
{
    struct handover next;
    char text[400];
    TRY(handover_read(act, &next));
    note_key_text(&next.before, text, sizeof text);
    bool plain = strcmp(text, act->log_vkey_before) == 0;
    note_key_text(&next.after, text, sizeof text);
    if (!plain || strcmp(text, act->log_vkey) != 0)
        return BAD("a log key that is not in its one form");
    TRY(check_order(self, &next, number));
    struct directory_keys *all = directory_make(self, (self->keys_count + 1) * sizeof *all);
    for (size_t i = 0; i < self->keys_count; i++)
        all[i] = self->keys[i];
    all[self->keys_count] = (struct directory_keys){number, next};
    self->keys = all;
    self->keys_count++;
    return DONE;
}

// --- asking -------------------------------------------------------------------------------------

const struct note_key *directory_log_key(const struct directory *self)
{
    return self->keys_count == 0 ? NULL : &self->keys[self->keys_count - 1].handover.after;
}

fault directory_check_keys(const struct directory *self, const struct note_key *base)
{
    bool found = self->keys_count == 0 || is_same(directory_log_key(self), base);
    for (size_t i = 0; i < self->keys_count; i++)
        found |= is_same(&self->keys[i].handover.before, base);
    return found ? DONE
                 : BAD("the keys of its log, changed %zu times, do not lead on from the anchor's",
                       self->keys_count);
}

fault directory_open_head(const struct directory *self, const struct note_key *base,
                          struct span note, struct checkpoint *out)
{
    struct handovers all = {.key = self->keys_count == 0 ? *base : *directory_log_key(self),
                            .former = self->keys_count};
    for (size_t i = 0; i < self->keys_count; i++) {
        all.was[i] = self->keys[i].handover.before;
        all.number[i] = self->keys[i].number;
    }
    return handovers_open(&all, note, out);
}
