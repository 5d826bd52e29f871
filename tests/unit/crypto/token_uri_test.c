// SPDX-License-Identifier: MIT
#include "lib/crypto/token_uri.h"

#include "tests/unit/unit.h"

#include <stdio.h>

static void test_a_uri_names_token_key_and_where_its_pin_is(void)
{
    struct token_uri uri;
    MUST(token_uri_parse("pkcs11:token=Sello%20de%20la%20DIAN;serial=0a1b;object=firma;id=%01%fF;"
                         "type=private?pin-source=file:/etc/chaski/pin",
                         &uri));
    CU_ASSERT_STRING_EQUAL(uri.token, "Sello de la DIAN");
    CU_ASSERT_STRING_EQUAL(uri.serial, "0a1b");
    CU_ASSERT_STRING_EQUAL(uri.object, "firma");
    CU_ASSERT_EQUAL(uri.id_size, 2);
    CU_ASSERT_EQUAL(uri.id[0], 0x01);
    CU_ASSERT_EQUAL(uri.id[1], 0xff);
    CU_ASSERT_STRING_EQUAL(uri.pin_source, "file:/etc/chaski/pin");
}

static void test_the_least_is_a_token_and_a_key(void)
{
    struct token_uri uri;
    MUST(token_uri_parse("pkcs11:serial=1;id=%41b", &uri));
    CU_ASSERT_EQUAL(uri.id_size, 2);
    CU_ASSERT_STRING_EQUAL(uri.pin_source, "");
    MUST(token_uri_parse("pkcs11:object=o;token=t;", &uri));
    MUST_FAIL(BAD_CONFIG, token_uri_parse("pkcs11:token=t", &uri));
    MUST_FAIL(BAD_CONFIG, token_uri_parse("pkcs11:object=o", &uri));
    MUST_FAIL(BAD_CONFIG, token_uri_parse("pkcs11:", &uri));
}

static void test_a_pin_in_a_uri_is_refused_and_not_repeated(void)
{
    struct token_uri uri;
    MUST_FAIL(BAD_CONFIG, token_uri_parse("pkcs11:token=t;object=o?pin-value=8642", &uri));
    CU_ASSERT_PTR_NULL(strstr(fault_detail(), "8642"));
    CU_ASSERT_PTR_NOT_NULL(strstr(fault_detail(), "pin-source=file:"));
    MUST_FAIL(BAD_CONFIG, token_uri_parse("pkcs11:token=t;object=o?pin-source=8642", &uri));
    CU_ASSERT_PTR_NULL(strstr(fault_detail(), "8642"));
    MUST_FAIL(BAD_CONFIG,
              token_uri_parse("pkcs11:token=t;object=o?pin-source=%7Ccat%208642", &uri));
}

static void test_what_is_not_understood_is_refused(void)
{
    static const char *const bad[] = {
        "pkcs12:token=t;object=o",
        "pkcs11:token=t;object=o;slot-id=1",
        "pkcs11:token=t;object=o;type=cert",
        "pkcs11:token=t;token=u;object=o",
        "pkcs11:token=t;object",
        "pkcs11:token=;object=o",
        "pkcs11:token=t;object=%zz",
        "pkcs11:token=t;id=%4",
        "pkcs11:token=t;id=",
        "pkcs11:token=123456789012345678901234567890123;object=o",
        "pkcs11:token=t;object=o?module-path=/tmp/x.so",
        "pkcs11:token=t;object=o%00p",
    };
    struct token_uri uri;
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        MUST_FAIL(BAD_CONFIG, token_uri_parse(bad[i], &uri));
    char longest[300] = "pkcs11:token=t;id=";
    memset(longest + strlen(longest), 'a', TOKEN_ID_BYTES_MAX);
    MUST(token_uri_parse(longest, &uri));
    strcat(longest, "a");
    MUST_FAIL(BAD_CONFIG, token_uri_parse(longest, &uri));
}

SUITE(token_uri, TEST(test_a_uri_names_token_key_and_where_its_pin_is),
      TEST(test_the_least_is_a_token_and_a_key),
      TEST(test_a_pin_in_a_uri_is_refused_and_not_repeated),
      TEST(test_what_is_not_understood_is_refused))
