// SPDX-License-Identifier: MIT
/*
 * facts_act - what a decision rests on, as it stands in acts and snapshots.
 */
#ifndef BUS_FACTS_ACT_H
#define BUS_FACTS_ACT_H

#include "lib/base/arena.h"
#include "lib/bus/access.h"

struct Chaski__AccessFacts; /* directory.pb-c.h */

/* Lists lie in `memory`, texts are the request's. */
void facts_act_of(struct arena *memory, const struct access_facts *facts,
                  const char *const *purpose, size_t purposes, const char *legal_basis,
                  struct Chaski__AccessFacts *out);

/* DIRECTORY_BAD: purposes that the request does not name, no ground of the list, not in order. */
fault facts_act_read(const struct Chaski__AccessFacts *from,
                     const struct directory_request *request, struct access_facts *out);

#endif
