// SPDX-License-Identifier: MIT
#include "lib/crypto/p256.h"

#include "lib/crypto/certificate.h"
#include "lib/crypto/digest.h"
#include "lib/crypto/keypair.h"
#include "tests/unit/unit.h"

#include <stdio.h>

static void test_a_signature_is_checked_with_the_point_alone(void)
{
    OWNED(keypair) key = NULL;
    OWNED(keypair) other = NULL;
    OWNED(bytes) point = NULL;
    OWNED(bytes) other_point = NULL;
    uint8_t signature[P256_SIGNATURE_BYTES_MAX];
    size_t size = 0;
    struct sha256 digest = SHA256_OF(span_of_text("acto"));
    MUST(keypair_make(KEY_P256, &key));
    MUST(keypair_make(KEY_P256, &other));
    MUST(keypair_public(key, &point));
    MUST(keypair_public(other, &other_point));
    MUST(keypair_sign_digest(key, digest.at, signature, &size));
    MUST(p256_verify_digest(bytes_span(point), digest.at, span_of(signature, size)));
    MUST_FAIL(SIGNATURE_BAD,
              p256_verify_digest(bytes_span(other_point), digest.at, span_of(signature, size)));
    digest.at[31] ^= 1;
    MUST_FAIL(SIGNATURE_BAD,
              p256_verify_digest(bytes_span(point), digest.at, span_of(signature, size)));
    digest.at[31] ^= 1;
    for (size_t i = 0; i < size; i++) {
        signature[i] ^= 0x10;
        CU_ASSERT(
            failed(p256_verify_digest(bytes_span(point), digest.at, span_of(signature, size))));
        signature[i] ^= 0x10;
    }
    MUST_FAIL(SIGNATURE_BAD,
              p256_verify_digest(bytes_span(point), digest.at, span_of(signature, size - 1)));
}

static void test_only_points_of_the_curve_are_keys(void)
{
    OWNED(keypair) key = NULL;
    OWNED(bytes) point = NULL;
    MUST(keypair_make(KEY_P256, &key));
    MUST(keypair_public(key, &point));
    MUST(p256_check_point(bytes_span(point)));
    MUST_FAIL(BAD_KEY, p256_check_point(span_of(point->data, point->size - 1)));
    MUST_FAIL(BAD_KEY, p256_check_point((struct span){0}));
    point->data[64] ^= 1; /* no point any more */
    MUST_FAIL(BAD_KEY, p256_check_point(bytes_span(point)));
    point->data[64] ^= 1;
    point->data[0] = 0x02; /* the compressed form has 33 bytes */
    MUST_FAIL(BAD_KEY, p256_check_point(bytes_span(point)));
}

static void test_a_certificate_and_a_request_show_their_key(void)
{
    const struct certificate_subject subject = {.organisation = "Ana"};
    OWNED(keypair) key = NULL;
    OWNED(bytes) point = NULL;
    OWNED(bytes) request = NULL;
    OWNED(certificate) client = NULL;
    uint8_t found[P256_POINT_BYTES];
    MUST(keypair_make(KEY_P256, &key));
    MUST(keypair_public(key, &point));
    MUST(keypair_request(key, &subject, &request));
    MUST(certificate_make_client(key, &subject, 0, 86400000, &client));
    MUST(p256_of_certificate(certificate_der(client), found));
    CU_ASSERT(span_equal(bytes_span(point), span_of(found, sizeof found)));
    memset(found, 0, sizeof found);
    MUST(p256_of_request(bytes_span(request), found));
    CU_ASSERT(span_equal(bytes_span(point), span_of(found, sizeof found)));
    request->data[request->size - 1] ^= 1;
    MUST_FAIL(SIGNATURE_BAD, p256_of_request(bytes_span(request), found));
    MUST_FAIL(BAD_KEY, p256_of_request(certificate_der(client), found));
    MUST_FAIL(BAD_KEY, p256_of_certificate(bytes_span(request), found));
    MUST_FAIL(BAD_KEY, p256_of_certificate(span_of(NULL, 0), found));
}

SUITE(p256, TEST(test_a_certificate_and_a_request_show_their_key),
      TEST(test_a_signature_is_checked_with_the_point_alone),
      TEST(test_only_points_of_the_curve_are_keys))
