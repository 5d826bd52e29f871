// SPDX-License-Identifier: MIT
#include "lib/crypto/key_wrap.h"

#include "lib/base/text.h"
#include "tests/unit/unit.h"

#include <stdio.h>

static struct key_wrap *wrap_of(const char *hex)
{
    uint8_t key[KEY_WRAP_BYTES];
    struct key_wrap *wrap = NULL;
    MUST(text_unhex(span_of_text(hex), key, sizeof key));
    MUST(key_wrap_make(key, &wrap));
    return wrap;
}

static const char outer[] = "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f";
static const char inner[] = "00112233445566778899aabbccddeeff000102030405060708090a0b0c0d0e0f";

static void test_the_example_of_rfc_3394_comes_out(void)
{
    OWNED(key_wrap) wrap = wrap_of(outer);
    uint8_t key[KEY_WRAP_BYTES], wrapped[KEY_WRAPPED_BYTES], expected[KEY_WRAPPED_BYTES];
    MUST(text_unhex(span_of_text(inner), key, sizeof key));
    MUST(text_unhex(span_of_text("28c9f404c4b810f4cbccb35cfb87f8263f5786e2d80ed326cbc7f0e71a99f43b"
                                 "fb988b9b7a02dd21"),
                    expected, sizeof expected));
    for (int again = 0; again < 3; again++) {
        uint8_t back[KEY_WRAP_BYTES] = {0};
        MUST(key_wrap_wrap(wrap, key, wrapped));
        CU_ASSERT_EQUAL(memcmp(wrapped, expected, sizeof expected), 0);
        MUST(key_wrap_unwrap(wrap, wrapped, back));
        CU_ASSERT_EQUAL(memcmp(back, key, sizeof key), 0);
    }
}

static void test_every_altered_bit_is_noticed_and_nothing_comes_out(void)
{
    static const uint8_t zeros[KEY_WRAP_BYTES];
    OWNED(key_wrap) wrap = wrap_of(outer);
    uint8_t key[KEY_WRAP_BYTES] = {1, 2, 3}, wrapped[KEY_WRAPPED_BYTES], back[KEY_WRAP_BYTES];
    MUST(key_wrap_wrap(wrap, key, wrapped));
    for (size_t bit = 0; bit < 8 * sizeof wrapped; bit++) {
        memset(back, 7, sizeof back);
        wrapped[bit / 8] ^= (uint8_t)(1 << bit % 8);
        MUST_FAIL(SEAL_BROKEN, key_wrap_unwrap(wrap, wrapped, back));
        CU_ASSERT_EQUAL(memcmp(back, zeros, sizeof zeros), 0);
        wrapped[bit / 8] ^= (uint8_t)(1 << bit % 8);
    }
    MUST(key_wrap_unwrap(wrap, wrapped, back)); /* and a failure spoils no later one */
    CU_ASSERT_EQUAL(memcmp(back, key, sizeof key), 0);
}

static void test_another_key_does_not_unwrap(void)
{
    OWNED(key_wrap) wrap = wrap_of(outer);
    OWNED(key_wrap) other = wrap_of(inner);
    uint8_t key[KEY_WRAP_BYTES] = {9}, wrapped[KEY_WRAPPED_BYTES], back[KEY_WRAP_BYTES];
    MUST(key_wrap_wrap(wrap, key, wrapped));
    MUST_FAIL(SEAL_BROKEN, key_wrap_unwrap(other, wrapped, back));
}

SUITE(key_wrap, TEST(test_the_example_of_rfc_3394_comes_out),
      TEST(test_every_altered_bit_is_noticed_and_nothing_comes_out),
      TEST(test_another_key_does_not_unwrap))
