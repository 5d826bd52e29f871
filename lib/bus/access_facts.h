// SPDX-License-Identifier: MIT
/*
 * access_facts - what a word on a request for access rests on: whether who asks is competent, and
 * what closes the data, on which ground. What silence may open follows from it, and which requests
 * are equal.
 *
 * Nothing here waits or fails.
 */
#ifndef BUS_ACCESS_FACTS_H
#define BUS_ACCESS_FACTS_H

#include "lib/bus/directory.h"

struct directory_request; /* access.h */

struct access_facts {
    uint32_t
        grounds; /* of the restrictions that close it to who asks: bits 1 << directory_ground */
    uint32_t competent; /* bits by place among the request's purposes */
    bool by_law;        /* the law reserves the data */
    bool public_agency; /* who asks is one */
};
_Static_assert(GROUNDS_END <= 32 && DIRECTORY_GRANT_PURPOSES_MAX <= 32, "each has its bit");

void access_facts_of(const struct directory *self, const struct directory_request *request,
                     int64_t at_ms, struct access_facts *out);

/* Who is shut out for misuse has no use of a grant to a class or a group: is `word`, to whom one
 * is, the consumer of the request, or its member? True for anybody else. */
bool access_may_use(const struct directory *self, const struct directory_request *request,
                    const char *word, int64_t at_ms);

/* Silence opens what the class would open if nothing restricted it, and no more: what is shared, to
 * a public agency that is competent for each purpose. Nothing that the law reserves. */
bool access_silence_opens(const struct directory *self, const struct directory_request *request,
                          const struct access_facts *facts);

bool access_facts_equal(const struct access_facts *left, const struct access_facts *right);
/* Does what an equal request was allowed on still hold? `then`: what the decision rests on. */
bool access_facts_suffice(const struct access_facts *now, const struct access_facts *then);

#endif
