// SPDX-License-Identifier: MIT
/*
 * signature_strength - may a signature with this algorithm be believed? Internal to lib/crypto, for
 * what OpenSSL's security level does not reach: answers of OCSP, and CRLs.
 */
#ifndef CRYPTO_SIGNATURE_STRENGTH_H
#define CRYPTO_SIGNATURE_STRENGTH_H

#include <openssl/x509.h>
#include <stdbool.h>

/* SHA-256, 384 or 512 with any key, also in RSA-PSS; Ed25519 and Ed448. */
bool signature_is_strong(const X509_ALGOR *algorithm);

#endif
