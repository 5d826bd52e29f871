// SPDX-License-Identifier: MIT
#include "lib/crypto/p256.h"

#include "lib/crypto/crypto_fault.h"
#include "lib/crypto/ecdsa.h"
#include "lib/crypto/openssl_owned.h"
#include "lib/crypto/p256_private.h"

#include "lib/crypto/keypair_private.h"

#include <openssl/core_names.h>
#include <openssl/x509.h>

#define DIGEST_BYTES 32

fault p256_key(struct span point, EVP_PKEY **out)
{
    char group[] = "P-256";
    OSSL_PARAM params[] = {OSSL_PARAM_construct_utf8_string(OSSL_PKEY_PARAM_GROUP_NAME, group, 0),
                           OSSL_PARAM_construct_octet_string(
                               OSSL_PKEY_PARAM_PUB_KEY, (void *)(uintptr_t)point.at, point.size),
                           OSSL_PARAM_construct_end()};
    if (point.size != P256_POINT_BYTES || point.at[0] != 0x04)
        return RAISE(BAD_KEY, "a public key that is no uncompressed point of P-256");
    OPENSSL_OWNED(EVP_PKEY_CTX) context = EVP_PKEY_CTX_new_from_name(NULL, "EC", NULL);
    if (context == NULL || EVP_PKEY_fromdata_init(context) != 1)
        return crypto_raise(CRYPTO_FAILED, "preparing a P-256 key");
    if (EVP_PKEY_fromdata(context, out, EVP_PKEY_PUBLIC_KEY, params) != 1)
        return crypto_raise(BAD_KEY, "a public key that is not on P-256");
    return DONE;
}

fault p256_check_point(struct span point)
{
    OPENSSL_OWNED(EVP_PKEY) key = NULL;
    return p256_key(point, &key);
}

fault p256_verify_digest(struct span point, const uint8_t digest[32], struct span signature)
{
    OPENSSL_OWNED(EVP_PKEY) key = NULL;
    if (!ecdsa_is_canonical(signature))
        return RAISE(SIGNATURE_BAD, "a signature of %zu bytes is not in minimal DER with low S",
                     signature.size);
    TRY(p256_key(point, &key));
    OPENSSL_OWNED(EVP_PKEY_CTX) context = EVP_PKEY_CTX_new_from_pkey(NULL, key, NULL);
    if (context == NULL || EVP_PKEY_verify_init(context) != 1)
        return crypto_raise(CRYPTO_FAILED, "preparing a check");
    if (EVP_PKEY_verify(context, signature.at, signature.size, digest, DIGEST_BYTES) != 1)
        return crypto_raise(SIGNATURE_BAD, "an ECDSA signature");
    return DONE;
}

// --- keys that come in something else -----------------------------------------------------------

#define CARRIER_BYTES_MAX 16384

static fault point_of(EVP_PKEY *key, uint8_t out[P256_POINT_BYTES])
{
    size_t size = 0;
    uint8_t point[P256_POINT_BYTES];
    if (key == NULL || !keypair_is_p256(key))
        return crypto_raise(BAD_KEY, "a key that is not P-256");
    if (EVP_PKEY_get_octet_string_param(key, OSSL_PKEY_PARAM_PUB_KEY, point, sizeof point, &size) !=
            1 ||
        size != sizeof point || point[0] != 0x04)
        return crypto_raise(BAD_KEY, "a key that is no uncompressed point of P-256");
    memcpy(out, point, sizeof point);
    return DONE;
}

fault p256_of_certificate(struct span der, uint8_t out[P256_POINT_BYTES])
{
    const uint8_t *at = der.at;
    if (der.size == 0 || der.size > CARRIER_BYTES_MAX)
        return RAISE(BAD_KEY, "a certificate of %zu bytes", der.size);
    OPENSSL_OWNED(X509) x509 = d2i_X509(NULL, &at, (long)der.size);
    if (x509 == NULL || at != der.at + der.size)
        return crypto_raise(BAD_KEY, "not a certificate");
    return point_of(X509_get0_pubkey(x509), out);
}

fault p256_of_request(struct span der, uint8_t out[P256_POINT_BYTES])
{
    const uint8_t *at = der.at;
    if (der.size == 0 || der.size > CARRIER_BYTES_MAX)
        return RAISE(BAD_KEY, "a certificate request of %zu bytes", der.size);
    OPENSSL_OWNED(X509_REQ) request = d2i_X509_REQ(NULL, &at, (long)der.size);
    if (request == NULL || at != der.at + der.size)
        return crypto_raise(BAD_KEY, "not a certificate request");
    EVP_PKEY *key = X509_REQ_get0_pubkey(request);
    TRY(point_of(key, out));
    return X509_REQ_verify(request, key) == 1
               ? DONE
               : crypto_raise(SIGNATURE_BAD, "a certificate request");
}
