// SPDX-License-Identifier: MIT
#include "lib/crypto/certificate.h"
#include "lib/crypto/certificate_request.h"
#include "lib/crypto/keypair.h"
#include "tests/unit/crypto/fixture.h"

#include <unistd.h>

static const struct certificate_subject person = {.organisation = "operator"};

/* Somebody who holds the private half, and counts. */
struct holder {
    struct keypair *key;
    unsigned signatures;
    bool away;
};

static fault sign(void *owner, const uint8_t digest[32], uint8_t out[P256_SIGNATURE_BYTES_MAX],
                  size_t *out_size)
{
    struct holder *self = owner;
    self->signatures++;
    return self->away ? RAISE(TOKEN_AWAY, "pulled out")
                      : keypair_sign_digest(self->key, digest, out, out_size);
}

static void begin(struct holder *self, struct bytes **point, struct keypair **out)
{
    const struct digest_signer signer = {sign, self};
    MUST(keypair_make(KEY_P256, &self->key));
    MUST(keypair_public(self->key, point));
    MUST(keypair_of_signer((*point)->data, &signer, out));
}

static void test_it_signs_by_who_holds_the_key(void)
{
    struct holder holder = {0};
    OWNED(bytes) point = NULL;
    OWNED(bytes) shown = NULL;
    OWNED(keypair) key = NULL;
    uint8_t digest[32] = {7}, signature[P256_SIGNATURE_BYTES_MAX];
    size_t size = 0;
    begin(&holder, &point, &key);
    MUST(keypair_public(key, &shown));
    CU_ASSERT_TRUE(span_equal(bytes_span(shown), bytes_span(point)));
    MUST(keypair_sign_digest(key, digest, signature, &size));
    MUST(p256_verify_digest(bytes_span(point), digest, span_of(signature, size)));
    CU_ASSERT_EQUAL(holder.signatures, 1);
    keypair_free(&holder.key);
}

static void test_a_certificate_is_signed_by_it(void)
{
    struct holder holder = {0};
    OWNED(bytes) point = NULL;
    OWNED(keypair) key = NULL;
    OWNED(certificate) certificate = NULL;
    OWNED(bytes) pem = NULL;
    uint8_t carried[P256_POINT_BYTES];
    begin(&holder, &point, &key);
    MUST(certificate_make_client(key, &person, 0, INT64_C(2000000000000), &certificate));
    MUST(p256_of_certificate(certificate_der(certificate), carried));
    CU_ASSERT_TRUE(span_equal(span_of(carried, sizeof carried), bytes_span(point)));
    MUST(certificate_pem(certificate, &pem));
    struct fixture_path path = fixture_write(unit_folder(), "client.pem", bytes_span(pem));
    CU_ASSERT_EQUAL(
        FIXTURE_OPENSSL("verify", "-check_ss_sig", "-partial_chain", "-CAfile", path.at, path.at),
        0);
    CU_ASSERT_EQUAL(holder.signatures, 1);
    keypair_free(&holder.key);
}

static void test_its_fault_is_who_asked_hears(void)
{
    struct holder holder = {.away = true};
    OWNED(bytes) point = NULL;
    OWNED(keypair) key = NULL;
    OWNED(certificate) certificate = NULL;
    uint8_t digest[32] = {7}, signature[P256_SIGNATURE_BYTES_MAX];
    size_t size = 0;
    begin(&holder, &point, &key);
    MUST_FAIL(TOKEN_AWAY, keypair_sign_digest(key, digest, signature, &size));
    CU_ASSERT_TRUE(
        failed(certificate_make_client(key, &person, 0, INT64_C(2000000000000), &certificate)));
    keypair_free(&holder.key);
}

static void test_it_is_in_no_file(void)
{
    struct holder holder = {0};
    OWNED(bytes) point = NULL;
    OWNED(keypair) key = NULL;
    char path[512];
    begin(&holder, &point, &key);
    snprintf(path, sizeof path, "%s/elsewhere.key", unit_folder());
    MUST_FAIL(CRYPTO_FAILED, keypair_save(key, path));
    CU_ASSERT_NOT_EQUAL(access(path, F_OK), 0);
    keypair_free(&holder.key);
}

static void test_a_point_off_the_curve_is_no_key(void)
{
    const struct digest_signer signer = {sign, NULL};
    uint8_t point[P256_POINT_BYTES] = {4, 1, 2, 3};
    OWNED(keypair) key = NULL;
    MUST_FAIL(BAD_KEY, keypair_of_signer(point, &signer, &key));
}

SUITE(keypair_signer, TEST(test_it_signs_by_who_holds_the_key),
      TEST(test_a_certificate_is_signed_by_it), TEST(test_its_fault_is_who_asked_hears),
      TEST(test_it_is_in_no_file), TEST(test_a_point_off_the_curve_is_no_key))
