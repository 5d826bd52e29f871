// SPDX-License-Identifier: MIT
/*
 * issuer_private - the OpenSSL objects inside an issuer; internal to lib/crypto.
 */
#ifndef CRYPTO_ISSUER_PRIVATE_H
#define CRYPTO_ISSUER_PRIVATE_H

#include "lib/crypto/issuer.h"

#include <openssl/x509_vfy.h>

/* Lent; live as long as the issuer. The store holds its certificate alone. */
X509 *issuer_x509(const struct issuer *self);
X509_STORE *issuer_store(const struct issuer *self);

#endif
