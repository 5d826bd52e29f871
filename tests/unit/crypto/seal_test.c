// SPDX-License-Identifier: MIT
#include "lib/crypto/seal.h"
#include "tests/unit/crypto/fixture.h"

#define PLAIN_BYTES 1000

static const struct span header = {(const uint8_t *)"a header", 8};

static struct seal_key *key_of(uint8_t first)
{
    uint8_t raw[SEAL_KEY_BYTES] = {first, 2, 3};
    struct seal_key *key = NULL;
    MUST(seal_key_make(raw, &key));
    return key;
}

static void test_both_sides_come_to_one_key(void)
{
    OWNED(keypair) receiver = NULL;
    OWNED(bytes) public = NULL;
    OWNED(seal_key) sending = NULL;
    OWNED(seal_key) receiving = NULL;
    uint8_t ephemeral[X25519_PUBLIC_BYTES];
    uint8_t raw[SEAL_KEY_BYTES];
    uint8_t sealed[5 + SEAL_TAG_BYTES];
    uint8_t plain[5];
    MUST(keypair_make(KEY_X25519, &receiver));
    MUST(keypair_public(receiver, &public));
    MUST(seal_start(public->data, ephemeral, &sending));
    MUST(seal_derive(receiver, ephemeral, raw));
    MUST(seal_key_make(raw, &receiving));
    seal_wipe(raw, sizeof raw);
    CU_ASSERT(memcmp(raw, (uint8_t[SEAL_KEY_BYTES]){0}, sizeof raw) == 0);
    for (uint64_t counter = 0; counter < 3; counter++) {
        MUST(seal_encrypt(sending, counter, header, span_of_text("hello"), sealed));
        MUST(seal_decrypt(receiving, counter, header, span_of(sealed, sizeof sealed), plain));
        CU_ASSERT(span_is_text(span_of(plain, 5), "hello"));
    }
}

/* Made with an independent implementation (Python's cryptography over the same inputs). */
static void test_the_derived_key_is_the_documented_one(void)
{
    uint8_t seed[KEY_SEED_BYTES];
    uint8_t other[KEY_SEED_BYTES];
    uint8_t raw[SEAL_KEY_BYTES];
    OWNED(keypair) receiver = NULL;
    OWNED(keypair) sender = NULL;
    OWNED(bytes) ephemeral = NULL;
    memset(seed, 0x03, sizeof seed);
    memset(other, 0x04, sizeof other);
    MUST(keypair_from_raw(KEY_X25519, seed, &receiver));
    MUST(keypair_from_raw(KEY_X25519, other, &sender));
    MUST(keypair_public(sender, &ephemeral));
    MUST(seal_derive(receiver, ephemeral->data, raw));
    CU_ASSERT(fixture_is_hex(span_of(raw, sizeof raw),
                             "bfe6f6129f8e0a9a06e8229e3f7655093a8235e789e475b0a88050704e5a992f"));
    OWNED(seal_key) key = NULL;
    uint8_t sealed[5 + SEAL_TAG_BYTES];
    MUST(seal_key_make(raw, &key));
    MUST(seal_encrypt(key, 258, header, span_of_text("hello"), sealed));
    CU_ASSERT(fixture_is_hex(span_of(sealed, sizeof sealed),
                             "935b2ca0e4b93bb99c362bc7a56a965ddf268db60b"));
}

static void test_two_senders_never_share_an_ephemeral(void)
{
    OWNED(keypair) receiver = NULL;
    OWNED(bytes) public = NULL;
    OWNED(seal_key) one = NULL;
    OWNED(seal_key) two = NULL;
    uint8_t first[X25519_PUBLIC_BYTES];
    uint8_t second[X25519_PUBLIC_BYTES];
    MUST(keypair_make(KEY_X25519, &receiver));
    MUST(keypair_public(receiver, &public));
    MUST(seal_start(public->data, first, &one));
    MUST(seal_start(public->data, second, &two));
    CU_ASSERT(memcmp(first, second, sizeof first) != 0);
}

static void test_a_low_order_point_is_refused(void)
{
    OWNED(keypair) receiver = NULL;
    OWNED(seal_key) key = NULL;
    uint8_t zero[X25519_PUBLIC_BYTES] = {0};
    uint8_t ephemeral[X25519_PUBLIC_BYTES];
    uint8_t raw[SEAL_KEY_BYTES];
    MUST(keypair_make(KEY_X25519, &receiver));
    MUST_FAIL(SEAL_BROKEN, seal_derive(receiver, zero, raw));
    MUST_FAIL(SEAL_BROKEN, seal_start(zero, ephemeral, &key));
}

static void test_no_changed_bit_is_opened(void)
{
    OWNED(seal_key) key = key_of(1);
    uint8_t sealed[5 + SEAL_TAG_BYTES];
    uint8_t plain[5];
    MUST(seal_encrypt(key, 7, header, span_of_text("hello"), sealed));
    for (size_t bit = 0; bit < 8 * sizeof sealed; bit++) {
        memset(plain, 0xee, sizeof plain);
        sealed[bit / 8] ^= (uint8_t)(1 << bit % 8);
        MUST_FAIL(SEAL_BROKEN, seal_decrypt(key, 7, header, span_of(sealed, sizeof sealed), plain));
        CU_ASSERT(memcmp(plain, (uint8_t[5]){0}, 5) == 0); /* wiped */
        sealed[bit / 8] ^= (uint8_t)(1 << bit % 8);
    }
    MUST(seal_decrypt(key, 7, header, span_of(sealed, sizeof sealed), plain));
}

