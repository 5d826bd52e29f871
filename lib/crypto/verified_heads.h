// SPDX-License-Identifier: MIT
/*
 * verified_heads - which signatures over heads of batches were found good, so that one check serves
 * all contents under a head.
 *
 * Remembered are the digest that was signed and the signature, byte for byte. The digest covers the
 * certificate's hash, the signing time and the head, so what is found here is the very check that
 * was made before. Whether the signer may sign now is nobody's word here: that is asked for each
 * message. Bounded: a newer one takes the place of an older; who floods it makes work, no more.
 * Used by one thread.
 */
#ifndef CRYPTO_VERIFIED_HEADS_H
#define CRYPTO_VERIFIED_HEADS_H

#include "lib/crypto/digest.h"

struct verified_heads;

struct verified_heads *verified_heads_new(void);
void verified_heads_free(struct verified_heads **self);

bool verified_heads_has(const struct verified_heads *self, const struct sha256 *signed_digest,
                        struct span signature);
/* signature: at most P256_SIGNATURE_BYTES_MAX. */
void verified_heads_add(struct verified_heads *self, const struct sha256 *signed_digest,
                        struct span signature);

#endif
