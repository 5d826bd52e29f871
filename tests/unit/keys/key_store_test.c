// SPDX-License-Identifier: MIT
#include "security-server/keys/key_store.h"

#include "lib/crypto/sealed_key.h"
#include "tests/unit/keys/keyring.h"

#include <sys/stat.h>

static const char *const key_files[] = {"sign.key", "log.key", "seal.key"};

/* Loading fails as a wrong key does, and the detail names the file. */
static bool is_refused(const struct keyring *ring, const char *file)
{
    OWNED(key_store) store = NULL;
    fault f = key_store_load(ring->folder, (struct span){0}, false, &store);
    return f.code == BAD_KEY && store == NULL && strstr(fault_detail(), file) != NULL;
}

static bool loads(const struct keyring *ring)
{
    OWNED(key_store) store = NULL;
    return !failed(key_store_load(ring->folder, (struct span){0}, false, &store));
}

static void check_seal(const struct key_store *store, size_t i, const uint8_t expected[32])
{
    OWNED(bytes) public_key = NULL;
    uint8_t id[SEAL_KEY_ID_BYTES];
    seal_key_id(expected, id);
    MUST(keypair_public(store->seal[i], &public_key));
    CU_ASSERT(span_equal(bytes_span(public_key), span_of(expected, 32)));
    CU_ASSERT_EQUAL(memcmp(store->seal_id[i], id, sizeof id), 0);
}

static void test_the_keys_of_a_folder_are_loaded(void)
{
    OWNED(keyring) ring = keyring_new();
    OWNED(key_store) store = NULL;
    OWNED(bytes) log = NULL;
    struct cades_template template;
    MUST(key_store_load(ring->folder, (struct span){0}, false, &store));
    CU_ASSERT_EQUAL(keypair_kind(store->sign), KEY_P256);
    MUST(keypair_public(store->log, &log));
    CU_ASSERT(span_equal(bytes_span(log), span_of(ring->log, sizeof ring->log)));
    CU_ASSERT_EQUAL_FATAL(store->seals, 1);
    check_seal(store, 0, ring->seal);
    cades_template_make(ring->country->member, &template);
    CU_ASSERT_EQUAL(memcmp(&store->template, &template, sizeof template), 0);
}

static void test_older_sealing_keys_are_kept_newest_first(void)
{
    OWNED(keyring) ring = keyring_new();
    OWNED(bytes) second = keyring_put(ring->folder, "seal.1.key", KEY_X25519);
    OWNED(bytes) third = keyring_put(ring->folder, "seal.2.key", KEY_X25519);
    OWNED(key_store) store = NULL;
    MUST(key_store_load(ring->folder, (struct span){0}, false, &store));
    CU_ASSERT_EQUAL_FATAL(store->seals, 3);
    check_seal(store, 0, ring->seal);
    check_seal(store, 1, second->data);
    check_seal(store, 2, third->data);
}

static void test_no_more_sealing_keys_are_loaded_than_there_is_room_for(void)
{
    OWNED(keyring) ring = keyring_new();
    OWNED(key_store) store = NULL;
    for (unsigned i = 1; i <= SEAL_KEYS_MAX; i++) {
        char name[32];
        CU_ASSERT(text_format(name, sizeof name, "seal.%u.key", i));
        OWNED(bytes) public_key = keyring_put(ring->folder, name, KEY_X25519);
    }
    MUST(key_store_load(ring->folder, (struct span){0}, false, &store));
    CU_ASSERT_EQUAL(store->seals, SEAL_KEYS_MAX);
}

static void test_a_key_that_others_may_read_is_refused(void)
{
    OWNED(keyring) ring = keyring_new();
    OWNED(bytes) older = keyring_put(ring->folder, "seal.1.key", KEY_X25519);
    static const char *const files[] = {"sign.key", "log.key", "seal.key", "seal.1.key"};
    for (size_t i = 0; i < sizeof files / sizeof files[0]; i++) {
        struct fixture_path path = fixture_path(ring->folder, files[i]);
        CU_ASSERT_EQUAL(chmod(path.at, 0604), 0);
        CU_ASSERT(is_refused(ring, files[i]));
        CU_ASSERT_PTR_NOT_NULL(strstr(fault_detail(), "chmod 600"));
        CU_ASSERT_EQUAL(chmod(path.at, 0640), 0);
        CU_ASSERT(is_refused(ring, files[i]));
        CU_ASSERT_EQUAL(chmod(path.at, 0600), 0);
    }
    CU_ASSERT(loads(ring));
}

