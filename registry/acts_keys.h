// SPDX-License-Identifier: MIT
/*
 * acts_keys - the keys that sign acts: keys/acts.key with authority.pem, the first, and those that
 * follow it, keys/acts-ID.key (ID: 8 hex digits of the subject key identifier). Which one signs say
 * the acts (ActsKeySet, docs/decisions/0043).
 *
 *   acts-ID.json    what is proposed to the directory about ID: "before" and "after" (certificates,
 *                   PEM), "signature_before" (hex DER ECDSA; "": that key was not there any more)
 */
#ifndef REGISTRY_ACTS_KEYS_H
#define REGISTRY_ACTS_KEYS_H

#include "lib/crypto/certificate.h"
#include "lib/crypto/ecdsa.h"
#include "lib/crypto/keypair.h"

#define ACTS_KEY_DAYS 3650 /* of a certificate, unless its CA ends before */

struct acts_key_change {
    struct certificate *before, *after;
    uint8_t signature[P256_SIGNATURE_BYTES_MAX];
    size_t signature_size; /* 0: lost */
};
void acts_key_change_clear(struct acts_key_change *self);

/* The key of that certificate; first: of authority.pem. NOT_FOUND: it is not there; BAD_KEY: it is
 * another one. */
fault acts_keys_load(const char *folder, struct certificate *certificate, bool first,
                     struct keypair **out);
/* Makes key and certificate to follow `now`, and what is to be proposed; path: of that file. signer
 * NULL: its key is lost. Waits for the disk. */
struct acts_key_plan {
    const char *folder;
    const struct certificate *now;
    struct keypair *signer;
    const struct certificate *ca;
    struct keypair *ca_key;
    int64_t now_ms;
};
fault acts_keys_make(const struct acts_key_plan *plan, char *path, size_t room);
/* REFUSED: it is no such file. */
fault acts_keys_read(const char *path, struct acts_key_change *out);

#endif
