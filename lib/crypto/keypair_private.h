// SPDX-License-Identifier: MIT
/*
 * keypair_private - the OpenSSL key inside a keypair; internal to lib/crypto.
 */
#ifndef CRYPTO_KEYPAIR_PRIVATE_H
#define CRYPTO_KEYPAIR_PRIVATE_H

#include "lib/crypto/certificate_request.h"
#include "lib/crypto/keypair.h"

#include <openssl/evp.h>

/* Lent; lives as long as the keypair. */
EVP_PKEY *keypair_pkey(const struct keypair *self);

/* A P-256 key whose private half is not here: OpenSSL does not give its point out again. */
struct keypair_elsewhere {
    struct digest_signer signer;
    uint8_t point[P256_POINT_BYTES];
};

/* Takes the key over, also when it fails. elsewhere: NULL when the private half is here. */
fault keypair_adopt(enum key_kind kind, EVP_PKEY *pkey, const struct keypair_elsewhere *elsewhere,
                    struct keypair **out);

/* An EC key on the named curve P-256 (not a curve spelled out as parameters)? */
bool keypair_is_p256(const EVP_PKEY *pkey);

#endif
