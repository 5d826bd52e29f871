// SPDX-License-Identifier: MIT
#include "lib/bus/facts_act.h"

#include "directory.pb-c.h"

#define BIT(place) (UINT32_C(1) << (place))

void facts_act_of(struct arena *memory, const struct access_facts *facts,
                  const char *const *purpose, size_t purposes, const char *legal_basis,
                  Chaski__AccessFacts *out)
{
    chaski__access_facts__init(out);
    out->public_agency = facts->public_agency;
    out->by_law = facts->by_law;
    out->legal_basis = (char *)(uintptr_t)legal_basis;
    out->competent = arena_make(memory, (purposes + 1) * sizeof *out->competent);
    for (size_t i = 0; i < purposes; i++)
        if ((facts->competent & BIT(i)) != 0)
            out->competent[out->n_competent++] = (char *)(uintptr_t)purpose[i];
    out->ground = arena_make(memory, GROUNDS_END * sizeof *out->ground);
    for (unsigned ground = 1; ground < GROUNDS_END; ground++)
        if ((facts->grounds & BIT(ground)) != 0)
            out->ground[out->n_ground++] = (Chaski__Ground)ground;
}

static fault bad(const struct directory_request *request)
{
    return RAISE(DIRECTORY_BAD,
                 "what a decision on %s rests on is not said with purposes of the request and "
                 "grounds of the list, in their order",
                 request->id);
}

fault facts_act_read(const Chaski__AccessFacts *from, const struct directory_request *request,
                     struct access_facts *out)
{
    struct access_facts facts = {.public_agency = from->public_agency, .by_law = from->by_law};
    size_t named = 0;
    for (size_t i = 0; i < request->purposes && named < from->n_competent; i++)
        if (strcmp(request->purpose[i], from->competent[named]) == 0) {
            facts.competent |= BIT(i);
            named++;
        }
    for (size_t i = 0; i < from->n_ground; i++) {
        enum directory_ground ground = (enum directory_ground)from->ground[i];
        if (directory_ground_word(ground)[0] == '\0' || facts.grounds >= BIT(ground))
            return bad(request);
        facts.grounds |= BIT(ground);
    }
    if (named < from->n_competent || from->base.n_unknown_fields > 0)
        return bad(request);
    *out = facts;
    return DONE;
}
