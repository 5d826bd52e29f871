// SPDX-License-Identifier: MIT
#include "security-server/exchange/slab_keys.h"

#include "lib/base/event.h"
#include "lib/crypto/random.h"
#include "lib/crypto/seal.h"
#include "security-server/exchange/audit_actor.h"
#include "security-server/exchange/keys_line.h"

#include <stdlib.h>

/* One thing after the other: look, then the spare key, then the old and the fresh key of a slab. */
struct slab_keys {
    struct node *node;
    struct loop_timer timer;
    struct audit_job job;
    struct audit_keys keys;
    uint8_t raw[KEY_WRAP_BYTES]; /* of the key that is being wrapped */
};

static void look_later(struct slab_keys *self, fault f)
{
    if (failed(f))
        EVENT(WARN, "audit.day_key_failed", E_FAULT(f));
    day_key_free(&self->keys.spare);
    day_key_free(&self->keys.old);
    day_key_free(&self->keys.fresh);
    self->keys.day[0] = '\0';
    loop_set_timer(self->node->loop, &self->timer, SLAB_KEYS_LOOK_MS);
}

static void looked(struct audit_job *job);

static void look(struct slab_keys *self)
{
    self->job =
        (struct audit_job){.work = AUDIT_KEYS, .keys = &self->keys, .done = looked, .owner = self};
    fault f = audit_actor_ask(self->node->audit, &self->job);
    if (failed(f))
        look_later(self, f);
}

static fault take_wrapped(struct slab_keys *self, fault f, struct span wrapped,
                          struct day_key **out)
{
    if (!failed(f) && wrapped.size != KEY_WRAPPED_BYTES)
        f = RAISE(INTERNAL, "a wrapped key of %zu bytes", wrapped.size);
    if (!failed(f))
        f = day_key_take(self->raw, wrapped.at, out);
    seal_wipe(self->raw, sizeof self->raw);
    return f;
}

static void spare_wrapped(void *owner, fault f, struct span result)
{
    struct slab_keys *self = owner;
    f = take_wrapped(self, f, result, &self->keys.spare);
    self->keys.day[0] = '\0';
    if (failed(f))
        look_later(self, f);
    else
        look(self);
}

static void fresh_wrapped(void *owner, fault f, struct span result)
{
    struct slab_keys *self = owner;
    f = take_wrapped(self, f, result, &self->keys.fresh);
    if (failed(f))
        look_later(self, f);
    else
        look(self);
}

static void wrap_new(struct slab_keys *self, keys_done *done)
{
    random_fill(self->raw, sizeof self->raw);
    keys_line_wrap_day_key(self->node->keys, self->raw, done, self);
}

static void old_unwrapped(void *owner, fault f, struct span result)
{
    struct slab_keys *self = owner;
    if (!failed(f) && result.size != KEY_WRAP_BYTES)
        f = RAISE(INTERNAL, "a day key of %zu bytes", result.size);
    if (!failed(f))
        f = day_key_take(result.at, self->keys.wrapped, &self->keys.old);
    if (failed(f))
        look_later(self, f);
    else
        wrap_new(self, fresh_wrapped);
}

static void looked(struct audit_job *job)
{
    struct slab_keys *self = job->owner;
    fault f = job->fault == OK ? DONE : RAISE(job->fault, "%s", job->detail);
    if (failed(f))
        look_later(self, f);
    else if (self->keys.wants_spare)
        wrap_new(self, spare_wrapped);
    else if (self->keys.day[0] != '\0')
        keys_line_unwrap_day_key(self->node->keys, self->keys.wrapped, old_unwrapped, self);
    else
        look_later(self, DONE);
}

static void on_timer(struct loop_timer *timer)
{
    look(timer->owner);
}

struct slab_keys *slab_keys_new(struct node *node)
{
    struct slab_keys *self = owned_new(sizeof *self);
    self->node = node;
    self->timer = (struct loop_timer){.fire = on_timer, .owner = self};
    loop_set_timer(node->loop, &self->timer, 0);
    return self;
}

void slab_keys_free(struct slab_keys **self)
{
    if (*self == NULL)
        return;
    loop_stop_timer((*self)->node->loop, &(*self)->timer);
    day_key_free(&(*self)->keys.spare);
    day_key_free(&(*self)->keys.old);
    day_key_free(&(*self)->keys.fresh);
    free(*self);
    *self = NULL;
}
