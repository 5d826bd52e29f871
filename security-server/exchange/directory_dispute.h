// SPDX-License-Identifier: MIT
/*
 * directory_dispute - somebody offers a head of the directory that its log signed, and that goes
 * back behind the one in use or is of another history. It is refused elsewhere; here it is judged
 * once more, both notes are kept under conflicts/, and it is told of in our own log, once; of
 * further heads of the same kind, one word an hour (dispute_rate.h). A restart begins anew.
 */
#ifndef EXCHANGE_DIRECTORY_DISPUTE_H
#define EXCHANGE_DIRECTORY_DISPUTE_H

#include "security-server/exchange/dispute_rate.h"
#include "security-server/exchange/node.h"

struct disputed {
    const char *folder; /* its checkpoint, and for a larger head of another history its acts */
    const char *copy;   /* of the directory in use */
    struct trust *trust;
    const struct note_key *authority;
    const struct checkpoint *used; /* the newest head ever used */
    struct dispute_rates *rates;
};

struct dispute_rates {
    struct dispute_rate fork, rollback;
};

/* What is no contradiction, or was told of before, is left aside. Waits for the disk. */
void directory_dispute(struct node *node, const struct disputed *what);

/* Tells of the heads that came since, once it is time. */
void directory_dispute_remind(struct node *node, struct dispute_rates *rates);

#endif
