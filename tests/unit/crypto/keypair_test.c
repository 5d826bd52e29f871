// SPDX-License-Identifier: MIT
#include "lib/crypto/keypair.h"
#include "lib/crypto/digest.h"
#include "tests/unit/crypto/fixture.h"

#include <sys/stat.h>

static const enum key_kind every_kind[] = {KEY_P256, KEY_ED25519, KEY_X25519};

static void from_hex(const char *hex, uint8_t *out, size_t size)
{
    MUST(text_unhex(span_of_text(hex), out, size));
}

/* The sizes of r and s and where s stands, in a DER signature. */
static bool has_low_s(const uint8_t *signature, size_t size)
{
    size_t r_size = signature[3];
    size_t s_size = signature[5 + r_size];
    const uint8_t *s = signature + 6 + r_size;
    static const uint8_t half[32] = {0x7f, 0xff, 0xff, 0xff, 0x80, 0x00, 0x00, 0x00,
                                     0x7f, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
                                     0xde, 0x73, 0x7d, 0x56, 0xd3, 0x8b, 0xcf, 0x42,
                                     0x79, 0xdc, 0xe5, 0x61, 0x7e, 0x31, 0x92, 0xa8};
    CU_ASSERT_EQUAL(6 + r_size + s_size, size);
    return s_size < 32 || (s_size == 32 && memcmp(s, half, 32) <= 0);
}

static void test_every_kind_survives_a_file(void)
{
    const char *folder = unit_folder();
    for (size_t i = 0; i < 3; i++) {
        OWNED(keypair) made = NULL;
        OWNED(keypair) loaded = NULL;
        OWNED(bytes) before = NULL;
        OWNED(bytes) after = NULL;
        char name[] = "key0.pem";
        name[3] = (char)('0' + i);
        struct fixture_path path = fixture_path(folder, name);
        MUST(keypair_make(every_kind[i], &made));
        MUST(keypair_save(made, path.at));
        MUST(keypair_load(path.at, every_kind[i], &loaded));
        CU_ASSERT_EQUAL(keypair_kind(loaded), every_kind[i]);
        MUST(keypair_public(made, &before));
        MUST(keypair_public(loaded, &after));
        CU_ASSERT(span_equal(bytes_span(before), bytes_span(after)));
        CU_ASSERT_EQUAL(before->size, every_kind[i] == KEY_P256 ? 65 : 32);
        struct stat facts;
        CU_ASSERT_EQUAL(stat(path.at, &facts), 0);
        CU_ASSERT_EQUAL(facts.st_mode & 07777, 0600);
        CU_ASSERT_EQUAL(FIXTURE_OPENSSL("pkey", "-noout", "-in", path.at), 0);
    }
}

static void test_a_key_file_is_never_overwritten(void)
{
    OWNED(keypair) key = NULL;
    struct fixture_path path = fixture_write(unit_folder(), "key.pem", span_of_text("precious"));
    MUST(keypair_make(KEY_ED25519, &key));
    MUST_FAIL(IO_FAILED, keypair_save(key, path.at));
    OWNED(bytes) left = fixture_read(path.at);
    CU_ASSERT(span_is_text(bytes_span(left), "precious"));
}

static void test_a_key_file_open_to_others_is_refused(void)
{
    static const mode_t modes[] = {0640, 0604, 0620, 0601, 0610, 0602};
    OWNED(keypair) key = NULL;
    OWNED(keypair) loaded = NULL;
    struct fixture_path path = fixture_path(unit_folder(), "key.pem");
    MUST(keypair_make(KEY_P256, &key));
    MUST(keypair_save(key, path.at));
    for (size_t i = 0; i < sizeof modes / sizeof modes[0]; i++) {
        CU_ASSERT_EQUAL(chmod(path.at, modes[i]), 0);
        MUST_FAIL(BAD_KEY, keypair_load(path.at, KEY_P256, &loaded));
        CU_ASSERT_PTR_NOT_NULL(strstr(fault_detail(), "chmod 600"));
    }
    CU_ASSERT_EQUAL(chmod(path.at, 0400), 0);
    MUST(keypair_load(path.at, KEY_P256, &loaded));
}

static void test_links_folders_and_pipes_are_no_key_files(void)
{
    const char *folder = unit_folder();
    OWNED(keypair) key = NULL;
    OWNED(keypair) loaded = NULL;
    struct fixture_path path = fixture_path(folder, "key.pem");
    struct fixture_path link = fixture_path(folder, "link.pem");
    struct fixture_path pipe = fixture_path(folder, "pipe.pem");
    MUST(keypair_make(KEY_P256, &key));
    MUST(keypair_save(key, path.at));
    CU_ASSERT_EQUAL(symlink(path.at, link.at), 0);
    CU_ASSERT_EQUAL(mkfifo(pipe.at, 0600), 0);
    MUST_FAIL(BAD_KEY, keypair_load(link.at, KEY_P256, &loaded));
    MUST_FAIL(BAD_KEY, keypair_load(pipe.at, KEY_P256, &loaded));
    MUST_FAIL(BAD_KEY, keypair_load(folder, KEY_P256, &loaded));
    MUST_FAIL(BAD_KEY, keypair_load("/nonexistent/key.pem", KEY_P256, &loaded));
    CU_ASSERT_PTR_NULL(loaded);
}

