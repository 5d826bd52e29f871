// SPDX-License-Identifier: MIT
#include "registry/serve/held.h"

#include "lib/base/event.h"

#include <stdlib.h>

struct held {
    struct held_options options;
    struct loop_timer wait;
    struct ahead known;
};

static void look(struct held *self, struct ahead *out)
{
    const struct outlook *outlook = self->options.outlook;
    struct ahead now;
    if (outlook_state(outlook) != NULL &&
        !failed(
            ahead_read(self->options.store, outlook_log(outlook), outlook_shown(outlook), &now)))
        self->known = now;
    *out = self->known;
}

static void on_wait_over(struct loop_timer *timer)
{
    struct held *self = timer->owner;
    struct ahead now;
    look(self, &now);
    if (now.state == AHEAD_ASKING && failed(ahead_note_nobody(self->options.store)))
        loop_set_timer(self->options.loop, &self->wait, (int64_t)self->options.wait_s * 1000);
}

static void begin_waiting(struct held *self)
{
    self->known.state = AHEAD_ASKING;
    loop_set_timer(self->options.loop, &self->wait, (int64_t)self->options.wait_s * 1000);
}

fault held_open(const struct held_options *options, struct held **out)
{
    struct held *self = owned_new(sizeof *self);
    struct ahead now;
    self->options = *options;
    self->wait = (struct loop_timer){.fire = on_wait_over, .owner = self};
    look(self, &now);
    if (now.state == AHEAD_ASKING)
        begin_waiting(self);
    *out = self;
    return DONE;
}

void held_free(struct held **self)
{
    if (*self == NULL)
        return;
    loop_stop_timer((*self)->options.loop, &(*self)->wait);
    free(*self);
    *self = NULL;
}

fault held_take_head(struct held *self, struct span note, bool *held)
{
    const struct outlook *outlook = self->options.outlook;
    struct checkpoint head;
    struct ahead before = self->known;
    TRY(outlook_open_head(outlook, note, &head));
    TRY(ahead_take_head(self->options.store, outlook_shown(outlook), &head, note, held));
    if (*held && before.state == AHEAD_NOT)
        begin_waiting(self);
    return DONE;
}

fault held_take_act(struct held *self, struct span leaf)
{
    const struct outlook *outlook = self->options.outlook;
    fault f = ahead_take_act(self->options.store, outlook_shown(outlook), outlook_state(outlook),
                             outlook_authority(outlook), leaf);
    return f.code == BAD_FRAME || f.code == SIGNATURE_BAD || f.code == NOT_YOURS
               ? RAISE(REFUSED, "no act of this authority: %s", fault_detail())
               : f;
}

struct ahead held_state(struct held *self)
{
    struct ahead now;
    look(self, &now);
    return now;
}

void held_look(struct held *self)
{
    enum ahead_state before = self->known.state;
    struct ahead now;
    look(self, &now);
    if (before == AHEAD_NOT || now.state != AHEAD_NOT)
        return;
    loop_stop_timer(self->options.loop, &self->wait);
    ahead_settle(self->options.store);
    self->options.released(self->options.owner);
}

void held_words(struct held *self, char out[AHEAD_WORDS_ROOM])
{
    struct ahead now = held_state(self);
    ahead_words(&now, outlook_shown(self->options.outlook), out);
}