static void test_a_key_that_is_missing_is_named(void)
{
    OWNED(keyring) ring = keyring_new();
    for (size_t i = 0; i < sizeof key_files / sizeof key_files[0]; i++) {
        struct fixture_path path = fixture_path(ring->folder, key_files[i]);
        struct fixture_path aside = fixture_path(ring->folder, "aside");
        CU_ASSERT_EQUAL(rename(path.at, aside.at), 0);
        CU_ASSERT(is_refused(ring, key_files[i]));
        CU_ASSERT_EQUAL(rename(aside.at, path.at), 0);
    }
    CU_ASSERT(loads(ring));
}

static void test_a_key_of_the_wrong_kind_is_refused(void)
{
    static const enum key_kind wrong[][2] = {
        {KEY_ED25519, KEY_X25519}, {KEY_P256, KEY_X25519}, {KEY_P256, KEY_ED25519}};
    for (size_t i = 0; i < sizeof key_files / sizeof key_files[0]; i++)
        for (size_t k = 0; k < 2; k++) {
            OWNED(keyring) ring = keyring_new();
            OWNED(bytes)
            public_key = keyring_put(ring->folder, key_files[i], wrong[i][k]);
            CU_ASSERT(is_refused(ring, key_files[i]));
        }
}

static void test_a_key_file_that_holds_no_key_is_refused(void)
{
    for (size_t i = 0; i < sizeof key_files / sizeof key_files[0]; i++) {
        OWNED(keyring) ring = keyring_new();
        fixture_write(ring->folder, key_files[i], span_of_text("-----BEGIN PRIVATE KEY-----\n"));
        CU_ASSERT(is_refused(ring, key_files[i]));
    }
}

static void test_a_certificate_of_another_key_is_refused(void)
{
    OWNED(keyring) ring = keyring_new();
    OWNED(keypair) other = NULL;
    OWNED(certificate) certificate = NULL;
    MUST(keypair_make(KEY_P256, &other));
    fixture_issue(ring->country, other, &certificate);
    fixture_write_pem(ring->folder, "sign.crt", certificate);
    CU_ASSERT(is_refused(ring, "sign.crt"));
}

static void test_a_certificate_that_is_none_is_named(void)
{
    OWNED(keyring) ring = keyring_new();
    fixture_write(ring->folder, "sign.crt", span_of_text("no certificate"));
    CU_ASSERT(is_refused(ring, "sign.crt"));
}

/* A server that is to be enrolled has keys and no certificate. */
static void test_a_certificate_can_come_later_once_and_of_this_key(void)
{
    OWNED(keyring) ring = keyring_new();
    OWNED(key_store) store = NULL;
    OWNED(keypair) other = NULL;
    OWNED(certificate) wrong = NULL;
    struct cades_template template;
    CU_ASSERT_EQUAL(unlink(fixture_path(ring->folder, "sign.crt").at), 0);
    MUST(key_store_load(ring->folder, (struct span){0}, false, &store));
    CU_ASSERT(!store->certified);
    MUST(keypair_make(KEY_P256, &other));
    fixture_issue(ring->country, other, &wrong);
    MUST_FAIL(BAD_KEY, key_store_certify(store, certificate_der(wrong)));
    MUST_FAIL(CERTIFICATE_BAD, key_store_certify(store, span_of_text("none")));
    CU_ASSERT(!store->certified);
    MUST(key_store_certify(store, certificate_der(ring->country->member)));
    CU_ASSERT(store->certified);
    cades_template_make(ring->country->member, &template);
    CU_ASSERT_EQUAL(memcmp(&store->template, &template, sizeof template), 0);
    MUST_FAIL(REFUSED, key_store_certify(store, certificate_der(ring->country->member)));
}

/* Nodes from before there was a store key have none. */
static void test_a_missing_store_key_is_made_once(void)
{
    OWNED(keyring) ring = keyring_new();
    struct fixture_path path = fixture_path(ring->folder, STORE_KEY_FILE);
    struct stat facts;
    struct key_store *store = NULL;
    uint8_t key[KEY_WRAP_BYTES] = {7}, wrapped[KEY_WRAPPED_BYTES], back[KEY_WRAP_BYTES];
    MUST(key_store_load(ring->folder, (struct span){0}, false, &store));
    CU_ASSERT(store->store_made);
    CU_ASSERT_EQUAL_FATAL(stat(path.at, &facts), 0);
    CU_ASSERT_EQUAL(facts.st_mode & 0777, 0600);
    MUST(key_wrap_wrap(store->store, key, wrapped));
    key_store_free(&store);
    MUST(key_store_load(ring->folder, (struct span){0}, false, &store));
    CU_ASSERT(!store->store_made);
    MUST(key_wrap_unwrap(store->store, wrapped, back));
    key_store_free(&store);
    CU_ASSERT_EQUAL(chmod(path.at, 0640), 0);
    MUST_FAIL(BAD_KEY, key_store_load(ring->folder, (struct span){0}, false, &store));
    CU_ASSERT_EQUAL(chmod(path.at, 0600), 0);
    CU_ASSERT_EQUAL(truncate(path.at, 64), 0);
    MUST_FAIL(BAD_KEY, key_store_load(ring->folder, (struct span){0}, false, &store));
}

