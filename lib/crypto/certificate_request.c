// SPDX-License-Identifier: MIT
#include "lib/crypto/certificate_request.h"

#include "lib/crypto/crypto_fault.h"
#include "lib/crypto/digest.h"
#include "lib/crypto/openssl_owned.h"
#include "lib/crypto/p256_private.h"
#include "lib/crypto/subject.h"

/* Puts signature and its algorithm, ecdsa-with-SHA256 without parameters (RFC 5758), in. */
static fault put_signature(X509_REQ *request, struct span signature)
{
    OPENSSL_OWNED(X509_ALGOR) algorithm = X509_ALGOR_new();
    ASN1_BIT_STRING *bits = ASN1_BIT_STRING_new();
    if (algorithm == NULL || bits == NULL ||
        X509_ALGOR_set0(algorithm, OBJ_nid2obj(NID_ecdsa_with_SHA256), V_ASN1_UNDEF, NULL) != 1 ||
        X509_REQ_set1_signature_algo(request, algorithm) != 1 ||
        ASN1_BIT_STRING_set(bits, (unsigned char *)(uintptr_t)signature.at, (int)signature.size) !=
            1) {
        ASN1_BIT_STRING_free(bits);
        return crypto_raise(CRYPTO_FAILED, "a certificate request");
    }
    bits->flags &= ~(ASN1_STRING_FLAG_BITS_LEFT | 0x07);
    bits->flags |= ASN1_STRING_FLAG_BITS_LEFT; /* no bits of the last byte are unused */
    X509_REQ_set0_signature(request, bits);
    return DONE;
}

static fault sign(X509_REQ *request, const struct digest_signer *signer)
{
    uint8_t signature[P256_SIGNATURE_BYTES_MAX];
    size_t size = 0;
    unsigned char *body = NULL;
    int body_size = i2d_re_X509_REQ_tbs(request, &body);
    if (body_size <= 0)
        return crypto_raise(CRYPTO_FAILED, "encoding a certificate request");
    struct sha256 digest = SHA256_OF(span_of(body, (size_t)body_size));
    OPENSSL_free(body);
    TRY(signer->sign(signer->owner, digest.at, signature, &size));
    return put_signature(request, span_of(signature, size));
}

fault certificate_request_make(const uint8_t point[P256_POINT_BYTES],
                               const struct certificate_subject *subject,
                               const struct digest_signer *signer, struct bytes **out)
{
    X509_NAME *encoded = NULL;
    EVP_PKEY *made = NULL;
    TRY(subject_encode(subject, &encoded));
    OPENSSL_OWNED(X509_NAME) name = encoded;
    TRY(p256_key(span_of(point, P256_POINT_BYTES), &made));
    OPENSSL_OWNED(EVP_PKEY) key = made;
    OPENSSL_OWNED(X509_REQ) request = X509_REQ_new();
    if (request == NULL || X509_REQ_set_version(request, X509_REQ_VERSION_1) != 1 ||
        X509_REQ_set_subject_name(request, name) != 1 || X509_REQ_set_pubkey(request, key) != 1)
        return crypto_raise(CRYPTO_FAILED, "a certificate request");
    TRY(sign(request, signer));
    int size = i2d_X509_REQ(request, NULL);
    if (size <= 0)
        return crypto_raise(CRYPTO_FAILED, "encoding a certificate request");
    OWNED(bytes) der = NULL;
    TRY(bytes_new((size_t)size, &der));
    uint8_t *at = der->data;
    i2d_X509_REQ(request, &at);
    *out = TAKE(der);
    return DONE;
}
