// SPDX-License-Identifier: MIT
#include "lib/crypto/digest.h"
#include "lib/base/text.h"
#include "lib/crypto/random.h"
#include "tests/unit/crypto/fixture.h"

#include <pthread.h>

static void test_sha256_of_nothing_is_known(void)
{
    struct sha256 hash = digest_sha256(NULL, 0);
    CU_ASSERT(fixture_is_hex(sha256_span(&hash),
                             "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"));
}

static void test_sha256_of_abc_is_known(void)
{
    struct sha256 hash = SHA256_OF(span_of_text("abc"));
    CU_ASSERT(fixture_is_hex(sha256_span(&hash),
                             "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"));
}

static void test_pieces_are_digested_as_one(void)
{
    struct sha256 whole = SHA256_OF(span_of_text("abc"));
    struct sha256 pieces = SHA256_OF(span_of_text("a"), span_of(NULL, 0), span_of_text("bc"));
    CU_ASSERT(sha256_equal(&whole, &pieces));
    struct sha256 other = SHA256_OF(span_of_text("ab"));
    CU_ASSERT_FALSE(sha256_equal(&whole, &other));
}

static void test_sha512_of_abc_is_known(void)
{
    uint8_t hash[SHA512_BYTES];
    struct span abc = span_of_text("abc");
    digest_sha512(&abc, 1, hash);
    CU_ASSERT(fixture_is_hex(span_of(hash, sizeof hash),
                             "ddaf35a193617abacc417349ae20413112e6fa4e89a97ea20a9eeee64b55d39a"
                             "2192992a274fc1a836ba3c23a3feebbd454d4423643ce80e2a9ac94fa54ca49f"));
}

static void *digest_many(void *same)
{
    struct sha256 expected = SHA256_OF(span_of_text("abc"));
    for (int i = 0; i < 1000; i++) {
        struct sha256 hash = SHA256_OF(span_of_text("abc"));
        if (!sha256_equal(&hash, &expected))
            *(bool *)same = false;
    }
    return NULL;
}

static void test_threads_do_not_disturb_each_other(void)
{
    pthread_t threads[4];
    bool same[4] = {true, true, true, true};
    for (size_t i = 0; i < 4; i++)
        CU_ASSERT_EQUAL_FATAL(pthread_create(&threads[i], NULL, digest_many, &same[i]), 0);
    for (size_t i = 0; i < 4; i++) {
        pthread_join(threads[i], NULL);
        CU_ASSERT_TRUE(same[i]);
    }
}

static void test_a_stream_digests_what_came_and_begins_anew(void)
{
    struct sha256_stream *stream = sha256_stream_new();
    for (int again = 0; again < 2; again++) {
        sha256_stream_add(stream, span_of_text("a"));
        sha256_stream_add(stream, (struct span){0});
        sha256_stream_add(stream, span_of_text("bc"));
        struct sha256 found = sha256_stream_end(stream), wanted = SHA256_OF(span_of_text("abc"));
        CU_ASSERT(sha256_equal(&found, &wanted));
    }
    struct sha256 empty = sha256_stream_end(stream), nothing = SHA256_OF((struct span){0});
    CU_ASSERT(sha256_equal(&empty, &nothing));
    sha256_stream_free(&stream);
}

static void test_random_bytes_do_not_repeat(void)
{
    uint8_t a[300] = {0};
    uint8_t b[300] = {0};
    random_fill(a, sizeof a);
    random_fill(b, sizeof b);
    CU_ASSERT(memcmp(a, b, sizeof a) != 0);
    CU_ASSERT(memcmp(a + 268, (uint8_t[32]){0}, 32) != 0); /* filled to its end */
}

/* RFC 4231, test cases 1 and 2. */
static void test_hmac_is_that_of_the_rfc(void)
{
    static const struct {
        const char *key_hex, *message, *mac;
    } cases[] = {{"0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b", "Hi There",
                  "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7"},
                 {"4a656665", "what do ya want for nothing?",
                  "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843"}};
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        uint8_t key[32];
        char hex[2 * SHA256_BYTES + 1];
        size_t size = strlen(cases[i].key_hex) / 2;
        MUST(text_unhex(span_of_text(cases[i].key_hex), key, size));
        struct sha256 mac = digest_hmac_sha256(span_of(key, size), span_of_text(cases[i].message));
        text_hex(sha256_span(&mac), hex, sizeof hex);
        CU_ASSERT_STRING_EQUAL(hex, cases[i].mac);
    }
}

SUITE(digest, TEST(test_hmac_is_that_of_the_rfc), TEST(test_sha256_of_nothing_is_known),
      TEST(test_sha256_of_abc_is_known), TEST(test_pieces_are_digested_as_one),
      TEST(test_sha512_of_abc_is_known), TEST(test_threads_do_not_disturb_each_other),
      TEST(test_a_stream_digests_what_came_and_begins_anew), TEST(test_random_bytes_do_not_repeat))
