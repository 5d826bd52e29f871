// SPDX-License-Identifier: MIT
#include "registry/serve/ending.h"

#include "lib/base/clock.h"
#include "lib/base/event.h"
#include "lib/bus/limits.h"
#include "registry/health.h"

#include <stdlib.h>

struct ending {
    struct loop *loop;
    const struct outlook *outlook;
    struct loop_timer next;
};

static void on_next(struct loop_timer *timer)
{
    struct ending *self = timer->owner;
    char until[32];
    loop_set_timer(self->loop, &self->next, REGISTRY_ENDING_LOOK_MS);
    if (outlook_state(self->outlook) == NULL)
        return;
    const struct certificate *authority = outlook_authority(self->outlook);
    if (!health_ends_soon(authority, clock_wall_ms()))
        return;
    clock_text(certificate_not_after_ms(authority), until, sizeof until);
    EVENT(WARN, "authority.certificate_ends", E_TEXT("until", until),
          E_TEXT("detail", "nodes refuse acts that this certificate signs later: see to another "
                           "one (docs/OPERATIONS.md, The authority's own)"));
}

struct ending *ending_new(struct loop *loop, const struct outlook *outlook)
{
    struct ending *self = owned_new(sizeof *self);
    self->loop = loop;
    self->outlook = outlook;
    self->next = (struct loop_timer){.fire = on_next, .owner = self};
    on_next(&self->next);
    return self;
}

void ending_free(struct ending **self)
{
    if (*self == NULL)
        return;
    loop_stop_timer((*self)->loop, &(*self)->next);
    free(*self);
    *self = NULL;
}
