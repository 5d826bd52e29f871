// SPDX-License-Identifier: MIT
/*
 * voucher_desk - takes what servers say of their member's requests, and says which requests may go
 * on.
 */
#ifndef REGISTRY_SERVE_VOUCHER_DESK_H
#define REGISTRY_SERVE_VOUCHER_DESK_H

#include "registry/serve/requests.h"

/* A server's signature that it stands behind the request (lib/bus/voucher.h). Durable when it
 * returns; one that is there is not written again. REFUSED: it counts for nothing, and why; the
 * request is decided; or ENROLMENT_VOUCHERS_MAX others vouch. IO_FAILED: nothing has changed. */
fault voucher_desk_take(struct requests *requests, struct request *request, const char *server,
                        struct span signature);

/* May its acts be carried out as the directory is now: a server vouches for it whose key is in
 * force, an operator said why none does, or it wants no voucher? */
bool voucher_desk_stands(const struct requests *requests, const struct request *request);

/* May it be prepared? alone: an operator's words why nobody vouches, or NULL. REFUSED with what is
 * to be done, or because those words are out of place. */
fault voucher_desk_check(const struct requests *requests, const struct request *request,
                         const struct enrolment *enrolment, const char *alone);

/* For the agency: {"wanted", "servers": [those that count]}; NULL when it is no matter. */
json_t *voucher_desk_json(const struct requests *requests, const struct request *request);

#endif
