// SPDX-License-Identifier: MIT
/*
 * openssl_owned - OWNED for OpenSSL's own types; internal to lib/crypto.
 *
 *   OPENSSL_OWNED(BIO) out = BIO_new(...);   freed with BIO_free at every way out of the block
 */
#ifndef CRYPTO_OPENSSL_OWNED_H
#define CRYPTO_OPENSSL_OWNED_H

#include "lib/base/owned.h"

#include <openssl/bio.h>
#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/kdf.h>
#include <openssl/pkcs7.h>
#include <openssl/ts.h>
#include <openssl/x509.h>

#define OPENSSL_OWNED(type) __attribute__((cleanup(openssl_free_##type))) type *

#define OPENSSL_FREE(type)                              \
    static inline void openssl_free_##type(type **self) \
    {                                                   \
        type##_free(*self);                             \
        *self = NULL;                                   \
    }

OPENSSL_FREE(ASN1_OBJECT)
OPENSSL_FREE(ASN1_STRING)
OPENSSL_FREE(BIO)
OPENSSL_FREE(ECDSA_SIG)
OPENSSL_FREE(EVP_CIPHER_CTX)
OPENSSL_FREE(EVP_KDF_CTX)
OPENSSL_FREE(EVP_MD_CTX)
OPENSSL_FREE(EVP_PKEY)
OPENSSL_FREE(EVP_PKEY_CTX)
OPENSSL_FREE(PKCS7)
OPENSSL_FREE(PKCS8_PRIV_KEY_INFO)
OPENSSL_FREE(TS_REQ)
OPENSSL_FREE(TS_RESP)
OPENSSL_FREE(TS_TST_INFO)
OPENSSL_FREE(TS_VERIFY_CTX)
OPENSSL_FREE(X509)
OPENSSL_FREE(X509_ALGOR)
OPENSSL_FREE(X509_EXTENSION)
OPENSSL_FREE(X509_NAME)
OPENSSL_FREE(X509_REQ)
OPENSSL_FREE(X509_SIG)
OPENSSL_FREE(X509_STORE)
OPENSSL_FREE(X509_STORE_CTX)

#undef OPENSSL_FREE

#endif
