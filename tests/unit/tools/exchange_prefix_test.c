// SPDX-License-Identifier: MIT
#include "tools/audit/exchange_prefix.h"

#include "tests/unit/unit.h"

static const uint8_t id[EXCHANGE_ID_BYTES] = {0x3f, 0x2a, 0x01, 0x99, 0xab, 0xcd, 0x4e, 0xf0,
                                              0x80, 0x11, 0x22, 0x33, 0x44, 0x55, 0x66, 0x77};

static bool fits(const char *text)
{
    struct exchange_prefix prefix;
    MUST(exchange_prefix_read(text, &prefix));
    return exchange_prefix_fits(&prefix, id);
}

static void test_an_exchange_is_named_by_its_first_digits_or_all_of_them(void)
{
    CU_ASSERT_TRUE(fits("3f2a0199"));
    CU_ASSERT_TRUE(fits("3F2A0199"));
    CU_ASSERT_TRUE(fits("3f2a0199-"));
    CU_ASSERT_TRUE(fits("3f2a0199-abcd-4ef0-8011-223344556677"));
    CU_ASSERT_TRUE(fits("3f2a0199abcd4ef08011223344556677"));
    CU_ASSERT_FALSE(fits("3f2a0198"));
    CU_ASSERT_FALSE(fits("3f2a0199-abcd-4ef0-8011-223344556678"));
}

static void test_what_names_no_exchange_is_refused(void)
{
    struct exchange_prefix prefix;
    const char *const bad[] = {"",         "3f2a019",   "3f2a-019",
                               "3f2a019g", "3f2a0199 ", "3f2a0199-abcd-4ef0-8011-2233445566770"};
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        MUST_FAIL(BAD_REQUEST, exchange_prefix_read(bad[i], &prefix));
}

static void test_nothing_given_fits_every_exchange(void)
{
    const struct exchange_prefix none = {{0}};
    CU_ASSERT_TRUE(exchange_prefix_fits(&none, id));
}

SUITE(exchange_prefix, TEST(test_an_exchange_is_named_by_its_first_digits_or_all_of_them),
      TEST(test_what_names_no_exchange_is_refused), TEST(test_nothing_given_fits_every_exchange))
