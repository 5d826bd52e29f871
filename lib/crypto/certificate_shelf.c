// SPDX-License-Identifier: MIT
#include "lib/crypto/certificate_shelf.h"

#include "lib/crypto/certificate_private.h"

#include <assert.h>
#include <stdlib.h>

/* Those that are parsed, in a ring: `ends.next` was used last. */
struct certificate_shelf {
    size_t unfolded, unfolded_max;
    struct certificate_place ends;
};

struct certificate_shelf *certificate_shelf_new(size_t unfolded_max)
{
    struct certificate_shelf *self = owned_new(sizeof *self);
    assert(unfolded_max > 0);
    self->unfolded_max = unfolded_max;
    self->ends.next = self->ends.before = &self->ends;
    return self;
}

void certificate_shelf_free(struct certificate_shelf **self)
{
    if (*self != NULL)
        assert((*self)->unfolded == 0);
    free(*self);
    *self = NULL;
}

static void leave(struct certificate_place *place)
{
    place->before->next = place->next;
    place->next->before = place->before;
    place->next = place->before = NULL;
}

static void fold(struct certificate_shelf *self, struct certificate_place *place)
{
    leave(place);
    self->unfolded--;
    certificate_fold(place);
}

void certificate_place_use(struct certificate_place *place)
{
    struct certificate_shelf *self = place->shelf;
    if (self == NULL || self->ends.next == place)
        return;
    if (place->next != NULL)
        leave(place);
    else if (self->unfolded++ == self->unfolded_max)
        fold(self, self->ends.before);
    place->next = self->ends.next;
    place->before = &self->ends;
    place->next->before = place;
    self->ends.next = place;
}

void certificate_place_leave(struct certificate_place *place)
{
    if (place->next != NULL)
        fold(place->shelf, place);
}

void certificate_put(struct certificate_shelf *self, struct certificate *certificate)
{
    struct certificate_place *place = certificate_place(certificate);
    assert(place->shelf == NULL);
    place->shelf = self;
    certificate_fold(place);
}

size_t certificate_shelf_unfolded(const struct certificate_shelf *self)
{
    return self->unfolded;
}
