// SPDX-License-Identifier: MIT
#include "lib/crypto/certificate_request.h"

#include "tests/unit/crypto/fixture.h"

static fault sign(void *owner, const uint8_t digest[32], uint8_t out[P256_SIGNATURE_BYTES_MAX],
                  size_t *size)
{
    return keypair_sign_digest(owner, digest, out, size);
}

static fault refuse(void *owner, const uint8_t digest[32], uint8_t out[P256_SIGNATURE_BYTES_MAX],
                    size_t *size)
{
    (void)owner;
    (void)digest;
    (void)out;
    (void)size;
    return RAISE(TOKEN_AWAY, "nobody signs");
}

static void test_a_request_is_signed_by_whoever_has_the_key(void)
{
    OWNED(keypair) key = NULL;
    OWNED(keypair) other = NULL;
    OWNED(bytes) point = NULL;
    OWNED(bytes) good = NULL;
    OWNED(bytes) bad = NULL;
    MUST(keypair_make(KEY_P256, &key));
    MUST(keypair_make(KEY_P256, &other));
    MUST(keypair_public(key, &point));
    const struct digest_signer own = {sign, key}, stranger = {sign, other};
    MUST(certificate_request_make(point->data, &fixture_member, &own, &good));
    MUST(certificate_request_make(point->data, &fixture_member, &stranger, &bad));
    struct fixture_path a = fixture_write(unit_folder(), "r.der", bytes_span(good));
    CU_ASSERT_EQUAL(FIXTURE_OPENSSL("req", "-inform", "DER", "-in", a.at, "-verify", "-noout"), 0);
    OWNED(certificate) certificate = NULL;
    struct country *country = fixture_country();
    MUST_FAIL(REFUSED, certificate_issue(country->ca_key, country->ca, bytes_span(bad),
                                         &fixture_member, FIXTURE_START_MS,
                                         FIXTURE_START_MS + FIXTURE_YEAR_MS, &certificate));
    MUST(certificate_issue(country->ca_key, country->ca, bytes_span(good), &fixture_member,
                           FIXTURE_START_MS, FIXTURE_START_MS + FIXTURE_YEAR_MS, &certificate));
    country_free(&country);
}

static void test_what_keeps_the_signer_from_signing_is_handed_on(void)
{
    OWNED(keypair) key = NULL;
    OWNED(bytes) point = NULL;
    OWNED(bytes) made = NULL;
    const struct digest_signer nobody = {refuse, NULL};
    MUST(keypair_make(KEY_P256, &key));
    MUST(keypair_public(key, &point));
    MUST_FAIL(TOKEN_AWAY, certificate_request_make(point->data, &fixture_member, &nobody, &made));
    point->data[40] ^= 1;
    MUST_FAIL(BAD_KEY, certificate_request_make(point->data, &fixture_member, &nobody, &made));
    CU_ASSERT_PTR_NULL(made);
}

SUITE(certificate_request, TEST(test_a_request_is_signed_by_whoever_has_the_key),
      TEST(test_what_keeps_the_signer_from_signing_is_handed_on))
