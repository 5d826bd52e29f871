// SPDX-License-Identifier: MIT
/*
 * client_key - which key a TLS client shows: for libcurl's CURLOPT_SSL_CTX_FUNCTION, where a key in
 * a file will not do. Linked only where TLS is spoken.
 */
#ifndef CRYPTO_TLS_CLIENT_KEY_H
#define CRYPTO_TLS_CLIENT_KEY_H

#include "lib/crypto/certificate.h"
#include "lib/crypto/keypair.h"

/* ssl_context: an SSL_CTX. The keypair must outlive it, and is used by its thread. CRYPTO_FAILED.
 */
fault client_key_use(void *ssl_context, const struct keypair *key,
                     const struct certificate *certificate);

#endif
