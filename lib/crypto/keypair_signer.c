// SPDX-License-Identifier: MIT
/* A keypair whose private half lives elsewhere. OpenSSL 3 takes keys from elsewhere through a
 * provider, a program of its own, or through methods of the kind that it had before; this is the
 * smaller of the two. */
#define OPENSSL_SUPPRESS_DEPRECATED
#include "lib/crypto/certificate_request.h"
#include "lib/crypto/crypto_fault.h"
#include "lib/crypto/keypair_private.h"

#include <openssl/ec.h>
#include <openssl/err.h>
#include <stdlib.h>
#include <string.h>

#define DIGEST_BYTES 32

/* Which of a key's extra data is its signer; -1: none, and nothing can be made. */
static int place(void);

static void forget(void *parent, void *signer, CRYPTO_EX_DATA *data, int index, long argl,
                   void *argp)
{
    (void)parent, (void)data, (void)index, (void)argl, (void)argp;
    free(signer);
}

/* For certificates and TLS, which ask OpenSSL; it hears only that it failed. */
static int sign(int type, const unsigned char *digest, int size, unsigned char *out,
                unsigned int *out_size, const BIGNUM *kinv, const BIGNUM *r, EC_KEY *key)
{
    const struct digest_signer *signer = EC_KEY_get_ex_data(key, place());
    size_t made = 0;
    (void)type, (void)kinv, (void)r;
    if (signer == NULL || size != DIGEST_BYTES ||
        failed(signer->sign(signer->owner, digest, out, &made)))
        return 0;
    *out_size = (unsigned int)made;
    return 1;
}

static int set_up(EC_KEY *key, BN_CTX *context, BIGNUM **kinv, BIGNUM **r)
{
    (void)key, (void)context;
    *kinv = *r = NULL;
    return 1;
}

static ECDSA_SIG *sign_apart(const unsigned char *digest, int size, const BIGNUM *kinv,
                             const BIGNUM *r, EC_KEY *key)
{
    unsigned char der[P256_SIGNATURE_BYTES_MAX];
    const unsigned char *at = der;
    unsigned int made = 0;
    return sign(0, digest, size, der, &made, kinv, r, key) == 1 ? d2i_ECDSA_SIG(NULL, &at, made)
                                                                : NULL;
}

static int place(void)
{
    static int index = -1;
    if (index < 0)
        index = EC_KEY_get_ex_new_index(0, NULL, NULL, NULL, forget);
    return index;
}

/* Made once, and kept: keys point to it. */
static const EC_KEY_METHOD *method(void)
{
    static EC_KEY_METHOD *made;
    if (made == NULL && (made = EC_KEY_METHOD_new(EC_KEY_OpenSSL())) != NULL)
        EC_KEY_METHOD_set_sign(made, sign, set_up, sign_apart);
    return made;
}

static bool fill(EC_KEY *key, const uint8_t point[P256_POINT_BYTES],
                 const struct digest_signer *signer)
{
    struct digest_signer *copy = owned_new(sizeof *copy);
    *copy = *signer;
    if (place() < 0 || EC_KEY_set_ex_data(key, place(), copy) != 1) {
        free(copy);
        return false;
    }
    return EC_KEY_oct2key(key, point, P256_POINT_BYTES, NULL) == 1 && method() != NULL &&
           EC_KEY_set_method(key, method()) == 1;
}

fault keypair_of_signer(const uint8_t point[P256_POINT_BYTES], const struct digest_signer *signer,
                        struct keypair **out)
{
    EC_KEY *key = EC_KEY_new_by_curve_name(NID_X9_62_prime256v1);
    EVP_PKEY *pkey = EVP_PKEY_new();
    bool fine = key != NULL && pkey != NULL && fill(key, point, signer) &&
                EVP_PKEY_assign_EC_KEY(pkey, key) == 1;
    if (!fine) {
        EC_KEY_free(key);
        EVP_PKEY_free(pkey);
        return crypto_raise(BAD_KEY, "a key that lives elsewhere");
    }
    struct keypair_elsewhere elsewhere = {.signer = *signer};
    memcpy(elsewhere.point, point, sizeof elsewhere.point);
    return keypair_adopt(KEY_P256, pkey, &elsewhere, out);
}
