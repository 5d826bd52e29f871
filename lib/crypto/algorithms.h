// SPDX-License-Identifier: MIT
/*
 * algorithms - OpenSSL algorithms, fetched once per process; internal to lib/crypto.
 *
 * A fetch takes a lock and costs more than the digest of a small message. Never NULL: a libcrypto
 * without one of these ends the process.
 */
#ifndef CRYPTO_ALGORITHMS_H
#define CRYPTO_ALGORITHMS_H

#include <openssl/evp.h>
#include <openssl/kdf.h>

const EVP_MD *algorithms_sha256(void);
const EVP_MD *algorithms_sha512(void);
const EVP_CIPHER *algorithms_aes_256_gcm(void);
const EVP_CIPHER *algorithms_aes_256_ecb(void);
EVP_KDF *algorithms_hkdf(void);

/* This thread's digest context, kept until the thread ends; lent for one call. */
EVP_MD_CTX *algorithms_digest_context(void);

#endif
