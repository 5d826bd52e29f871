// SPDX-License-Identifier: MIT
#include "lib/bus/access_facts.h"

#include "lib/bus/access.h"
#include "lib/bus/bus_id.h"
#include "lib/bus/consumer.h"
#include "lib/bus/directory_private.h"

#define BIT(place) (UINT32_C(1) << (place))

static void add_restrictions(const struct right_list *list, const struct access_scope *scope,
                             int64_t at_ms, struct access_facts *out)
{
    for (size_t i = 0; i < list->count; i++) {
        const struct directory_restriction *at = list->right[i].rule;
        const struct access_scope of = access_scope_of_restriction(at);
        if (at->from_ms > at_ms || at_ms >= at->until_ms || !access_scope_meets(&of, scope))
            continue;
        out->grounds |= BIT(at->ground);
        out->by_law = out->by_law || at->by_law;
    }
}

static void what_closes(const struct directory *self, struct span service,
                        const struct consumer_names *names, const struct access_scope *scope,
                        int64_t at_ms, struct access_facts *out)
{
    add_restrictions(rights_of(&self->restriction_of, service, span_of("", 0)), scope, at_ms, out);
    for (size_t i = 0; i < names->count; i++)
        add_restrictions(rights_of(&self->restriction_of, service, names->name[i]), scope, at_ms,
                         out);
}

bool access_is_closed(const struct directory *self, struct span service, struct span consumer,
                      const struct access_scope *scope, int64_t at_ms)
{
    struct access_facts facts = {0};
    struct consumer_names names;
    consumer_names_of(self, consumer, &names);
    what_closes(self, service, &names, scope, at_ms, &facts);
    return facts.grounds != 0;
}

static bool is_competent(const struct directory *self, const struct consumer_names *names,
                         const char *purpose, int64_t at_ms)
{
    for (size_t i = 0; i < names->count; i++) {
        const struct right_list *list =
            rights_of(&self->competence_of, span_of_text(purpose), names->name[i]);
        if (list->count > 0 && list->right[0].until_ms > at_ms) /* the one that ends last */
            return true;
    }
    return false;
}

void access_facts_of(const struct directory *self, const struct directory_request *request,
                     int64_t at_ms, struct access_facts *out)
{
    struct span consumer = span_of_text(request->consumer);
    const struct directory_subsystem *subsystem = directory_subsystem(self, consumer);
    struct consumer_names names;
    *out = (struct access_facts){.public_agency =
                                     subsystem != NULL && subsystem->member->public_agency};
    consumer_names_of(self, consumer, &names);
    what_closes(self, span_of_text(request->service), &names, &request->scope, at_ms, out);
    for (size_t i = 0; i < request->purposes; i++)
        if (is_competent(self, &names, request->purpose[i], at_ms))
            out->competent |= BIT(i);
}

static bool is_misuse(const struct access_facts *facts)
{
    return (facts->grounds & BIT(GROUND_MISUSE)) != 0;
}

bool access_may_use(const struct directory *self, const struct directory_request *request,
                    const char *word, int64_t at_ms)
{
    struct access_facts facts;
    struct span consumer = span_of_text(request->consumer);
    if (strcmp(word, request->consumer) == 0 ||
        span_is_text(bus_id_prefix(consumer, ID_MEMBER), word))
        return true;
    access_facts_of(self, request, at_ms, &facts);
    return !is_misuse(&facts);
}

/* A shutting out for misuse is no matter of the owner's silence either. */
bool access_silence_opens(const struct directory *self, const struct directory_request *request,
                          const struct access_facts *facts)
{
    if (facts->by_law || is_misuse(facts))
        return false;
    if (access_scope_is_open(&request->scope,
                             directory_service(self, span_of_text(request->service))))
        return true;
    uint32_t all = (uint32_t)((UINT64_C(1) << request->purposes) - 1);
    return facts->public_agency && facts->competent == all;
}

bool access_facts_equal(const struct access_facts *left, const struct access_facts *right)
{
    return left->grounds == right->grounds && left->competent == right->competent &&
           left->by_law == right->by_law && left->public_agency == right->public_agency;
}

bool access_facts_suffice(const struct access_facts *now, const struct access_facts *then)
{
    return (!now->by_law || then->by_law) && (!is_misuse(now) || is_misuse(then)) &&
           (then->competent & ~now->competent) == 0 && (now->public_agency || !then->public_agency);
}
