// SPDX-License-Identifier: MIT
/*
 * offer - which services a subsystem offers: all, or those that one caller may call. What may be
 * called is decided by lib/bus/policy.h, as for a real exchange.
 */
#ifndef BUS_OFFER_H
#define BUS_OFFER_H

#include "lib/bus/directory.h"

struct policy_question;

/* The subsystem that answers this service, or metaservice; NULL when there is no such thing. */
const struct directory_subsystem *offer_provider(const struct directory *directory,
                                                 struct span service);

/* Borrowed from the directory; clear with offer_clear. */
struct offer {
    size_t count;
    const struct directory_service **service; /* in the order of their identifiers */
};

/*
 * The services of `subsystem`. caller: NULL for all of them, or who asks, with what purpose and
 * when (its service counts for nothing); a caller who names no purpose is shown what some
 * registered purpose would open. Looks at every service of the directory once.
 * SERVICE_TOO_LARGE: more than OFFER_SERVICES_MAX.
 */
fault offer_of(const struct directory *directory, const struct directory_subsystem *subsystem,
               const struct policy_question *caller, struct offer *out);
void offer_clear(struct offer *self);

#endif
