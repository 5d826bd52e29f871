// SPDX-License-Identifier: MIT
#include "lib/crypto/ecdsa.h"

#include "lib/crypto/p256.h"
#include "tests/unit/crypto/fixture.h"

/* n - 1, the largest s that there is: its low form is 1. */
static const char raw_hex[] = "0000000000000000000000000000000000000000000000000000000000000005"
                              "ffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632550";

static void test_raw_numbers_become_minimal_der_with_low_s(void)
{
    uint8_t raw[64], der[P256_SIGNATURE_BYTES_MAX];
    size_t size = 0;
    MUST(text_unhex(span_of_text(raw_hex), raw, sizeof raw));
    MUST(ecdsa_from_raw(raw, der, &size));
    CU_ASSERT(fixture_is_hex(span_of(der, size), "3006020105020101"));
    CU_ASSERT(ecdsa_is_canonical(span_of(der, size)));
}

static void test_zero_is_no_part_of_a_signature(void)
{
    uint8_t raw[64] = {0}, der[P256_SIGNATURE_BYTES_MAX];
    size_t size = 0;
    MUST_FAIL(CRYPTO_FAILED, ecdsa_from_raw(raw, der, &size));
    raw[63] = 1;
    MUST_FAIL(CRYPTO_FAILED, ecdsa_from_raw(raw, der, &size));
    raw[31] = 1;
    MUST(ecdsa_from_raw(raw, der, &size));
}

SUITE(ecdsa, TEST(test_raw_numbers_become_minimal_der_with_low_s),
      TEST(test_zero_is_no_part_of_a_signature))
