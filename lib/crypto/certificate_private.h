// SPDX-License-Identifier: MIT
/*
 * certificate_private - the OpenSSL objects inside certificates and trust; internal to lib/crypto.
 */
#ifndef CRYPTO_CERTIFICATE_PRIVATE_H
#define CRYPTO_CERTIFICATE_PRIVATE_H

#include "lib/crypto/certificate.h"

#include <openssl/x509_vfy.h>

/* Lent; lives as long as the certificate. */
X509 *certificate_x509(const struct certificate *self);

/* A store of the same anchors and strength that checks chains as of at_ms, for functions of OpenSSL
 * that do not let a time be set. X509_STORE_free() it. */
fault trust_store_at(const struct trust *self, int64_t at_ms, X509_STORE **out);

#endif