static void test_a_key_of_another_kind_is_refused(void)
{
    const char *folder = unit_folder();
    OWNED(keypair) key = NULL;
    OWNED(keypair) loaded = NULL;
    struct fixture_path path = fixture_path(folder, "key.pem");
    struct fixture_path curve = fixture_path(folder, "p384.pem");
    struct fixture_path locked = fixture_path(folder, "locked.pem");
    MUST(keypair_make(KEY_ED25519, &key));
    MUST(keypair_save(key, path.at));
    MUST_FAIL(BAD_KEY, keypair_load(path.at, KEY_P256, &loaded));
    MUST_FAIL(BAD_KEY, keypair_load(path.at, KEY_X25519, &loaded));
    umask(077);
    CU_ASSERT_EQUAL(FIXTURE_OPENSSL("genpkey", "-algorithm", "EC", "-pkeyopt",
                                    "ec_paramgen_curve:P-384", "-out", curve.at),
                    0);
    CU_ASSERT_EQUAL(FIXTURE_OPENSSL("genpkey", "-algorithm", "EC", "-pkeyopt",
                                    "ec_paramgen_curve:P-256", "-aes256", "-pass", "pass:x", "-out",
                                    locked.at),
                    0);
    umask(022);
    MUST_FAIL(BAD_KEY, keypair_load(curve.at, KEY_P256, &loaded));
    MUST_FAIL(BAD_PASSPHRASE, keypair_load(locked.at, KEY_P256, &loaded));
    struct fixture_path noise = fixture_write(folder, "noise.pem", span_of_text("not a key"));
    CU_ASSERT_EQUAL(chmod(noise.at, 0600), 0);
    MUST_FAIL(BAD_KEY, keypair_load(noise.at, KEY_P256, &loaded));
}

static void test_a_curve_spelled_out_is_refused(void)
{
    OWNED(keypair) loaded = NULL;
    struct fixture_path path = fixture_path(unit_folder(), "explicit.pem");
    umask(077);
    CU_ASSERT_EQUAL(FIXTURE_OPENSSL("genpkey", "-algorithm", "EC", "-pkeyopt",
                                    "ec_paramgen_curve:P-256", "-pkeyopt", "ec_param_enc:explicit",
                                    "-out", path.at),
                    0);
    umask(022);
    MUST_FAIL(BAD_KEY, keypair_load(path.at, KEY_P256, &loaded));
}

static void test_a_stock_p256_key_is_loaded(void)
{
    OWNED(keypair) loaded = NULL;
    struct fixture_path path = fixture_path(unit_folder(), "stock.pem");
    umask(077);
    CU_ASSERT_EQUAL(FIXTURE_OPENSSL("genpkey", "-algorithm", "EC", "-pkeyopt",
                                    "ec_paramgen_curve:P-256", "-out", path.at),
                    0);
    umask(022);
    MUST(keypair_load(path.at, KEY_P256, &loaded));
}

static void test_a_seed_gives_the_known_ed25519_key(void)
{
    /* RFC 8032 section 7.1, TEST 3 */
    uint8_t seed[KEY_SEED_BYTES];
    from_hex("c5aa8df43f9f837bedb7442f31dcb7b166d38535076f094b85ce3a2e0b4458f7", seed, sizeof seed);
    OWNED(keypair) key = NULL;
    OWNED(bytes) public = NULL;
    uint8_t message[2] = {0xaf, 0x82};
    uint8_t signature[ED25519_SIGNATURE_BYTES];
    MUST(keypair_from_raw(KEY_ED25519, seed, &key));
    MUST(keypair_public(key, &public));
    CU_ASSERT(fixture_is_hex(bytes_span(public),
                             "fc51cd8e6218a1a38da47ed00230f0580816ed13ba3303ac5deb911548908025"));
    for (int twice = 0; twice < 2; twice++) {
        MUST(keypair_sign_message(key, span_of(message, sizeof message), signature));
        CU_ASSERT(
            fixture_is_hex(span_of(signature, sizeof signature),
                           "6291d657deec24024827e69c3abe01a30ce548a284743a445e3680d7db5ac3ac"
                           "18ff9b538d16f290ae67f760984dc6594a7c15e9716ed28dc027beceea1ec40a"));
    }
    MUST(ed25519_verify(public->data, span_of(message, 2), span_of(signature, 64)));
    MUST_FAIL(SIGNATURE_BAD,
              ed25519_verify(public->data, span_of(message, 1), span_of(signature, 64)));
    MUST_FAIL(SIGNATURE_BAD,
              ed25519_verify(public->data, span_of(message, 2), span_of(signature, 63)));
    signature[0] ^= 1;
    MUST_FAIL(SIGNATURE_BAD,
              ed25519_verify(public->data, span_of(message, 2), span_of(signature, 64)));
}

