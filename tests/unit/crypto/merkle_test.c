// SPDX-License-Identifier: MIT
/* The worked example of the evidence format, and every tree up to 40 leaves by the definition. */
#include "lib/crypto/merkle.h"
#include "tests/unit/crypto/fixture.h"

#define LEAVES 40

static struct sha256 leaf_of(size_t index)
{
    char letter = (char)('a' + index);
    return merkle_leaf_hash(span_of(&letter, 1));
}

/* RFC 6962 section 2.1, literally. */
static struct sha256 root_by_definition(size_t start, size_t size)
{
    if (size == 0)
        return SHA256_OF(span_of_text(""));
    if (size == 1)
        return leaf_of(start);
    size_t k = 1;
    while (2 * k < size)
        k *= 2;
    struct sha256 left = root_by_definition(start, k);
    struct sha256 right = root_by_definition(start + k, size - k);
    return merkle_node_hash(&left, &right);
}

static size_t path_by_definition(size_t index, size_t start, size_t size, struct sha256 *out)
{
    if (size == 1)
        return 0;
    size_t k = 1;
    while (2 * k < size)
        k *= 2;
    bool left = index < k;
    size_t length = left ? path_by_definition(index, start, k, out)
                         : path_by_definition(index - k, start + k, size - k, out);
    out[length] = left ? root_by_definition(start + k, size - k) : root_by_definition(start, k);
    return length + 1;
}

static struct merkle tree_of(size_t size)
{
    struct merkle tree = {0};
    for (size_t i = 0; i < size; i++) {
        struct sha256 leaf = leaf_of(i);
        merkle_append(&tree, &leaf);
    }
    return tree;
}

static void check_root(size_t size, const char *hex)
{
    struct merkle tree = tree_of(size);
    struct sha256 root = merkle_root(&tree);
    CU_ASSERT(fixture_is_hex(sha256_span(&root), hex));
}

