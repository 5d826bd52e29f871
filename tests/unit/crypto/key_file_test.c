// SPDX-License-Identifier: MIT
#include "lib/crypto/key_file.h"

#include "lib/crypto/sealed_key.h"
#include "tests/unit/crypto/fixture.h"

#include <sys/stat.h>

static const char phrase[] = "una frase bastante larga";

static struct fixture_path sealed_line(const char *folder)
{
    OWNED(bytes) sealed = NULL;
    MUST(sealed_key_make(span_of_text("llave\n"), span_of_text(phrase), &sealed));
    struct fixture_path path = fixture_write(folder, "s.key", bytes_span(sealed));
    CU_ASSERT_EQUAL(chmod(path.at, 0600), 0);
    return path;
}

static void test_an_unsealed_file_is_read_and_counted(void)
{
    OWNED(secret) found = NULL;
    struct key_opener opener = {0};
    struct fixture_path path = fixture_write(unit_folder(), "k", span_of_text("llave\n"));
    CU_ASSERT_EQUAL(chmod(path.at, 0600), 0);
    MUST(key_file_read(path.at, &opener, &found));
    CU_ASSERT(span_is_text(secret_span(found), "llave\n"));
    CU_ASSERT_EQUAL(opener.unsealed, 1);
    CU_ASSERT_EQUAL(opener.sealed, 0);
}

static void test_a_sealed_file_opens_with_its_passphrase_only(void)
{
    OWNED(secret) found = NULL;
    struct fixture_path path = sealed_line(unit_folder());
    struct key_opener right = {.passphrase = span_of_text(phrase)};
    struct key_opener wrong = {.passphrase = span_of_text("otra frase larga")};
    MUST_FAIL(BAD_PASSPHRASE, key_file_read(path.at, NULL, &found));
    CU_ASSERT_PTR_NOT_NULL(strstr(fault_detail(), "it is not said where"));
    MUST_FAIL(BAD_PASSPHRASE, key_file_read(path.at, &wrong, &found));
    CU_ASSERT_PTR_NOT_NULL(strstr(fault_detail(), path.at));
    CU_ASSERT_PTR_NULL(strstr(fault_detail(), "otra frase"));
    MUST(key_file_read(path.at, &right, &found));
    CU_ASSERT(span_is_text(secret_span(found), "llave\n"));
    CU_ASSERT_EQUAL(right.sealed, 1);
    secret_free(&found);
    MUST(key_file_read_as_is(path.at, &found));
    CU_ASSERT(sealed_key_is(secret_span(found)));
}

static void test_a_file_that_is_too_large_or_open_to_others_is_refused(void)
{
    static uint8_t much[KEY_FILE_BYTES_MAX];
    const char *folder = unit_folder();
    OWNED(secret) found = NULL;
    memset(much, 'x', sizeof much);
    struct fixture_path large = fixture_write(folder, "large", span_of(much, sizeof much));
    struct fixture_path open = fixture_write(folder, "open", span_of_text("llave\n"));
    CU_ASSERT_EQUAL(chmod(large.at, 0600), 0);
    CU_ASSERT_EQUAL(chmod(open.at, 0640), 0);
    MUST_FAIL(BAD_KEY, key_file_read(large.at, NULL, &found));
    MUST_FAIL(BAD_KEY, key_file_read(open.at, NULL, &found));
}

static void test_a_new_file_is_sealed_as_it_is_made(void)
{
    OWNED(secret) as_is = NULL;
    OWNED(secret) found = NULL;
    OWNED(secret) plain = NULL;
    struct key_opener opener = {.passphrase = span_of_text(phrase)};
    struct fixture_path path = fixture_path(unit_folder(), "n.key");
    struct fixture_path open = fixture_path(unit_folder(), "o.key");
    MUST_FAIL(BAD_PASSPHRASE,
              key_file_make(path.at, span_of_text("llave\n"), span_of_text("corta")));
    MUST_FAIL(BAD_KEY, key_file_read_as_is(path.at, &as_is)); /* nothing of it is there */
    MUST(key_file_make(path.at, span_of_text("llave\n"), span_of_text(phrase)));
    MUST(key_file_read_as_is(path.at, &as_is));
    CU_ASSERT(sealed_key_is(secret_span(as_is)));
    MUST(key_file_read(path.at, &opener, &found));
    CU_ASSERT(span_is_text(secret_span(found), "llave\n"));
    MUST_FAIL(IO_FAILED, key_file_make(path.at, span_of_text("otra\n"), span_of_text(phrase)));
    MUST(key_file_make(open.at, span_of_text("llave\n"), (struct span){0}));
    MUST(key_file_read(open.at, &opener, &plain));
    CU_ASSERT_EQUAL(opener.unsealed, 1);
}

SUITE(key_file, TEST(test_a_new_file_is_sealed_as_it_is_made),
      TEST(test_an_unsealed_file_is_read_and_counted),
      TEST(test_a_sealed_file_opens_with_its_passphrase_only),
      TEST(test_a_file_that_is_too_large_or_open_to_others_is_refused))
