// SPDX-License-Identifier: MIT
/* The worked example of the evidence format: five leaves a..e, the proof of c, and what must not
 * pass. */
#include "lib/bus/record_proof.h"

#include "lib/base/text.h"
#include "lib/crypto/keypair.h"
#include "tests/unit/unit.h"

#include <stdio.h>

#define NOTE                                                                                     \
    "log.example/a\n5\n/hSlQm+9cMD6c/UjQq/tDaC9I8SDhmLM9riKMHDq2Xs=\n\n"                         \
    "— log.example/a hwgG+DlzaKr97/3fFDYyorz5IJxU+0BN9ecvYLMPEbLigR2obksviBN4e7DTyUvD/W7BYoam" \
    "06BXE6goEDbvAd21+w8=\n"
#define PATH_OF_C                                    \
    "0HDcW42prqfcD1rUwp2JllIABZyaDOyjq9XaJJLctx0=\n" \
    "sTeYX/SE+2ANuTEHx3sDZcgNePW0Kd7Q/Zc2HQd5mes=\n" \
    "KCSnzNosqnIMhcn7oei1tzXuz9sDh45Pjf5sNiUDC8Q=\n"
#define LOG_VKEY "log.example/a+870806f8+AYqI4910CfGV/VLbLTy6XXLKZwm/HZQSG/N0iAG0D29c"

static struct note_key log_key(void)
{
    struct note_key key;
    MUST(note_key_parse(span_of_text(LOG_VKEY), &key));
    return key;
}

static void hashes_of_five(struct sha256 out[5])
{
    for (size_t i = 0; i < 5; i++) {
        char letter = (char)('a' + i);
        out[i] = merkle_leaf_hash(span_of(&letter, 1));
    }
}

static struct bytes *proof_of_c(void)
{
    struct sha256 leaves[5];
    struct record_proof proof = {.index = 2, .note = span_of_text(NOTE)};
    struct bytes *text = NULL;
    hashes_of_five(leaves);
    proof.length = record_proof_path(leaves, 5, 2, proof.path);
    MUST(record_proof_encode(&proof, &text));
    return text;
}

static void test_the_worked_example_is_written_and_holds(void)
{
    OWNED(bytes) text = proof_of_c();
    struct record_proof proof;
    struct checkpoint head;
    struct note_key key = log_key();
    char letter = 'c';
    struct sha256 leaf = merkle_leaf_hash(span_of(&letter, 1));
    MUST(record_proof_decode(bytes_span(text), &proof));
    CU_ASSERT_EQUAL(proof.index, 2);
    CU_ASSERT_EQUAL(proof.length, 3);
    MUST(record_proof_check(&proof, &leaf, &key, &head));
    CU_ASSERT_EQUAL(head.size, 5);
}

static void test_its_first_lines_are_those_of_the_format(void)
{
    OWNED(bytes) text = proof_of_c();
    static const char first[] = "c2sp.org/tlog-proof@v1\nindex 2\n0HDcW42prqfcD1rUwp2JllIABZyaDOyj";
    CU_ASSERT_FATAL(text->size > sizeof first);
    CU_ASSERT_EQUAL(memcmp(text->data, first, sizeof first - 1), 0);
}

static void test_every_flipped_byte_breaks_it(void)
{
    OWNED(bytes) text = proof_of_c();
    struct note_key key = log_key();
    char letter = 'c';
    struct sha256 leaf = merkle_leaf_hash(span_of(&letter, 1));
    size_t passed = 0;
    for (size_t i = 0; i < text->size; i++)
        for (unsigned bit = 0; bit < 8; bit++) {
            struct record_proof proof;
            struct checkpoint head;
            text->data[i] ^= (uint8_t)(1u << bit);
            if (!failed(record_proof_decode(bytes_span(text), &proof)) &&
                !failed(record_proof_check(&proof, &leaf, &key, &head)))
                passed++;
            text->data[i] ^= (uint8_t)(1u << bit);
        }
    CU_ASSERT_EQUAL(passed, 0);
}

