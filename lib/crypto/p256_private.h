// SPDX-License-Identifier: MIT
/*
 * p256_private - a bare public key as OpenSSL has it; internal to lib/crypto.
 */
#ifndef CRYPTO_P256_PRIVATE_H
#define CRYPTO_P256_PRIVATE_H

#include "lib/crypto/p256.h"

#include <openssl/evp.h>

/* BAD_KEY unless it is an uncompressed point of the curve. EVP_PKEY_free() it. */
fault p256_key(struct span point, EVP_PKEY **out);

#endif