static void test_the_worked_roots_come_out(void)
{
    check_root(0, "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
    check_root(1, "022a6979e6dab7aa5ae4c3e5e45f7e977112a7e63593820dbec1ec738a24f93c");
    check_root(2, "b137985ff484fb600db93107c77b0365c80d78f5b429ded0fd97361d077999eb");
    check_root(3, "36642e73c2540ab121e3a6bf9545b0a24982cd830eb13d3cd19de3ce6c021ec1");
    check_root(4, "33376a3bd63e9993708a84ddfe6c28ae58b83505dd1fed711bd924ec5a6239f0");
    check_root(5, "fe14a5426fbd70c0fa73f52342afed0da0bd23c4838662ccf6b88a3070ead97b");
}

static void test_the_worked_inclusion_path_leads_to_the_root(void)
{
    struct sha256 leaf = leaf_of(2);
    struct sha256 path[3] = {leaf_of(3), root_by_definition(0, 2), leaf_of(4)};
    struct sha256 root;
    MUST(merkle_inclusion_root(2, 5, &leaf, path, 3, &root));
    CU_ASSERT(fixture_is_hex(sha256_span(&root),
                             "fe14a5426fbd70c0fa73f52342afed0da0bd23c4838662ccf6b88a3070ead97b"));
}

static void test_each_root_is_that_of_the_definition(void)
{
    for (size_t size = 0; size <= LEAVES; size++) {
        struct merkle tree = tree_of(size);
        struct sha256 root = merkle_root(&tree);
        struct sha256 expected = root_by_definition(0, size);
        CU_ASSERT(sha256_equal(&root, &expected));
    }
}

static void check_path(size_t index, size_t size)
{
    struct sha256 path[8];
    struct sha256 leaf = leaf_of(index);
    struct sha256 expected = root_by_definition(0, size);
    struct sha256 root;
    size_t length = path_by_definition(index, 0, size, path);
    MUST(merkle_inclusion_root(index, size, &leaf, path, length, &root));
    CU_ASSERT(sha256_equal(&root, &expected));
    for (size_t i = 0; i < length; i++) {
        path[i].at[31] ^= 1;
        MUST(merkle_inclusion_root(index, size, &leaf, path, length, &root));
        CU_ASSERT_FALSE(sha256_equal(&root, &expected));
        path[i].at[31] ^= 1;
    }
    path[length] = leaf;
    MUST_FAIL(BAD_FRAME, merkle_inclusion_root(index, size, &leaf, path, length + 1, &root));
    if (length > 0)
        MUST_FAIL(BAD_FRAME, merkle_inclusion_root(index, size, &leaf, path, length - 1, &root));
}

static void test_each_leaf_is_included_by_its_path_and_no_other(void)
{
    for (size_t size = 1; size <= LEAVES; size++)
        for (size_t index = 0; index < size; index++)
            check_path(index, size);
}

static void test_a_leaf_beyond_the_tree_is_refused(void)
{
    struct sha256 leaf = leaf_of(0);
    struct sha256 root;
    MUST_FAIL(BAD_FRAME, merkle_inclusion_root(0, 0, &leaf, NULL, 0, &root));
    MUST_FAIL(BAD_FRAME, merkle_inclusion_root(5, 5, &leaf, NULL, 0, &root));
    MUST_FAIL(BAD_FRAME, merkle_inclusion_root(UINT64_MAX, 1, &leaf, NULL, 0, &root));
}

static void test_the_largest_tree_takes_64_hashes(void)
{
    struct sha256 leaf = leaf_of(0);
    struct sha256 path[65] = {0};
    struct sha256 root;
    MUST(merkle_inclusion_root(0, UINT64_MAX, &leaf, path, 64, &root));
    MUST_FAIL(BAD_FRAME, merkle_inclusion_root(0, UINT64_MAX, &leaf, path, 65, &root));
}

static size_t hashes_of(const struct merkle_range *ranges, size_t count, struct sha256 *out)
{
    for (size_t i = 0; i < count; i++)
        out[i] = root_by_definition(ranges[i].start, ranges[i].end - ranges[i].start);
    return count;
}

static void test_the_worked_consistency_proof_comes_out(void)
{
    struct merkle_range ranges[MERKLE_PROOF_MAX];
    static const struct merkle_range wanted[] = {{2, 3}, {3, 4}, {0, 2}, {4, 5}}; /* c d ab e */
    CU_ASSERT_EQUAL_FATAL(merkle_consistency_ranges(3, 5, ranges), 4);
    CU_ASSERT_EQUAL(memcmp(ranges, wanted, sizeof wanted), 0);
    static const struct merkle_range path[] = {{3, 4}, {0, 2}, {4, 5}}; /* d ab e */
    CU_ASSERT_EQUAL_FATAL(merkle_inclusion_ranges(2, 5, ranges), 3);
    CU_ASSERT_EQUAL(memcmp(ranges, path, sizeof path), 0);
}

static void test_each_tree_is_consistent_with_those_before_it_and_no_other(void)
{
    for (size_t n = 1; n <= LEAVES; n++)
        for (size_t m = 0; m <= n; m++) {
            struct merkle_range ranges[MERKLE_PROOF_MAX];
            struct sha256 proof[MERKLE_PROOF_MAX + 1] = {0};
            struct sha256 old = root_by_definition(0, m), new = root_by_definition(0, n);
            size_t length = hashes_of(ranges, merkle_consistency_ranges(m, n, ranges), proof);
            MUST(merkle_consistency_check(m, &old, n, &new, proof, length));
            CU_ASSERT(failed(merkle_consistency_check(m, &old, n, &new, proof, length + 1)));
            if (length > 0)
                CU_ASSERT(failed(merkle_consistency_check(m, &old, n, &new, proof, length - 1)));
            for (size_t i = 0; i < length; i++) {
                proof[i].at[i % SHA256_BYTES] ^= 1;
                MUST_FAIL(INCONSISTENT, merkle_consistency_check(m, &old, n, &new, proof, length));
                proof[i].at[i % SHA256_BYTES] ^= 1;
            }
            old.at[0] ^= 1;
            if (m > 0)
                MUST_FAIL(INCONSISTENT, merkle_consistency_check(m, &old, n, &new, proof, length));
        }
}

static void test_each_inclusion_path_by_ranges_leads_to_the_root(void)
{
    for (size_t n = 1; n <= LEAVES; n++)
        for (size_t m = 0; m < n; m++) {
            struct merkle_range ranges[MERKLE_PROOF_MAX];
            struct sha256 path[MERKLE_PROOF_MAX], root, leaf = leaf_of(m);
            size_t length = hashes_of(ranges, merkle_inclusion_ranges(m, n, ranges), path);
            MUST(merkle_inclusion_root(m, n, &leaf, path, length, &root));
            struct sha256 wanted = root_by_definition(0, n);
            CU_ASSERT(sha256_equal(&root, &wanted));
        }
}

SUITE(merkle, TEST(test_the_worked_consistency_proof_comes_out),
      TEST(test_each_tree_is_consistent_with_those_before_it_and_no_other),
      TEST(test_each_inclusion_path_by_ranges_leads_to_the_root),
      TEST(test_the_worked_roots_come_out), TEST(test_the_worked_inclusion_path_leads_to_the_root),
      TEST(test_each_root_is_that_of_the_definition),
      TEST(test_each_leaf_is_included_by_its_path_and_no_other),
      TEST(test_a_leaf_beyond_the_tree_is_refused), TEST(test_the_largest_tree_takes_64_hashes))