static void test_another_leaf_is_not_there(void)
{
    OWNED(bytes) text = proof_of_c();
    struct record_proof proof;
    struct checkpoint head;
    struct note_key key = log_key();
    char letter = 'd';
    struct sha256 leaf = merkle_leaf_hash(span_of(&letter, 1));
    MUST(record_proof_decode(bytes_span(text), &proof));
    MUST_FAIL(INCONSISTENT, record_proof_check(&proof, &leaf, &key, &head));
}

static void test_every_entry_of_every_small_tree_is_proved(void)
{
    struct sha256 leaves[40];
    struct merkle tree = {0};
    size_t wrong = 0;
    for (uint64_t size = 1; size <= 40; size++) {
        uint8_t number = (uint8_t)size;
        leaves[size - 1] = merkle_leaf_hash(span_of(&number, 1));
        merkle_append(&tree, &leaves[size - 1]);
        struct sha256 root = merkle_root(&tree);
        for (uint64_t i = 0; i < size; i++) {
            struct sha256 path[MERKLE_PROOF_MAX], found;
            size_t length = record_proof_path(leaves, size, i, path);
            wrong += failed(merkle_inclusion_root(i, size, &leaves[i], path, length, &found)) ||
                     !sha256_equal(&found, &root);
        }
    }
    CU_ASSERT_EQUAL(wrong, 0);
}

static bool is_refused(const char *text)
{
    struct record_proof proof;
    return record_proof_decode(span_of_text(text), &proof).code == BAD_FRAME;
}

static void test_other_forms_are_refused(void)
{
#define HEAD "c2sp.org/tlog-proof@v1\n"
    CU_ASSERT(!is_refused(HEAD "index 0\n\n" NOTE));
    CU_ASSERT(!is_refused(HEAD "index 2\n" PATH_OF_C "\n" NOTE));
    CU_ASSERT(is_refused(""));
    CU_ASSERT(is_refused(HEAD));
    CU_ASSERT(is_refused(HEAD "index 0\n"));
    CU_ASSERT(is_refused("c2sp.org/tlog-proof@v2\nindex 0\n\n" NOTE));
    CU_ASSERT(is_refused(HEAD "extra AAAA\nindex 0\n\n" NOTE));
    CU_ASSERT(is_refused(HEAD "index 00\n\n" NOTE));
    CU_ASSERT(is_refused(HEAD "index +1\n\n" NOTE));
    CU_ASSERT(is_refused(HEAD "index \n\n" NOTE));
    CU_ASSERT(is_refused(HEAD "index 9223372036854775808\n\n" NOTE));
    CU_ASSERT(is_refused(HEAD "index 0\r\n\n" NOTE));
    CU_ASSERT(is_refused(HEAD "index 0\nAAAA\n\n" NOTE));
    CU_ASSERT(is_refused(HEAD "index 0\n0HDcW42prqfcD1rUwp2JllIABZyaDOyjq9XaJJLctx1=\n\n" NOTE));
}

static void test_a_path_without_end_is_refused(void)
{
    OWNED(bytes) text = bytes_empty(8192);
    struct record_proof proof;
    MUST(bytes_append_text(text, HEAD "index 0\n"));
    for (size_t i = 0; i <= MERKLE_PROOF_MAX; i++)
        MUST(bytes_append_text(text, "0HDcW42prqfcD1rUwp2JllIABZyaDOyjq9XaJJLctx0=\n"));
    MUST(bytes_append_text(text, "\n" NOTE));
    MUST_FAIL(BAD_FRAME, record_proof_decode(bytes_span(text), &proof));
}

SUITE(record_proof, TEST(test_the_worked_example_is_written_and_holds),
      TEST(test_its_first_lines_are_those_of_the_format), TEST(test_every_flipped_byte_breaks_it),
      TEST(test_another_leaf_is_not_there), TEST(test_every_entry_of_every_small_tree_is_proved),
      TEST(test_other_forms_are_refused), TEST(test_a_path_without_end_is_refused))
