// SPDX-License-Identifier: MIT
/*
 * once_only_debt - where citizens are asked for what the state delivers; and what the register does
 * not take because it would bring that about, or hide it.
 *
 * A debt is looked for in each place that could be another case: the procedure's territories, and
 * in them each place for which something narrower is said. Its age is of the directory's history.
 * Source: ref H.1 and H.2; docs/decisions/0047.
 */
#ifndef BUS_ONCE_ONLY_DEBT_H
#define BUS_ONCE_ONLY_DEBT_H

#include "lib/bus/directory_private.h"
#include "lib/bus/once_only.h"

struct once_only_debt {
    const struct directory_source *source; /* one that delivers it */
    int64_t since_ms;                      /* 0: not known */
};

/* Is there, in some place, a way to prove the requirement of which sources deliver everything? The
 * oldest; out is written then only. Whether the form asks for it is not looked at. */
bool once_only_debt(const struct directory *directory, const struct directory_procedure *procedure,
                    const struct directory_requirement *requirement, int64_t at_ms,
                    struct once_only_debt *out);

/* For the fold, DIRECTORY_BAD with what to do. A procedure that is about to stand in place of
 * `before` (or NULL) must not ask anew, or in another place, for what is delivered there; nor for
 * what was delivered until it was taken away, while nobody has said why and until when. */
fault once_only_check_asking(const struct directory *self,
                             const struct directory_procedure *procedure,
                             const struct directory_procedure *before);
/* This source has just gone from the register, or says something else now: no procedure rests on
 * what it was, or it is said who delivers that evidence there, or that nobody does. */
fault once_only_check_taken(const struct directory *self, const struct directory_source *was);
/* Likewise of what proves a requirement. */
fault once_only_check_proof(const struct directory *self, const struct directory_satisfaction *was);

#endif