static void seal(const char *folder, const char *name)
{
    struct fixture_path path = fixture_path(folder, name);
    OWNED(bytes) plain = fixture_read(path.at);
    OWNED(bytes) sealed = NULL;
    MUST(sealed_key_make(bytes_span(plain), span_of_text("una frase bastante larga"), &sealed));
    fixture_write(folder, name, bytes_span(sealed));
}

static void test_sealed_keys_need_their_passphrase(void)
{
    OWNED(keyring) ring = keyring_new();
    OWNED(key_store) store = NULL;
    for (size_t i = 0; i < 3; i++)
        seal(ring->folder, key_files[i]);
    MUST_FAIL(BAD_PASSPHRASE, key_store_load(ring->folder, (struct span){0}, false, &store));
    MUST_FAIL(BAD_PASSPHRASE,
              key_store_load(ring->folder, span_of_text("otra frase"), false, &store));
    CU_ASSERT_PTR_NULL(store);
    MUST(key_store_load(ring->folder, span_of_text("una frase bastante larga"), false, &store));
    CU_ASSERT_EQUAL(store->opener.sealed, 3);
    CU_ASSERT_EQUAL(store->opener.unsealed, 1); /* the store key, which was made just now */
    CU_ASSERT_EQUAL(store->opener.passphrase.size, 0);
    check_seal(store, 0, ring->seal);
}

static void test_with_a_token_no_signing_key_is_looked_for(void)
{
    OWNED(keyring) ring = keyring_new();
    OWNED(key_store) store = NULL;
    CU_ASSERT_EQUAL(unlink(fixture_path(ring->folder, "sign.key").at), 0);
    CU_ASSERT(is_refused(ring, "sign.key"));
    MUST(key_store_load(ring->folder, (struct span){0}, true, &store));
    CU_ASSERT_PTR_NULL(store->sign);
    CU_ASSERT_PTR_NOT_NULL(store->log);
}

static void test_the_next_key_is_made_once_and_sealed(void)
{
    static const char phrase[] = "una frase bastante larga";
    OWNED(keyring) ring = keyring_new();
    OWNED(key_store) store = NULL;
    OWNED(key_store) again = NULL;
    OWNED(key_store) wrong = NULL;
    OWNED(secret) content = NULL;
    OWNED(bytes) first = NULL;
    OWNED(bytes) second = NULL;
    struct span words = span_of_text(phrase);
    MUST(key_store_load(ring->folder, words, false, &store));
    MUST(key_store_prepare(store, ring->folder, words, "CO/GOV/1/SS1"));
    MUST(key_file_read_as_is(fixture_path(ring->folder, "sign.next.key").at, &content));
    CU_ASSERT(sealed_key_is(secret_span(content)));
    MUST(key_store_load(ring->folder, words, false, &again));
    MUST(key_store_prepare(again, ring->folder, words, "CO/GOV/1/SS1"));
    MUST(keypair_public(store->next, &first));
    MUST(keypair_public(again->next, &second));
    CU_ASSERT(span_equal(bytes_span(first), bytes_span(second)));
    MUST(key_store_load(ring->folder, (struct span){0}, false, &wrong));
    MUST_FAIL(BAD_PASSPHRASE,
              key_store_prepare(wrong, ring->folder, (struct span){0}, "CO/GOV/1/SS1"));
}

SUITE(key_store, TEST(test_the_next_key_is_made_once_and_sealed),
      TEST(test_sealed_keys_need_their_passphrase),
      TEST(test_with_a_token_no_signing_key_is_looked_for),
      TEST(test_a_missing_store_key_is_made_once), TEST(test_the_keys_of_a_folder_are_loaded),
      TEST(test_older_sealing_keys_are_kept_newest_first),
      TEST(test_no_more_sealing_keys_are_loaded_than_there_is_room_for),
      TEST(test_a_key_that_others_may_read_is_refused), TEST(test_a_key_that_is_missing_is_named),
      TEST(test_a_key_of_the_wrong_kind_is_refused),
      TEST(test_a_key_file_that_holds_no_key_is_refused),
      TEST(test_a_certificate_of_another_key_is_refused),
      TEST(test_a_certificate_that_is_none_is_named),
      TEST(test_a_certificate_can_come_later_once_and_of_this_key))
