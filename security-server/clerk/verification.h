// SPDX-License-Identifier: MIT
/*
 * verification - verificationconf.zip: what somebody with a container needs besides it. X-Road has
 * instance-identifier and one folder for each instance in it; so have we.
 *
 *   verificationconf/instance-identifier
 *   verificationconf/<INSTANCE>/trust.pem directory.vkey log.vkey policy
 *   verificationconf/<INSTANCE>/directory/...      the directory in use: signed acts, checkpoint
 *   verificationconf/verify.sh README.txt
 */
#ifndef CLERK_VERIFICATION_H
#define CLERK_VERIFICATION_H

#include "security-server/clerk/view_cache.h"

/* The newest one that was made; zeroed but for its bound: none. */
struct verification {
    size_t bytes_max; /* of what goes in; VERIFICATION_BYTES_MAX */
    bool made;
    enum fault_code code; /* why there is none, or OK */
    char detail[256];
    unsigned epoch;     /* of the log */
    struct sha256 root; /* of the directory */
    int64_t made_ms;    /* steady */
    struct bytes *zip;
};

/* Borrowed until the next call. Made again when the directory has changed, but not more often than
 * VERIFICATION_KEPT_MS. REFUSED: the directory is larger than bytes_max. */
fault verification_get(struct verification *self, const struct view_cache *from, struct span *out);
void verification_clear(struct verification *self);

#endif
