// SPDX-License-Identifier: MIT
#include "lib/crypto/ecdsa.h"

#include "lib/crypto/crypto_fault.h"
#include "lib/crypto/openssl_owned.h"

#include <openssl/bn.h>
#include <openssl/err.h>

#define SCALAR_BYTES 32

/* n, the order of P-256 (FIPS 186-4, D.1.2.3), and floor(n / 2). */
static const uint8_t order[SCALAR_BYTES] = {
    0xff, 0xff, 0xff, 0xff, 0x00, 0x00, 0x00, 0x00, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
    0xbc, 0xe6, 0xfa, 0xad, 0xa7, 0x17, 0x9e, 0x84, 0xf3, 0xb9, 0xca, 0xc2, 0xfc, 0x63, 0x25, 0x51};
static const uint8_t half_order[SCALAR_BYTES] = {
    0x7f, 0xff, 0xff, 0xff, 0x80, 0x00, 0x00, 0x00, 0x7f, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
    0xde, 0x73, 0x7d, 0x56, 0xd3, 0x8b, 0xcf, 0x42, 0x79, 0xdc, 0xe5, 0x61, 0x7e, 0x31, 0x92, 0xa8};

static bool is_low(const BIGNUM *s)
{
    uint8_t padded[SCALAR_BYTES];
    return BN_bn2binpad(s, padded, sizeof padded) == sizeof padded &&
           memcmp(padded, half_order, sizeof padded) <= 0;
}

static ECDSA_SIG *decode(struct span der)
{
    const uint8_t *at = der.at;
    return der.size > P256_SIGNATURE_BYTES_MAX ? NULL : d2i_ECDSA_SIG(NULL, &at, (long)der.size);
}

/* 0 when it does not fit. */
static size_t encode(const ECDSA_SIG *parts, uint8_t out[P256_SIGNATURE_BYTES_MAX])
{
    int size = i2d_ECDSA_SIG(parts, NULL);
    if (size <= 0 || size > P256_SIGNATURE_BYTES_MAX)
        return 0;
    uint8_t *at = out;
    return (size_t)i2d_ECDSA_SIG(parts, &at);
}

/* s becomes n - s. */
static fault negate(ECDSA_SIG *parts)
{
    BIGNUM *r = BN_dup(ECDSA_SIG_get0_r(parts));
    BIGNUM *s = BN_bin2bn(order, sizeof order, NULL);
    if (r == NULL || s == NULL || BN_sub(s, s, ECDSA_SIG_get0_s(parts)) != 1 ||
        ECDSA_SIG_set0(parts, r, s) != 1) {
        BN_free(r);
        BN_free(s);
        return crypto_raise(CRYPTO_FAILED, "a low-S form");
    }
    return DONE;
}

fault ecdsa_make_low_s(uint8_t signature[P256_SIGNATURE_BYTES_MAX], size_t *size)
{
    OPENSSL_OWNED(ECDSA_SIG) parts = decode(span_of(signature, *size));
    if (parts == NULL)
        return crypto_raise(CRYPTO_FAILED, "a signature just made");
    if (is_low(ECDSA_SIG_get0_s(parts)))
        return DONE;
    TRY(negate(parts));
    size_t encoded = encode(parts, signature);
    if (encoded == 0)
        return crypto_raise(CRYPTO_FAILED, "encoding a signature");
    *size = encoded;
    return DONE;
}

bool ecdsa_is_canonical(struct span signature)
{
    OPENSSL_OWNED(ECDSA_SIG) parts = decode(signature);
    if (parts == NULL) {
        ERR_clear_error();
        return false;
    }
    uint8_t again[P256_SIGNATURE_BYTES_MAX];
    size_t size = encode(parts, again);
    return size > 0 && span_equal(span_of(again, size), signature) &&
           is_low(ECDSA_SIG_get0_s(parts));
}

fault ecdsa_from_raw(const uint8_t raw[2 * SCALAR_BYTES], uint8_t out[P256_SIGNATURE_BYTES_MAX],
                     size_t *size)
{
    OPENSSL_OWNED(ECDSA_SIG) parts = ECDSA_SIG_new();
    BIGNUM *r = BN_bin2bn(raw, SCALAR_BYTES, NULL);
    BIGNUM *s = BN_bin2bn(raw + SCALAR_BYTES, SCALAR_BYTES, NULL);
    if (parts == NULL || r == NULL || s == NULL || BN_is_zero(r) || BN_is_zero(s) ||
        ECDSA_SIG_set0(parts, r, s) != 1) {
        BN_free(r);
        BN_free(s);
        return crypto_raise(CRYPTO_FAILED, "a token's signature");
    }
    size_t encoded = encode(parts, out);
    if (encoded == 0)
        return crypto_raise(CRYPTO_FAILED, "encoding a signature");
    *size = encoded;
    return ecdsa_make_low_s(out, size);
}
