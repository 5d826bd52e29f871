// SPDX-License-Identifier: MIT
/*
 * certificate_request - PKCS#10 (RFC 2986) for a P-256 key that may live elsewhere.
 */
#ifndef CRYPTO_CERTIFICATE_REQUEST_H
#define CRYPTO_CERTIFICATE_REQUEST_H

#include "lib/crypto/keypair.h"
#include "lib/crypto/p256.h"

/* Whoever can sign a digest: a key in memory, or one in a token. */
struct digest_signer {
    fault (*sign)(void *owner, const uint8_t digest[32], uint8_t out[P256_SIGNATURE_BYTES_MAX],
                  size_t *out_size);
    void *owner;
};

/* DER, signed by the key that it is about: proof of possession. BAD_NAME as in certificate.h;
 * BAD_KEY for a point that is not on the curve; else as `signer` fails. */
fault certificate_request_make(const uint8_t point[P256_POINT_BYTES],
                               const struct certificate_subject *subject,
                               const struct digest_signer *signer, struct bytes **out);

#endif
