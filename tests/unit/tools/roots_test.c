// SPDX-License-Identifier: MIT
#include "tools/audit/roots.h"

#include "tests/unit/unit.h"

#include <stdio.h>

#define LEAVES 700

static struct sha256 leaf(uint64_t i)
{
    return merkle_leaf_hash(span_of(&i, sizeof i));
}

static void test_each_root_is_the_one_that_the_tree_had_then(void)
{
    struct merkle tree = {0};
    struct sha256 then[LEAVES + 1];
    struct roots *roots = roots_new();
    then[0] = merkle_root(&tree);
    for (uint64_t i = 0; i < LEAVES; i++) {
        struct sha256 hash = leaf(i);
        merkle_append(&tree, &hash);
        then[i + 1] = merkle_root(&tree);
        roots_append(roots, &hash);
        struct sha256 root = roots_at(roots, i / 2); /* while it grows */
        CU_ASSERT(sha256_equal(&root, &then[i / 2]));
    }
    for (uint64_t i = 0; i <= LEAVES; i++) { /* in any order, some twice */
        uint64_t size = i * 389 % (LEAVES + 1);
        struct sha256 root = roots_at(roots, size), again = roots_at(roots, size);
        CU_ASSERT(sha256_equal(&root, &then[size]));
        CU_ASSERT(sha256_equal(&again, &then[size]));
    }
    roots_free(&roots);
    CU_ASSERT(roots == NULL);
}

static void test_of_nothing_there_is_a_root_too(void)
{
    OWNED(roots) roots = roots_new();
    struct sha256 nothing = digest_sha256(NULL, 0), root = roots_at(roots, 0);
    CU_ASSERT(sha256_equal(&root, &nothing));
}

SUITE(roots, TEST(test_each_root_is_the_one_that_the_tree_had_then),
      TEST(test_of_nothing_there_is_a_root_too))
