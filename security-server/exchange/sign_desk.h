// SPDX-License-Identifier: MIT
/*
 * sign_desk - headers that wait for their signature, together with others for the same server.
 *
 * A lane for each server that headers are addressed to. What waits in a lane at the end of a turn
 * of the loop, and is of one second, is signed as one batch (lib/crypto/batch.h); what comes while
 * that is at the keys process waits for the next. A header that is alone is signed itself, at once.
 * Reasons: docs/decisions/0049-batch-signatures.md. Used by the exchange thread only.
 */
#ifndef EXCHANGE_SIGN_DESK_H
#define EXCHANGE_SIGN_DESK_H

#include "lib/crypto/batch.h"
#include "security-server/exchange/audit_actor.h"
#include "security-server/exchange/keys_line.h"

struct sign_desk;

/* Where a header stands in its batch. */
struct sign_place {
    struct span place;             /* empty: it was signed alone */
    const struct batch_head *head; /* that was signed; NULL: it was signed alone */
};

/* All that is given is valid during the call. */
typedef void sign_done(void *owner, fault f, struct span signature, const struct sign_place *place);

/* One header; belongs to the caller, and stays where it is until `done`. */
struct sign_job {
    struct span header;
    int64_t time_ms; /* of the header */
    sign_done *done;
    void *owner;
    struct sign_job *next;
};

/* Before keys_line_open, so that what is gathered in a turn goes to the keys process in it. */
struct sign_desk *sign_desk_new(struct loop *loop);
void sign_desk_free(struct sign_desk **self);
/* From now on headers are signed at the pace at which the log takes them; log: as long as the desk
 * is there. */
void sign_desk_follow(struct sign_desk *self, const struct audit_pace *log);
void sign_desk_use(struct sign_desk *self, struct keys_line *keys);

/* receiver: whose lane. batches: it takes headers that were signed in a batch; if not, this one is
 * signed alone. Faults, in `done`, as keys_line_sign_header. */
void sign_desk_sign(struct sign_desk *self, const char *receiver, bool batches,
                    struct sign_job *job);

#endif
