// SPDX-License-Identifier: MIT
#include "lib/bus/offer.h"

#include "lib/bus/bus_id.h"
#include "lib/bus/metaservice.h"
#include "lib/bus/policy.h"

#include <stdlib.h>

const struct directory_subsystem *offer_provider(const struct directory *directory,
                                                 struct span service)
{
    if (metaservice_of(service) != METASERVICE_NONE)
        return directory_subsystem(directory, bus_id_prefix(service, ID_SUBSYSTEM));
    const struct directory_service *found = directory_service(directory, service);
    return found == NULL ? NULL : found->subsystem;
}

void offer_clear(struct offer *self)
{
    free(self->service);
    *self = (struct offer){0};
}

static int compare(const void *left, const void *right)
{
    const struct directory_service *const *a = left;
    const struct directory_service *const *b = right;
    return strcmp((*a)->id, (*b)->id);
}

static bool is_wanted(const struct directory *directory, const struct directory_service *service,
                      const struct policy_question *caller)
{
    if (caller == NULL)
        return true;
    struct policy_question question = *caller;
    question.service = span_of_text(service->id);
    return policy_allows_somehow(directory, &question);
}

static fault add(struct offer *self, size_t *room, const struct directory_service *service)
{
    if (self->count == OFFER_SERVICES_MAX)
        return RAISE(SERVICE_TOO_LARGE, "%s has more than %d services, which one list can hold",
                     service->subsystem->id, OFFER_SERVICES_MAX);
    if (self->count == *room) {
        *room = *room == 0 ? 64 : 2 * *room;
        self->service = owned_grow(self->service, *room, sizeof *self->service);
    }
    self->service[self->count++] = service;
    return DONE;
}

fault offer_of(const struct directory *directory, const struct directory_subsystem *subsystem,
               const struct policy_question *caller, struct offer *out)
{
    struct offer offer = {0};
    size_t step = 0, room = 0;
    for (const struct directory_service *service;
         (service = directory_next_service(directory, &step)) != NULL;) {
        if (service->subsystem != subsystem || !is_wanted(directory, service, caller))
            continue;
        fault f = add(&offer, &room, service);
        if (failed(f)) {
            offer_clear(&offer);
            return f;
        }
    }
    if (offer.count > 1)
        qsort(offer.service, offer.count, sizeof *offer.service, compare);
    *out = offer;
    return DONE;
}