static void test_x25519_agrees_as_in_the_rfc(void)
{
    /* RFC 7748 section 6.1 */
    uint8_t bob[32];
    uint8_t alice_public[32];
    uint8_t shared[32];
    OWNED(keypair) key = NULL;
    from_hex("5dab087e624a8a4b79e17f8b83800ee66f3bb1292618b6fd1c2f8b27ff88e0eb", bob, 32);
    from_hex("8520f0098930a754748b7ddcb43ef75a0dbf3a0d26381af4eba4a98eaa9b4e6a", alice_public, 32);
    MUST(keypair_from_raw(KEY_X25519, bob, &key));
    MUST(keypair_agree(key, alice_public, shared));
    CU_ASSERT(fixture_is_hex(span_of(shared, 32),
                             "4a5d9d5ba4ce2de1728e3bf480350f25e07e21c947d19e3376f09b3c1e161742"));
}

static void test_low_order_points_are_refused(void)
{
    static const char *const points[] = {
        "0000000000000000000000000000000000000000000000000000000000000000",
        "0100000000000000000000000000000000000000000000000000000000000000",
        "e0eb7a7c3b41b8ae1656e3faf19fc46ada098deb9c32b1fd866205165f49b800",
        "5f9c95bca3508c24b1d0b1559c83ef5b04445cc4581c8e86d8224eddd09f1157",
        "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
    };
    OWNED(keypair) key = NULL;
    OWNED(keypair) other = NULL;
    OWNED(bytes) public = NULL;
    uint8_t shared[32] = {0};
    uint8_t again[32] = {0};
    MUST(keypair_make(KEY_X25519, &key));
    for (size_t i = 0; i < sizeof points / sizeof points[0]; i++) {
        uint8_t point[32];
        from_hex(points[i], point, sizeof point);
        MUST_FAIL(SEAL_BROKEN, keypair_agree(key, point, shared));
    }
    MUST(keypair_make(KEY_X25519, &other)); /* and the key still works */
    MUST(keypair_public(other, &public));
    MUST(keypair_agree(key, public->data, shared));
    OWNED(bytes) own = NULL;
    MUST(keypair_public(key, &own));
    MUST(keypair_agree(other, own->data, again));
    CU_ASSERT(memcmp(shared, again, 32) == 0);
}

static void test_every_digest_signature_has_a_low_s(void)
{
    OWNED(keypair) key = NULL;
    MUST(keypair_make(KEY_P256, &key));
    for (uint32_t i = 0; i < 200; i++) {
        struct sha256 digest = SHA256_OF(span_of(&i, sizeof i));
        uint8_t signature[P256_SIGNATURE_BYTES_MAX];
        size_t size = 0;
        MUST(keypair_sign_digest(key, digest.at, signature, &size));
        CU_ASSERT(has_low_s(signature, size));
    }
}

static void test_a_raw_p256_key_is_not_taken(void)
{
    OWNED(keypair) key = NULL;
    MUST_FAIL(BAD_KEY, keypair_from_raw(KEY_P256, (uint8_t[32]){1}, &key));
}

static void test_stock_openssl_accepts_the_request(void)
{
    OWNED(keypair) key = NULL;
    OWNED(bytes) request = NULL;
    MUST(keypair_make(KEY_P256, &key));
    MUST(keypair_request(key, &fixture_member, &request));
    struct fixture_path path = fixture_write(unit_folder(), "request.der", bytes_span(request));
    CU_ASSERT_EQUAL(FIXTURE_OPENSSL("req", "-verify", "-noout", "-inform", "DER", "-in", path.at),
                    0);
}

static void test_only_p256_keys_make_requests(void)
{
    OWNED(keypair) key = NULL;
    OWNED(bytes) request = NULL;
    MUST(keypair_make(KEY_ED25519, &key));
    MUST_FAIL(BAD_KEY, keypair_request(key, &fixture_member, &request));
}

SUITE(keypair, TEST(test_every_kind_survives_a_file), TEST(test_a_key_file_is_never_overwritten),
      TEST(test_a_key_file_open_to_others_is_refused),
      TEST(test_links_folders_and_pipes_are_no_key_files),
      TEST(test_a_key_of_another_kind_is_refused), TEST(test_a_curve_spelled_out_is_refused),
      TEST(test_a_stock_p256_key_is_loaded), TEST(test_a_seed_gives_the_known_ed25519_key),
      TEST(test_x25519_agrees_as_in_the_rfc), TEST(test_low_order_points_are_refused),
      TEST(test_every_digest_signature_has_a_low_s), TEST(test_a_raw_p256_key_is_not_taken),
      TEST(test_stock_openssl_accepts_the_request), TEST(test_only_p256_keys_make_requests))
