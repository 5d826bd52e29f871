// SPDX-License-Identifier: MIT
#include "lib/bus/set_talk.h"

#include "tests/unit/unit.h"

static void test_digests_are_read_back_and_only_all_of_them(void)
{
    struct set_digest digest[2] = {{7, {{1}}}, {UINT64_MAX, {{2}}}}, back[2];
    OWNED(bytes) packed = bytes_empty(16);
    MUST(set_talk_put_digests(digest, 2, packed));
    MUST(set_talk_get_digests(bytes_span(packed), 2, back));
    CU_ASSERT(back[0].count == 7 && back[1].count == UINT64_MAX);
    CU_ASSERT(sha256_equal(&back[1].digest, &digest[1].digest));
    MUST_FAIL(BAD_FRAME, set_talk_get_digests(bytes_span(packed), 1, back));
    MUST_FAIL(BAD_FRAME, set_talk_get_digests(span_of(packed->data, packed->size - 1), 2, back));
    MUST_FAIL(BAD_FRAME, set_talk_get_digests((struct span){0}, 2, back));
}

static void test_hashes_must_be_in_order_and_behind_what_was_asked(void)
{
    struct sha256 hash[3] = {{{1}}, {{2}}, {{3}}}, after = {{1}};
    const struct sha256 *back = NULL;
    size_t count = 0;
    MUST(set_talk_get_hashes(span_of(hash, sizeof hash), 3, NULL, &back, &count));
    CU_ASSERT(count == 3 && back == hash);
    MUST_FAIL(BAD_FRAME, set_talk_get_hashes(span_of(hash, sizeof hash), 2, NULL, &back, &count));
    MUST_FAIL(BAD_FRAME, set_talk_get_hashes(span_of(hash, 33), 3, NULL, &back, &count));
    MUST_FAIL(BAD_FRAME, set_talk_get_hashes(span_of(hash, sizeof hash), 3, &after, &back, &count));
    MUST(set_talk_get_hashes(span_of(hash + 1, 64), 3, &after, &back, &count));
    hash[2] = hash[1];
    MUST_FAIL(BAD_FRAME, set_talk_get_hashes(span_of(hash, sizeof hash), 3, NULL, &back, &count));
    MUST(set_talk_get_hashes((struct span){0}, 3, NULL, &back, &count));
    CU_ASSERT_EQUAL(count, 0);
}

static void test_leaves_are_read_one_by_one(void)
{
    OWNED(bytes) packed = bytes_empty(16);
    struct span left, leaf;
    size_t count = 0;
    CU_ASSERT(set_talk_put_leaf(span_of_text("one"), packed));
    CU_ASSERT(set_talk_put_leaf((struct span){0}, packed));
    CU_ASSERT(set_talk_put_leaf(span_of_text("three"), packed));
    MUST(set_talk_count_leaves(bytes_span(packed), &count));
    CU_ASSERT_EQUAL(count, 3);
    left = bytes_span(packed);
    MUST(set_talk_get_leaf(&left, &leaf));
    CU_ASSERT(span_is_text(leaf, "one"));
    MUST(set_talk_get_leaf(&left, &leaf));
    CU_ASSERT_EQUAL(leaf.size, 0);
    MUST(set_talk_get_leaf(&left, &leaf));
    CU_ASSERT(span_is_text(leaf, "three") && left.size == 0);
    for (size_t cut = 1; cut < packed->size; cut++) {
        fault f = set_talk_count_leaves(span_of(packed->data, cut), &count);
        CU_ASSERT(failed(f) || cut == 5 || cut == 7);
    }
}

static void test_a_message_holds_no_more_leaves_than_allowed(void)
{
    OWNED(bytes) packed = bytes_empty(16);
    static uint8_t large[LEAF_BYTES_MAX + 1];
    size_t count = 0;
    for (int i = 0; i < RECONCILE_LEAVES_A_MESSAGE; i++)
        CU_ASSERT(set_talk_put_leaf(span_of("x", 1), packed));
    MUST(set_talk_count_leaves(bytes_span(packed), &count));
    CU_ASSERT(set_talk_put_leaf(span_of("x", 1), packed));
    MUST_FAIL(BAD_FRAME, set_talk_count_leaves(bytes_span(packed), &count));
    CU_ASSERT(!set_talk_put_leaf(span_of(large, sizeof large), packed));
    packed->size = 0;
    CU_ASSERT(set_talk_put_leaf(span_of(large, LEAF_BYTES_MAX), packed));
    CU_ASSERT(set_talk_put_leaf(span_of(large, LEAF_BYTES_MAX), packed));
    size_t before = packed->size;
    CU_ASSERT(!set_talk_put_leaf(span_of(large, LEAF_BYTES_MAX), packed)); /* 160 KiB */
    CU_ASSERT_EQUAL(packed->size, before);
}

static void test_a_verdict_is_a_fault_or_none(void)
{
    uint8_t packed[4] = {0};
    enum fault_code code = INTERNAL;
    set_talk_put_verdict(SIGNATURE_BAD, packed + 2);
    MUST(set_talk_get_verdict(span_of(packed, 4), 0, &code));
    CU_ASSERT_EQUAL(code, OK);
    MUST(set_talk_get_verdict(span_of(packed, 4), 1, &code));
    CU_ASSERT_EQUAL(code, SIGNATURE_BAD);
    MUST_FAIL(BAD_FRAME, set_talk_get_verdict(span_of(packed, 4), 2, &code));
    MUST_FAIL(BAD_FRAME, set_talk_get_verdict(span_of(packed, 1), 0, &code));
    memset(packed, 0xff, 4);
    MUST(set_talk_get_verdict(span_of(packed, 4), 0, &code));
    CU_ASSERT_EQUAL(code, INTERNAL);
}

SUITE(set_talk, TEST(test_digests_are_read_back_and_only_all_of_them),
      TEST(test_hashes_must_be_in_order_and_behind_what_was_asked),
      TEST(test_leaves_are_read_one_by_one), TEST(test_a_message_holds_no_more_leaves_than_allowed),
      TEST(test_a_verdict_is_a_fault_or_none))
