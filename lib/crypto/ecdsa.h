// SPDX-License-Identifier: MIT
/*
 * ecdsa - one form per P-256 signature: minimal DER and low S; internal to lib/crypto.
 *
 * (r, s) and (r, n - s) both verify, so without this rule anyone could make a second valid leaf
 * out of a signed one.
 */
#ifndef CRYPTO_ECDSA_H
#define CRYPTO_ECDSA_H

#include "lib/base/bytes.h"
#include "lib/crypto/keypair.h"

/* Rewrites the signature in place with s <= n / 2. CRYPTO_FAILED when it is not a signature. */
fault ecdsa_make_low_s(uint8_t signature[P256_SIGNATURE_BYTES_MAX], size_t *size);
/* r || s, 32 bytes each, as tokens sign: as DER with s <= n / 2. CRYPTO_FAILED when it is none. */
fault ecdsa_from_raw(const uint8_t raw[64], uint8_t out[P256_SIGNATURE_BYTES_MAX], size_t *size);
/* Minimal DER, nothing behind it, s <= n / 2? */
bool ecdsa_is_canonical(struct span signature);

#endif
