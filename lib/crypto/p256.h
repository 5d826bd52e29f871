// SPDX-License-Identifier: MIT
/*
 * p256 - a signature checked with a bare public key, for keys that stand in the directory without a
 * certificate.
 */
#ifndef CRYPTO_P256_H
#define CRYPTO_P256_H

#include "lib/base/bytes.h"

#define P256_POINT_BYTES 65 /* 04 || x || y */

/* BAD_KEY unless it is an uncompressed point of the curve. */
fault p256_check_point(struct span point);
/* ECDSA over a ready SHA-256 digest, DER with low S. SIGNATURE_BAD when it does not verify;
 * BAD_KEY. 90 us: the key is made anew each time. */
fault p256_verify_digest(struct span point, const uint8_t digest[32], struct span signature);

/* The key that an X.509 certificate carries, whatever else stands in it and whoever signed it: for
 * TLS clients that are known by their key. BAD_KEY unless it is one of P-256, in at most 16 KiB. */
fault p256_of_certificate(struct span der, uint8_t out[P256_POINT_BYTES]);
/* The same of a PKCS#10 request, with its proof of possession. BAD_KEY, SIGNATURE_BAD. */
fault p256_of_request(struct span der, uint8_t out[P256_POINT_BYTES]);

#endif
