// SPDX-License-Identifier: MIT
#include "tools/audit/crew.h"

#include "lib/base/cursor.h"
#include "tests/unit/unit.h"

#include <stdlib.h>

static bool nobody(const void *owner, const struct sha256 *leaf_hash)
{
    (void)owner;
    (void)leaf_hash;
    return false;
}

/* Bytes that no node writes: nothing of the log is asked for. */
static struct crew *crew_of(size_t threads, crew_take *take, void *owner)
{
    static const struct audit_arguments arguments;
    struct examination about = {
        .arguments = &arguments, .payloads = "/nonexistent", .is_verified = nobody};
    struct crew *crew = NULL;
    MUST(crew_start(threads, &about, take, owner, &crew));
    return crew;
}

struct seen {
    uint64_t next;
    uint64_t wrong;
};

static void take(void *owner, const struct examined *examined)
{
    struct seen *seen = owner;
    uint64_t number = get_u64(examined->entry.leaf.at);
    seen->wrong += number != seen->next || examined->entry.index != seen->next ||
                   examined->entry.damage == NULL || examined->verified;
    seen->next++;
}

static void give(struct crew *crew, uint64_t number, size_t size)
{
    uint8_t *leaf = owned_array(size, 1);
    put_u64(leaf, number);
    crew_give(crew, number, span_of(leaf, size));
    free(leaf); /* it was copied */
}

static void come_back_in_order(size_t threads, uint64_t count, size_t size)
{
    struct seen seen = {0};
    OWNED(crew) crew = crew_of(threads, take, &seen);
    for (uint64_t i = 0; i < count; i++)
        give(crew, i, size);
    crew_finish(crew);
    CU_ASSERT_EQUAL(seen.next, count);
    CU_ASSERT_EQUAL(seen.wrong, 0);
}

static void test_entries_come_back_in_order_whatever_the_number_of_threads(void)
{
    static const size_t threads[] = {1, 2, 3, 7, VERIFY_THREADS_MAX};
    static const uint64_t counts[] = {0, 1, 127, 128, 129, 1000, 20000};
    for (size_t t = 0; t < sizeof threads / sizeof threads[0]; t++)
        for (size_t c = 0; c < sizeof counts / sizeof counts[0]; c++)
            come_back_in_order(threads[t], counts[c], 8 + c);
}

static void test_the_largest_leaves_fit(void)
{
    come_back_in_order(1, 40, LEAF_BYTES_MAX);
    come_back_in_order(2, 40, LEAF_BYTES_MAX);
}

static void test_a_crew_is_sent_home_with_work_in_its_hands(void)
{
    for (size_t threads = 1; threads <= 3; threads++) {
        struct seen seen = {0};
        OWNED(crew) crew = crew_of(threads, take, &seen);
        for (uint64_t i = 0; i < 700; i++)
            give(crew, i, 600);
        crew_free(&crew);
        CU_ASSERT(seen.next < 700);
        CU_ASSERT_EQUAL(seen.wrong, 0);
    }
}

SUITE(crew, TEST(test_entries_come_back_in_order_whatever_the_number_of_threads),
      TEST(test_the_largest_leaves_fit), TEST(test_a_crew_is_sent_home_with_work_in_its_hands))
