// SPDX-License-Identifier: MIT
/*
 * late_leaf - a leaf that a peer has and we have not: is it what it says?
 */
#ifndef EXCHANGE_LATE_LEAF_H
#define EXCHANGE_LATE_LEAF_H

#include "lib/bus/header.h"
#include "security-server/exchange/node.h"

struct late_leaf {
    struct bytes *leaf;
    char *peer;                  /* the other server of the exchange */
    struct late_receipt receipt; /* hash, time, kind, and whether it is signed by us */
    uint8_t exchange_id[EXCHANGE_ID_BYTES];
    char *service;
    struct sha256 content; /* of its header's bytes */
    uint32_t fault, status;
    unsigned subject_year; /* 0: it names nobody, and the next three are empty */
    struct sha256 pseudonym;
    int64_t sealed_until_ms; /* 0: it is not sealed */
    char *sealing;           /* the act that allows it, or NULL */
};

/*
 * Checks a stranger's bytes: a leaf of an exchange between this server and `peer`, signed by one of
 * the two with a certificate that the directory gave it, which was valid and not revoked at the
 * time in the header; dated between RECONCILE_DAYS_MAX ago and now. late_leaf_free() the result.
 *
 * Faults: BAD_FRAME (no leaf, or no message), INCONSISTENT (of other servers), CERTIFICATE_BAD,
 * REVOKED, NOT_YOURS, SIGNATURE_BAD, FROM_FUTURE, STALE. What a subsystem was registered for at
 * that time only the directory's acts tell: that is left to the auditor.
 */
fault late_leaf_check(const struct node *node, const char *peer, struct span leaf,
                      struct late_leaf **out);
void late_leaf_free(struct late_leaf **self);

#endif
