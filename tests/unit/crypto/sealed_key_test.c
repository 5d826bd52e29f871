// SPDX-License-Identifier: MIT
#include "lib/crypto/sealed_key.h"

#include "lib/crypto/key_file.h"
#include "tests/unit/crypto/fixture.h"

#include <sys/stat.h>

static const char phrase[] = "una frase bastante larga";
#define PHRASE span_of_text(phrase)

/* Content of a fresh key's file. */
static struct bytes *fresh(enum key_kind kind)
{
    struct bytes *content = NULL;
    OWNED(keypair) key = NULL;
    struct fixture_path path = fixture_path(unit_folder(), "k");
    MUST(keypair_make(kind, &key));
    MUST(keypair_save(key, path.at));
    content = fixture_read(path.at);
    return content;
}

static void test_a_sealed_key_opens_as_what_it_was(void)
{
    static const enum key_kind kinds[] = {KEY_P256, KEY_ED25519, KEY_X25519};
    for (size_t i = 0; i < 3; i++) {
        OWNED(bytes) plain = fresh(kinds[i]);
        OWNED(bytes) sealed = NULL;
        OWNED(secret) again = NULL;
        MUST(sealed_key_make(bytes_span(plain), PHRASE, &sealed));
        CU_ASSERT(sealed_key_is(bytes_span(sealed)));
        CU_ASSERT(!sealed_key_is(bytes_span(plain)));
        MUST(sealed_key_open(bytes_span(sealed), PHRASE, &again));
        CU_ASSERT(span_equal(secret_span(again), bytes_span(plain)));
    }
}

static void test_a_line_of_text_is_sealed_too(void)
{
    struct span line = span_of_text("0123456789abcdef0123456789abcdef\n");
    OWNED(bytes) sealed = NULL;
    OWNED(secret) again = NULL;
    MUST(sealed_key_make(line, PHRASE, &sealed));
    CU_ASSERT(sealed_key_is(bytes_span(sealed)));
    CU_ASSERT_PTR_NULL(memmem(sealed->data, sealed->size, "0123456789abcdef", 16));
    MUST(sealed_key_open(bytes_span(sealed), PHRASE, &again));
    CU_ASSERT(span_equal(secret_span(again), line));
}

static void test_two_seals_of_one_key_differ(void)
{
    struct span line = span_of_text("la misma llave\n");
    OWNED(bytes) one = NULL;
    OWNED(bytes) two = NULL;
    MUST(sealed_key_make(line, PHRASE, &one));
    MUST(sealed_key_make(line, PHRASE, &two));
    CU_ASSERT(!span_equal(bytes_span(one), bytes_span(two)));
}

static void test_another_passphrase_opens_nothing(void)
{
    OWNED(bytes) plain = fresh(KEY_P256);
    OWNED(bytes) sealed = NULL;
    OWNED(secret) again = NULL;
    MUST(sealed_key_make(bytes_span(plain), PHRASE, &sealed));
    MUST_FAIL(BAD_PASSPHRASE, sealed_key_open(bytes_span(sealed),
                                              span_of_text("una frase bastante larga "), &again));
    MUST_FAIL(BAD_PASSPHRASE, sealed_key_open(bytes_span(sealed), (struct span){0}, &again));
    CU_ASSERT_PTR_NULL(again);
}

static void test_a_short_passphrase_is_refused(void)
{
    OWNED(bytes) sealed = NULL;
    struct span line = span_of_text("llave\n");
    MUST_FAIL(BAD_PASSPHRASE, sealed_key_make(line, span_of_text("12345678901"), &sealed));
    MUST(sealed_key_make(line, span_of_text("123456789012"), &sealed));
}

static void test_what_is_no_key_is_neither_sealed_nor_opened(void)
{
    OWNED(bytes) sealed = NULL;
    OWNED(bytes) twice = NULL;
    OWNED(secret) again = NULL;
    MUST_FAIL(BAD_KEY, sealed_key_make(span_of("\x00\x01", 2), PHRASE, &sealed));
    MUST(sealed_key_make(span_of_text("llave\n"), PHRASE, &sealed));
    MUST_FAIL(BAD_KEY, sealed_key_make(bytes_span(sealed), PHRASE, &twice));
    MUST_FAIL(BAD_KEY, sealed_key_open(span_of(sealed->data, sealed->size / 2), PHRASE, &again));
    MUST_FAIL(BAD_KEY, sealed_key_open(span_of_text("-----BEGIN ENCRYPTED PRIVATE KEY-----\n"
                                                    "AAAA\n-----END ENCRYPTED PRIVATE KEY-----\n"),
                                       PHRASE, &again));
}

static void test_stock_openssl_opens_what_we_seal_and_we_what_it_seals(void)
{
    const char *folder = unit_folder();
    OWNED(bytes) plain = fresh(KEY_P256);
    OWNED(bytes) sealed = NULL;
    OWNED(keypair) key = NULL;
    struct key_opener opener = {.passphrase = PHRASE};
    MUST(sealed_key_make(bytes_span(plain), PHRASE, &sealed));
    struct fixture_path ours = fixture_write(folder, "ours.key", bytes_span(sealed));
    struct fixture_path open = fixture_path(folder, "open.key");
    struct fixture_path theirs = fixture_path(folder, "theirs.key");
    CU_ASSERT_EQUAL(FIXTURE_OPENSSL("pkcs8", "-in", ours.at, "-passin",
                                    "pass:una frase bastante larga", "-out", open.at),
                    0);
    OWNED(bytes) opened = fixture_read(open.at);
    CU_ASSERT(span_equal(bytes_span(opened), bytes_span(plain)));
    CU_ASSERT_EQUAL(FIXTURE_OPENSSL("pkcs8", "-topk8", "-in", open.at, "-passout",
                                    "pass:una frase bastante larga", "-out", theirs.at),
                    0);
    CU_ASSERT_EQUAL(chmod(theirs.at, 0600), 0);
    MUST(keypair_load_sealed(theirs.at, KEY_P256, &opener, &key));
    CU_ASSERT_EQUAL(opener.sealed, 1);
}

SUITE(sealed_key, TEST(test_a_sealed_key_opens_as_what_it_was),
      TEST(test_a_line_of_text_is_sealed_too), TEST(test_two_seals_of_one_key_differ),
      TEST(test_another_passphrase_opens_nothing), TEST(test_a_short_passphrase_is_refused),
      TEST(test_what_is_no_key_is_neither_sealed_nor_opened),
      TEST(test_stock_openssl_opens_what_we_seal_and_we_what_it_seals))
