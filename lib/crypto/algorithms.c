// SPDX-License-Identifier: MIT
#include "lib/crypto/algorithms.h"

#include "lib/crypto/crypto_fault.h"

#include <pthread.h>

static pthread_once_t once = PTHREAD_ONCE_INIT;
static pthread_key_t digest_context;
static EVP_MD *sha256;
static EVP_MD *sha512;
static EVP_CIPHER *aes_256_gcm;
static EVP_CIPHER *aes_256_ecb;
static EVP_KDF *hkdf;

static void drop_digest_context(void *context)
{
    EVP_MD_CTX_free(context);
}

static void fetch(void)
{
    sha256 = EVP_MD_fetch(NULL, "SHA256", NULL);
    sha512 = EVP_MD_fetch(NULL, "SHA512", NULL);
    aes_256_gcm = EVP_CIPHER_fetch(NULL, "AES-256-GCM", NULL);
    aes_256_ecb = EVP_CIPHER_fetch(NULL, "AES-256-ECB", NULL);
    hkdf = EVP_KDF_fetch(NULL, "HKDF", NULL);
    if (sha256 == NULL || sha512 == NULL || aes_256_gcm == NULL || aes_256_ecb == NULL ||
        hkdf == NULL || pthread_key_create(&digest_context, drop_digest_context) != 0)
        crypto_fault_die("fetching algorithms");
}

static void ready(void)
{
    if (pthread_once(&once, fetch) != 0)
        crypto_fault_die("pthread_once");
}

const EVP_MD *algorithms_sha256(void)
{
    ready();
    return sha256;
}

const EVP_MD *algorithms_sha512(void)
{
    ready();
    return sha512;
}

const EVP_CIPHER *algorithms_aes_256_gcm(void)
{
    ready();
    return aes_256_gcm;
}

const EVP_CIPHER *algorithms_aes_256_ecb(void)
{
    ready();
    return aes_256_ecb;
}

EVP_KDF *algorithms_hkdf(void)
{
    ready();
    return hkdf;
}

EVP_MD_CTX *algorithms_digest_context(void)
{
    ready();
    EVP_MD_CTX *context = pthread_getspecific(digest_context);
    if (context != NULL)
        return context;
    context = EVP_MD_CTX_new();
    if (context == NULL || pthread_setspecific(digest_context, context) != 0)
        crypto_fault_die("a digest context");
    return context;
}
