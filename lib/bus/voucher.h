// SPDX-License-Identifier: MIT
/*
 * voucher - a server of a member stands behind a request for enrolment of its member: one more
 * server, or other keys for one that is there (docs/decisions/0032).
 *
 * It is made where that server's signing key is, over the request's id, which stands for all that
 * is asked (registry/serve/enrolment.h); it counts for as long as the key does. It approves
 * nothing: two operators look at it, their programs check it again.
 */
#ifndef BUS_VOUCHER_H
#define BUS_VOUCHER_H

#include "lib/bus/directory.h"
#include "lib/crypto/digest.h"

/* What the signing key signs, ECDSA P-256, DER with low S: SHA-256 of "chaski voucher v1", a zero
 * byte, the instance, a zero byte, the server that vouches, a zero byte, and the 32 bytes of the
 * request's id. Nothing else that it signs begins so. */
struct sha256 voucher_digest(const char *instance, const char *server,
                             const struct sha256 *request);

/* Does `server` stand behind the request for `wanted` at that time? REFUSED with why not: it does
 * not stand in the directory, is another member's, its key was revoked or has ended, or signed
 * something else. */
fault voucher_check(const struct directory *state, const char *server, const char *wanted,
                    const struct sha256 *request, struct span signature, int64_t at_ms);

#endif
