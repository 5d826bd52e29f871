// SPDX-License-Identifier: MIT
#include "lib/crypto/certificate_shelf.h"

#include "tests/unit/crypto/fixture.h"

#define MANY 5

/* Certificates of several keys on one shelf, and what each key signed. */
struct shelved {
    struct country *country;
    struct certificate_shelf *shelf;
    struct certificate *certificate[MANY];
    uint8_t signature[MANY][P256_SIGNATURE_BYTES_MAX];
    size_t size[MANY];
    struct sha256 digest;
};

static void begin(struct shelved *self, size_t unfolded_max)
{
    *self = (struct shelved){.country = fixture_country(),
                             .shelf = certificate_shelf_new(unfolded_max),
                             .digest = SHA256_OF(span_of_text("leaf"))};
    for (size_t i = 0; i < MANY; i++) {
        OWNED(keypair) key = NULL;
        MUST(keypair_make(KEY_P256, &key));
        fixture_issue(self->country, key, &self->certificate[i]);
        MUST(keypair_sign_digest(key, self->digest.at, self->signature[i], &self->size[i]));
        certificate_put(self->shelf, self->certificate[i]);
    }
}

static void end(struct shelved *self)
{
    for (size_t i = 0; i < MANY; i++)
        certificate_free(&self->certificate[i]);
    CU_ASSERT_EQUAL(certificate_shelf_unfolded(self->shelf), 0);
    certificate_shelf_free(&self->shelf);
    country_free(&self->country);
}

static fault verify(struct shelved *self, size_t certificate, size_t signature)
{
    return certificate_verify_digest(self->certificate[certificate], self->digest.at,
                                     span_of(self->signature[signature], self->size[signature]));
}

static void test_no_more_are_parsed_than_the_shelf_allows(void)
{
    struct shelved shelved;
    begin(&shelved, 2);
    CU_ASSERT_EQUAL(certificate_shelf_unfolded(shelved.shelf), 0);
    MUST(verify(&shelved, MANY - 1, MANY - 1));
    CU_ASSERT_EQUAL(certificate_shelf_unfolded(shelved.shelf), 1);
    for (size_t i = 0; i < 4 * MANY; i++) {
        MUST(verify(&shelved, i % MANY, i % MANY));
        MUST_FAIL(SIGNATURE_BAD, verify(&shelved, i % MANY, (i + 1) % MANY));
        CU_ASSERT_EQUAL(certificate_shelf_unfolded(shelved.shelf), 2);
    }
    end(&shelved);
}

static void test_what_laid_it_down_is_as_good_as_before(void)
{
    struct shelved shelved;
    OWNED(trust) trust = NULL;
    OWNED(bytes) pem = NULL;
    begin(&shelved, MANY);
    MUST(certificate_pem(shelved.country->ca, &pem));
    MUST(trust_read(bytes_span(pem), &trust));
    CU_ASSERT_TRUE(certificate_may_sign(shelved.certificate[0])); /* told without parsing */
    CU_ASSERT_EQUAL(certificate_shelf_unfolded(shelved.shelf), 0);
    MUST(trust_check(trust, shelved.certificate[3], FIXTURE_START_MS + 1000));
    CU_ASSERT_EQUAL(certificate_shelf_unfolded(shelved.shelf), 1);
    for (size_t i = 0; i < MANY; i++)
        MUST(verify(&shelved, i, i));
    CU_ASSERT_EQUAL(certificate_shelf_unfolded(shelved.shelf), MANY);
    end(&shelved);
}

static void test_a_shelf_for_one(void)
{
    struct shelved shelved;
    begin(&shelved, 1);
    MUST(verify(&shelved, 0, 0));
    MUST(verify(&shelved, 0, 0));
    MUST(verify(&shelved, 1, 1));
    certificate_free(&shelved.certificate[1]); /* while it is the one that is parsed */
    CU_ASSERT_EQUAL(certificate_shelf_unfolded(shelved.shelf), 0);
    MUST(verify(&shelved, 4, 4));
    end(&shelved);
}

SUITE(certificate_shelf, TEST(test_no_more_are_parsed_than_the_shelf_allows),
      TEST(test_what_laid_it_down_is_as_good_as_before), TEST(test_a_shelf_for_one))
