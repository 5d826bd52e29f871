// SPDX-License-Identifier: MIT
/*
 * keypair_private - the OpenSSL key inside a keypair; internal to lib/crypto.
 */
#ifndef CRYPTO_KEYPAIR_PRIVATE_H
#define CRYPTO_KEYPAIR_PRIVATE_H

#include "lib/crypto/keypair.h"

#include <openssl/evp.h>

/* Lent; lives as long as the keypair. */
EVP_PKEY *keypair_pkey(const struct keypair *self);

/* An EC key on the named curve P-256 (not a curve spelled out as parameters)? */
bool keypair_is_p256(const EVP_PKEY *pkey);

#endif
