// SPDX-License-Identifier: MIT
#include "security-server/token/old_keys.h"

#include "tests/unit/crypto/fixture.h"

static void test_what_is_written_is_read(void)
{
    const char *folder = unit_folder();
    struct old_keys all = {0}, read;
    MUST(old_keys_read(folder, &read));
    CU_ASSERT_EQUAL(read.count, 0);
    old_keys_add(&all, "firma", 1795267200);
    old_keys_add(&all, "firma de prueba", 1826803200);
    MUST(old_keys_write(folder, &all));
    MUST(old_keys_read(folder, &read));
    CU_ASSERT_EQUAL_FATAL(read.count, 2);
    CU_ASSERT_EQUAL(read.key[0].ends_s, 1795267200);
    CU_ASSERT_STRING_EQUAL(read.key[1].object, "firma de prueba");
}

static void test_the_same_key_stands_there_once(void)
{
    struct old_keys all = {0};
    old_keys_add(&all, "firma", 1);
    old_keys_add(&all, "otra", 2);
    old_keys_add(&all, "firma", 3);
    CU_ASSERT_EQUAL(all.count, 2);
    CU_ASSERT_EQUAL(all.key[0].ends_s, 3);
}

static void test_beyond_the_bound_the_oldest_line_goes(void)
{
    const char *folder = unit_folder();
    struct old_keys all = {0}, read;
    char object[16];
    for (int i = 0; i <= TOKEN_OLD_KEYS_MAX; i++) {
        text_format(object, sizeof object, "firma-%d", i);
        old_keys_add(&all, object, i);
    }
    MUST(old_keys_write(folder, &all));
    MUST(old_keys_read(folder, &read));
    CU_ASSERT_EQUAL_FATAL(read.count, TOKEN_OLD_KEYS_MAX);
    CU_ASSERT_STRING_EQUAL(read.key[0].object, "firma-1");
    CU_ASSERT_EQUAL(read.key[TOKEN_OLD_KEYS_MAX - 1].ends_s, TOKEN_OLD_KEYS_MAX);
}

static void test_a_list_that_is_none_is_refused(void)
{
    static const char *const bad[] = {"firma\n", "12 \n", "x firma\n", "12 firma",
                                      "12 fir\x7fma\n"};
    const char *folder = unit_folder();
    struct old_keys read;
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        fixture_write(folder, "sign.old.objects", span_of_text(bad[i]));
        MUST_FAIL(BAD_FRAME, old_keys_read(folder, &read));
    }
}

SUITE(old_keys, TEST(test_what_is_written_is_read), TEST(test_the_same_key_stands_there_once),
      TEST(test_beyond_the_bound_the_oldest_line_goes), TEST(test_a_list_that_is_none_is_refused))
