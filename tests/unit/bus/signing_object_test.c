// SPDX-License-Identifier: MIT
#include "lib/bus/signing_object.h"

#include "tests/unit/crypto/fixture.h"

static struct token_uri uri_of(const char *text)
{
    struct token_uri uri;
    MUST(token_uri_parse(text, &uri));
    return uri;
}

static void test_without_a_file_the_settings_own_object_is_meant(void)
{
    struct token_uri uri = uri_of("pkcs11:token=Sello;object=firma;id=%01%02");
    MUST(signing_object_take(unit_folder(), &uri));
    CU_ASSERT_STRING_EQUAL(uri.object, "firma");
    CU_ASSERT_EQUAL(uri.id_size, 2);
}

static void test_a_file_of_these_settings_names_another_object(void)
{
    const char *folder = unit_folder();
    struct token_uri uri = uri_of("pkcs11:token=Sello;object=firma;id=%01%02");
    MUST(signing_object_write(folder, SIGNING_OBJECT_FILE, &uri, "firma-20261121"));
    MUST(signing_object_take(folder, &uri));
    CU_ASSERT_STRING_EQUAL(uri.object, "firma-20261121");
    CU_ASSERT_EQUAL(uri.id_size, 0); /* that of the first object */
}

static void test_settings_that_name_another_object_are_believed(void)
{
    static const char *const others[] = {"pkcs11:token=Sello;object=otra",
                                         "pkcs11:token=Sello;object=firma;id=%01%03",
                                         "pkcs11:token=Sello;object=firma"};
    const char *folder = unit_folder();
    struct token_uri uri = uri_of("pkcs11:token=Sello;object=firma;id=%01%02");
    char object[TOKEN_OBJECT_ROOM];
    MUST(signing_object_write(folder, SIGNING_OBJECT_FILE, &uri, "firma-20261121"));
    for (size_t i = 0; i < sizeof others / sizeof others[0]; i++) {
        uri = uri_of(others[i]);
        MUST_FAIL(NOT_FOUND, signing_object_read(folder, SIGNING_OBJECT_FILE, &uri, object));
        MUST(signing_object_take(folder, &uri));
        CU_ASSERT(strcmp(uri.object, "firma-20261121") != 0);
    }
}

static void test_a_file_that_is_torn_is_refused_and_not_guessed(void)
{
    static const char *const torn[] = {
        "", "- firma\n", "- firma\nfirma-2", "- firma\n\n", "- firma\na\nb\n", "- firma\na\x01\n"};
    const char *folder = unit_folder();
    struct token_uri uri = uri_of("pkcs11:token=Sello;object=firma");
    for (size_t i = 0; i < sizeof torn / sizeof torn[0]; i++) {
        fixture_write(folder, SIGNING_OBJECT_FILE, span_of_text(torn[i]));
        MUST_FAIL(BAD_FRAME, signing_object_take(folder, &uri));
    }
    fixture_write(folder, SIGNING_OBJECT_FILE, span_of_text("- firma\nfirma-2\n"));
    MUST(signing_object_take(folder, &uri));
    CU_ASSERT_STRING_EQUAL(uri.object, "firma-2");
}

static void test_a_label_that_would_break_the_file_is_not_written(void)
{
    struct token_uri uri = uri_of("pkcs11:token=Sello;object=fir%0Ama");
    const char *folder = unit_folder();
    MUST_FAIL(BAD_CONFIG, signing_object_write(folder, SIGNING_OBJECT_FILE, &uri, "a"));
    uri = uri_of("pkcs11:token=Sello;object=firma");
    MUST_FAIL(BAD_CONFIG, signing_object_write(folder, SIGNING_OBJECT_FILE, &uri, "a\nb"));
    MUST_FAIL(BAD_CONFIG, signing_object_write(folder, SIGNING_OBJECT_FILE, &uri, ""));
}

static void test_a_next_label_has_the_day_and_fits(void)
{
    char object[TOKEN_OBJECT_ROOM], text[400] = "pkcs11:token=Sello;object=";
    struct token_uri uri = uri_of("pkcs11:token=Sello;object=firma");
    signing_object_name(&uri, INT64_C(1795267200000), 0, object);
    CU_ASSERT_STRING_EQUAL(object, "firma-20261121");
    signing_object_name(&uri, INT64_C(1795267200000), 2, object);
    CU_ASSERT_STRING_EQUAL(object, "firma-20261121-3");
    uri = uri_of("pkcs11:token=Sello;id=%07");
    signing_object_name(&uri, INT64_C(1795267200000), 0, object);
    CU_ASSERT_STRING_EQUAL(object, "sign-20261121");
    for (int i = 0; i < 64; i++)
        memcpy(text + strlen(text), "\xc3\xb1", 3);
    uri = uri_of(text);
    signing_object_name(&uri, INT64_C(1795267200000), 19, object);
    CU_ASSERT(text_is_plain(span_of_text(object)));
    CU_ASSERT_PTR_NOT_NULL(strstr(object, "-20261121-20"));
}

SUITE(signing_object, TEST(test_without_a_file_the_settings_own_object_is_meant),
      TEST(test_a_file_of_these_settings_names_another_object),
      TEST(test_settings_that_name_another_object_are_believed),
      TEST(test_a_file_that_is_torn_is_refused_and_not_guessed),
      TEST(test_a_label_that_would_break_the_file_is_not_written),
      TEST(test_a_next_label_has_the_day_and_fits))
