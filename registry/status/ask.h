// SPDX-License-Identifier: MIT
/*
 * ask - one round of asking outside authorities how their certificates stand.
 *
 * For each certificate in force of a server that an outside authority issued, as long as it is
 * valid and not revoked: OCSP, and when
 * that brings no sound answer the CRL, which is fetched once for all of an authority. Answers go
 * into STORE/statuses, proofs of revocations too: another part, which has keys, makes acts of them
 * (outside_revocations). An authority that fails STATUS_FAILURES_MAX times in a row is left alone
 * until the next round.
 *
 * Events: status.revoked, status.unknown (an authority does not know its own certificate),
 * status.unanswered with the age of the last good answer, status.aged when that is past its end.
 */
#ifndef REGISTRY_STATUS_ASK_H
#define REGISTRY_STATUS_ASK_H

#include "lib/bus/directory.h"

struct status_counts {
    size_t asked, good, revoked, unknown, unanswered;
};

/* Waits for the network, at most STATUS_ROUND_MS; needs neither keys nor the store's lock. One at a
 * time for a store: REFUSED. */
fault status_ask(const char *store, const struct directory *state, struct status_counts *counts);

#endif
