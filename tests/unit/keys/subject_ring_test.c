// SPDX-License-Identifier: MIT
#include "security-server/keys/subject_ring.h"

#include "lib/base/text.h"
#include "tests/unit/unit.h"

#define SERVER "CO/GOV/1/SS1"

static void take(struct subject_ring *ring, unsigned year, uint8_t seed, struct sha256 *made)
{
    uint8_t key[PSEUDONYM_KEY_BYTES] = {seed};
    struct subject_key_blob blob;
    struct sha256 commitment = pseudonym_commitment(key);
    OWNED(keypair) receiver = NULL;
    OWNED(bytes) public_key = NULL;
    OWNED(bytes) sealed = NULL;
    MUST(keypair_make(KEY_X25519, &receiver));
    MUST(keypair_public(receiver, &public_key));
    MUST(subject_key_seal(SERVER, year, key, public_key->data, &sealed));
    MUST(subject_key_read(bytes_span(sealed), &blob));
    MUST(subject_ring_take(ring, &blob, SERVER, &commitment, receiver));
    *made = pseudonym_make(key, "CC 1");
}

static void test_each_year_has_its_key(void)
{
    struct subject_ring ring = {.a_minute = 1000};
    struct sha256 one, two, found;
    take(&ring, 2026, 1, &one);
    take(&ring, 2027, 2, &two);
    MUST(subject_ring_make(&ring, 2026, "CC 1", 0, &found));
    CU_ASSERT(sha256_equal(&found, &one));
    MUST(subject_ring_make(&ring, 2027, "CC 1", 0, &found));
    CU_ASSERT(sha256_equal(&found, &two));
    subject_ring_forget(&ring, 2026);
    MUST_FAIL(SUBJECT_KEY_MISSING, subject_ring_make(&ring, 2026, "CC 1", 0, &found));
    MUST(subject_ring_make(&ring, 2027, "CC 1", 0, &found));
    CU_ASSERT(sha256_equal(&found, &two));
    subject_ring_clear(&ring);
    MUST_FAIL(SUBJECT_KEY_MISSING, subject_ring_make(&ring, 2027, "CC 1", 0, &found));
}

static void test_only_the_one_form_of_a_document_is_taken(void)
{
    struct subject_ring ring = {.a_minute = 1000};
    struct sha256 found;
    take(&ring, 2026, 1, &found);
    MUST_FAIL(BAD_FRAME, subject_ring_make(&ring, 2026, "cc 1", 0, &found));
    MUST_FAIL(BAD_FRAME, subject_ring_make(&ring, 2026, "CC 01", 0, &found));
    MUST_FAIL(BAD_FRAME, subject_ring_make(&ring, 2026, "", 0, &found));
}

/* Of numbers that nobody asked for before. */
static size_t made_at_once(struct subject_ring *ring, int64_t now_ms)
{
    static unsigned number;
    char document[32];
    struct sha256 found;
    fault f = DONE;
    size_t count = 0;
    for (; !failed(f); count += !failed(f)) {
        text_format(document, sizeof document, "CC %u", ++number + 1);
        f = subject_ring_make(ring, 2026, document, now_ms, &found);
    }
    CU_ASSERT_EQUAL(f.code, SUBJECT_RATE);
    return count;
}

/* The view of a person asks two thousand servers about one number. */
static void test_one_number_again_and_again_is_counted_once(void)
{
    struct subject_ring ring = {.a_minute = 600};
    struct sha256 first, found;
    take(&ring, 2026, 1, &first);
    for (size_t i = 0; i < 2000; i++) {
        MUST(subject_ring_make(&ring, 2026, "CC 1", 1000, &found));
        CU_ASSERT(sha256_equal(&found, &first));
    }
    CU_ASSERT_EQUAL(made_at_once(&ring, 1000), 9);
    MUST(subject_ring_make(&ring, 2026, "CC 1", 1000, &found)); /* still remembered */
    CU_ASSERT_EQUAL(made_at_once(&ring, 1000 + 60000), 600);
    CU_ASSERT_EQUAL(made_at_once(&ring, 1000 + 60000), 0);
    MUST_FAIL(SUBJECT_RATE, subject_ring_make(&ring, 2026, "CC 1", 1000 + 60000, &found));
}

/* A minute's share, whatever was saved before; and after a start a second's. */
static void test_so_many_a_minute_and_no_more(void)
{
    struct subject_ring ring = {.a_minute = 600};
    struct sha256 found;
    take(&ring, 2026, 1, &found);
    CU_ASSERT_EQUAL(made_at_once(&ring, 1000), 10);
    CU_ASSERT_EQUAL(made_at_once(&ring, 1100), 1);
    CU_ASSERT_EQUAL(made_at_once(&ring, 1100 + 30000), 300);
    CU_ASSERT_EQUAL(made_at_once(&ring, 1100 + 30000 + 600000), 600);
    CU_ASSERT_EQUAL(made_at_once(&ring, 1100 + 30000 + 600000), 0);
}

static void test_one_a_minute_is_possible(void)
{
    struct subject_ring ring = {.a_minute = 1};
    struct sha256 found;
    take(&ring, 2026, 1, &found);
    CU_ASSERT_EQUAL(made_at_once(&ring, 0), 1);
    CU_ASSERT_EQUAL(made_at_once(&ring, 59999), 0);
    CU_ASSERT_EQUAL(made_at_once(&ring, 60000), 1);
}

SUITE(subject_ring, TEST(test_each_year_has_its_key),
      TEST(test_only_the_one_form_of_a_document_is_taken), TEST(test_so_many_a_minute_and_no_more),
      TEST(test_one_number_again_and_again_is_counted_once), TEST(test_one_a_minute_is_possible))
