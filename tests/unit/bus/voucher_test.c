// SPDX-License-Identifier: MIT
#include "lib/bus/voucher.h"

#include "lib/base/text.h"
#include "tests/unit/unit.h"

#include <string.h>

/* printf 'chaski voucher v1\0CO\0CO/GOV/1/SS1\0aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa' | sha256sum */
#define KNOWN "58c948ae489a5bd60e14f5783e77c84d26f937b5f86e3aa78a6b30cffdacde23"

static struct sha256 digest(const char *instance, const char *server, char request)
{
    struct sha256 id;
    memset(id.at, request, sizeof id.at);
    return voucher_digest(instance, server, &id);
}

static void test_what_is_signed_is_what_stock_tools_hash(void)
{
    char hex[2 * SHA256_BYTES + 1];
    struct sha256 known = digest("CO", "CO/GOV/1/SS1", 'a');
    text_hex(sha256_span(&known), hex, sizeof hex);
    CU_ASSERT_STRING_EQUAL(hex, KNOWN);
}

static void test_it_is_of_one_country_one_server_and_one_request(void)
{
    struct sha256 known = digest("CO", "CO/GOV/1/SS1", 'a'), other[] = {
                                                                 digest("AR", "CO/GOV/1/SS1", 'a'),
                                                                 digest("CO", "CO/GOV/1/SS2", 'a'),
                                                                 digest("CO", "CO/GOV/1/SS1", 'b'),
                                                             };
    for (size_t i = 0; i < sizeof other / sizeof other[0]; i++)
        CU_ASSERT(!sha256_equal(&known, &other[i]));
}

SUITE(voucher, TEST(test_what_is_signed_is_what_stock_tools_hash),
      TEST(test_it_is_of_one_country_one_server_and_one_request))
