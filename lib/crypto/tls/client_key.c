// SPDX-License-Identifier: MIT
#include "lib/crypto/tls/client_key.h"

#include "lib/crypto/certificate_private.h"
#include "lib/crypto/crypto_fault.h"
#include "lib/crypto/keypair_private.h"

#include <openssl/ssl.h>

fault client_key_use(void *ssl_context, const struct keypair *key,
                     const struct certificate *certificate)
{
    SSL_CTX *context = ssl_context;
    return SSL_CTX_use_certificate(context, certificate_x509(certificate)) == 1 &&
                   SSL_CTX_use_PrivateKey(context, keypair_pkey(key)) == 1
               ? DONE
               : crypto_raise(CRYPTO_FAILED, "the key of a TLS client");
}
