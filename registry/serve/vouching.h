// SPDX-License-Identifier: MIT
/*
 * vouching - who stands behind a request for enrolment, as the directory is now
 * (docs/decisions/0032).
 *
 * What came once is kept, and counts only while the key that signed it is in force: that is asked
 * anew each time.
 */
#ifndef REGISTRY_SERVE_VOUCHING_H
#define REGISTRY_SERVE_VOUCHING_H

#include "registry/serve/requests.h"

/* REFUSED with why it counts for nothing. */
fault vouching_check(const struct request *request, const struct request_voucher *voucher,
                     const struct directory *state, int64_t now_ms);
/* How many count. */
size_t vouching_count(const struct request *request, const struct directory *state, int64_t now_ms);

/* Puts it with the request, in memory: in the place of the same server's, of one that counts no
 * more, or behind the others; nowhere (*fresh false) when that server vouches already. *before:
 * what stood there, all zero when nothing did; the caller gives it back with vouching_undo when it
 * could not be kept, or frees its server. REFUSED when it counts for nothing, or
 * ENROLMENT_VOUCHERS_MAX others count. */
fault vouching_take(struct request *request, const struct directory *state, const char *server,
                    struct span signature, int64_t now_ms, struct request_voucher *before,
                    bool *fresh);
void vouching_undo(struct request *request, const char *server,
                   const struct request_voucher *before);

/* For operators: [{"server", "at", "signature", "counts", "problem" unless it does}]. */
json_t *vouching_json(const struct request *request, const struct directory *state);

#endif
