// SPDX-License-Identifier: MIT
#include "security-server/exchange/offer_parts.h"

#include "lib/bus/policy_columns.h"

#include "front.pb-c.h"

#include <stdlib.h>

struct telling {
    struct arena *memory;
    const struct directory *directory;
    size_t parts; /* told so far */
};

/* protobuf-c wants writable text and only reads it. */
static char *lend(const char *text)
{
    return (char *)(uintptr_t)text;
}

static void tell_columns(struct telling *self, const struct policy_question *question,
                         const struct directory_service *service, Chaski__OfferParts *out)
{
    struct policy_columns *columns = owned_new(sizeof *columns);
    policy_columns(self->directory, question, columns);
    out->lists_columns = true;
    out->given = arena_make(self->memory, (service->columns + 1) * sizeof *out->given);
    for (size_t i = 0; i < columns->count && self->parts < OFFER_PARTS_MAX; i++, self->parts++)
        if (columns->column[i].rule[0] == '\0')
            out->given[out->n_given++] = lend(service->column[i].name);
    free(columns);
}

static void tell_endpoints(struct telling *self, const struct policy_question *question,
                           const struct directory_service *service, Chaski__OfferParts *out)
{
    size_t room = service->endpoints;
    Chaski__EndpointRule *rule = arena_make(self->memory, room * sizeof *rule);
    out->endpoint = arena_make(self->memory, room * sizeof *out->endpoint);
    out->allowed = arena_make(self->memory, room * sizeof *out->allowed);
    out->rest = policy_allows_part_somehow(self->directory, question);
    for (size_t i = 0; i < room && self->parts < OFFER_PARTS_MAX; i++, self->parts++) {
        struct policy_question part = *question;
        part.endpoint = span_of_text(service->endpoint[i].id);
        chaski__endpoint_rule__init(&rule[i]);
        rule[i].method = lend(service->endpoint[i].method);
        rule[i].path = lend(service->endpoint[i].path);
        out->endpoint[out->n_endpoint++] = &rule[i];
        out->allowed[out->n_allowed++] = policy_allows_part_somehow(self->directory, &part);
    }
    if (out->n_endpoint < room) /* what is of one that is not told must not pass for the rest */
        out->rest = false;
}

void offer_parts_tell(struct arena *memory, const struct directory *directory,
                      const struct offer *offer, enum metaservice metaservice,
                      const struct policy_question *caller, Chaski__Offer *out)
{
    struct telling self = {memory, directory, 0};
    bool columns = metaservice == METASERVICE_OPENAPI;
    if (!columns && metaservice != METASERVICE_ALLOWED_METHODS)
        return;
    out->parts = arena_make(memory, (offer->count + 1) * sizeof *out->parts);
    for (size_t i = 0; i < offer->count; i++) {
        const struct directory_service *service = offer->service[i];
        struct policy_question question = *caller;
        question.service = span_of_text(service->id);
        if ((columns ? service->columns : service->endpoints) == 0)
            continue;
        Chaski__OfferParts *parts = arena_make(memory, sizeof *parts);
        chaski__offer_parts__init(parts);
        parts->place = (uint32_t)i;
        if (columns)
            tell_columns(&self, &question, service, parts);
        else
            tell_endpoints(&self, &question, service, parts);
        out->parts[out->n_parts++] = parts;
    }
}