static void test_counter_header_and_key_all_count(void)
{
    OWNED(seal_key) key = key_of(1);
    OWNED(seal_key) other = key_of(9);
    uint8_t sealed[5 + SEAL_TAG_BYTES];
    uint8_t plain[5];
    struct span all = span_of(sealed, sizeof sealed);
    MUST(seal_encrypt(key, 7, header, span_of_text("hello"), sealed));
    MUST_FAIL(SEAL_BROKEN, seal_decrypt(key, 8, header, all, plain));
    MUST_FAIL(SEAL_BROKEN, seal_decrypt(key, 7 + ((uint64_t)1 << 32), header, all, plain));
    MUST_FAIL(SEAL_BROKEN, seal_decrypt(key, 7, span_of_text("A header"), all, plain));
    MUST_FAIL(SEAL_BROKEN, seal_decrypt(key, 7, span_of(NULL, 0), all, plain));
    MUST_FAIL(SEAL_BROKEN, seal_decrypt(other, 7, header, all, plain));
    MUST_FAIL(SEAL_BROKEN, seal_decrypt(key, 7, header, span_of(sealed, 15), plain));
    MUST_FAIL(SEAL_BROKEN, seal_decrypt(key, 7, header, span_of(sealed, 16), plain));
    MUST(seal_decrypt(key, 7, header, all, plain));
}

static void test_nothing_can_be_sealed_too(void)
{
    OWNED(seal_key) key = key_of(1);
    uint8_t sealed[SEAL_TAG_BYTES];
    uint8_t plain[1];
    MUST(seal_encrypt(key, 1, span_of(NULL, 0), span_of(NULL, 0), sealed));
    MUST(seal_decrypt(key, 1, span_of(NULL, 0), span_of(sealed, sizeof sealed), plain));
    MUST_FAIL(SEAL_BROKEN, seal_decrypt(key, 1, header, span_of(sealed, sizeof sealed), plain));
}

static void test_text_is_sealed_and_opened_in_place(void)
{
    OWNED(seal_key) key = key_of(1);
    uint8_t apart[PLAIN_BYTES + SEAL_TAG_BYTES];
    uint8_t place[PLAIN_BYTES + SEAL_TAG_BYTES] = {1, 2, 3};
    MUST(seal_encrypt(key, 5, header, span_of(place, PLAIN_BYTES), apart));
    MUST(seal_encrypt(key, 5, header, span_of(place, PLAIN_BYTES), place));
    CU_ASSERT(memcmp(apart, place, sizeof place) == 0);
    MUST(seal_decrypt(key, 5, header, span_of(place, sizeof place), place));
    CU_ASSERT(memcmp(place, (uint8_t[4]){1, 2, 3, 0}, 4) == 0);
}

/* It opens, and what was changed does not and leaves nothing behind, neither there nor in the
 * context. */
static void check_opened_once(struct seal_once *once, const uint8_t *raw, struct span associated,
                              uint8_t *sealed, size_t size, const uint8_t *plain)
{
    static const uint8_t nothing[PLAIN_BYTES];
    uint8_t back[PLAIN_BYTES];
    for (int again = 0; again < 2; again++) {
        MUST(seal_once_decrypt(once, raw, associated, span_of(sealed, size), back));
        CU_ASSERT(memcmp(back, plain, sizeof back) == 0);
        sealed[size - 1] ^= 1;
        MUST_FAIL(SEAL_BROKEN,
                  seal_once_decrypt(once, raw, associated, span_of(sealed, size), back));
        CU_ASSERT(memcmp(back, nothing, sizeof back) == 0);
        sealed[size - 1] ^= 1;
    }
}

/* One context for many keys gives what each key's own context gives. */
static void test_keys_that_are_used_once_share_a_context(void)
{
    OWNED(seal_once) once = NULL;
    MUST(seal_once_new(&once));
    for (uint8_t first = 1; first < 5; first++) {
        OWNED(seal_key) own = key_of(first);
        uint8_t raw[SEAL_KEY_BYTES] = {first, 2, 3};
        uint8_t plain[PLAIN_BYTES] = {first};
        uint8_t one[PLAIN_BYTES + SEAL_TAG_BYTES], other[PLAIN_BYTES + SEAL_TAG_BYTES];
        MUST(seal_once_encrypt(once, raw, header, span_of(plain, sizeof plain), one));
        check_opened_once(once, raw, header, one, sizeof one, plain);
        MUST(seal_encrypt(own, 0, header, span_of(plain, sizeof plain), other));
        CU_ASSERT(memcmp(one, other, sizeof one) == 0);
    }
}

SUITE(seal, TEST(test_both_sides_come_to_one_key), TEST(test_the_derived_key_is_the_documented_one),
      TEST(test_two_senders_never_share_an_ephemeral), TEST(test_a_low_order_point_is_refused),
      TEST(test_no_changed_bit_is_opened), TEST(test_counter_header_and_key_all_count),
      TEST(test_nothing_can_be_sealed_too), TEST(test_text_is_sealed_and_opened_in_place),
      TEST(test_keys_that_are_used_once_share_a_context))
