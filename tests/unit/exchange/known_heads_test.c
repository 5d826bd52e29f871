// SPDX-License-Identifier: MIT
#include "security-server/exchange/known_heads.h"

#include "lib/bus/limits.h"
#include "tests/unit/unit.h"

static char own_server[] = "CO/GOV/1/SS1";
static struct server_config config = {.server = own_server};
static struct node node = {.config = &config};

static bool hears(struct known_heads *heads, uint64_t size, uint8_t root, int64_t time_ms,
                  unsigned epoch)
{
    struct header header = {.sender_server = span_of_text("CO/GOV/2/SS1"),
                            .log_epoch = epoch,
                            .log_size = size,
                            .time_ms = time_ms};
    header.log_root.at[0] = root;
    return known_heads_hear(heads, &header, size);
}

static void test_heads_that_grow_are_fine(void)
{
    struct known_heads *heads = known_heads_new(&node);
    for (uint64_t i = 1; i < 100; i++)
        CU_ASSERT(hears(heads, i, (uint8_t)i, (int64_t)i * 1000, 1));
    known_heads_free(&heads);
}

static void test_messages_that_overtake_one_another_are_fine(void)
{
    struct known_heads *heads = known_heads_new(&node);
    CU_ASSERT(hears(heads, 50, 1, 100000, 1));
    CU_ASSERT(hears(heads, 40, 2, 90000, 1));
    CU_ASSERT(hears(heads, 49, 2, 100000 + HEADS_OVERTAKE_MS, 1));
    known_heads_free(&heads);
}

static void test_less_that_was_signed_later_is_told(void)
{
    struct known_heads *heads = known_heads_new(&node);
    CU_ASSERT(hears(heads, 50, 1, 100000, 1));
    CU_ASSERT(!hears(heads, 49, 2, 100001 + HEADS_OVERTAKE_MS, 1));
    known_heads_free(&heads);
}

static void test_it_is_held_against_the_largest(void)
{
    struct known_heads *heads = known_heads_new(&node);
    struct checkpoint head;
    unsigned epoch = 0;
    uint64_t place = 0;
    CU_ASSERT(hears(heads, 50, 1, 100000, 1));
    CU_ASSERT(!hears(heads, 20, 2, 200000, 1));
    CU_ASSERT(!hears(heads, 21, 2, 210000, 1));
    CU_ASSERT(known_heads_of(heads, "CO/GOV/2/SS1", &head, &epoch, &place));
    CU_ASSERT_EQUAL(head.size, 50);
    known_heads_free(&heads);
}

static void test_two_trees_of_one_size_are_told_at_any_time(void)
{
    struct known_heads *heads = known_heads_new(&node);
    CU_ASSERT(hears(heads, 50, 1, 100000, 1));
    CU_ASSERT(hears(heads, 50, 1, 90000, 1));
    CU_ASSERT(!hears(heads, 50, 2, 90000, 1));
    known_heads_free(&heads);
}

static void test_a_later_epoch_begins_anew_and_ends_the_one_before(void)
{
    struct known_heads *heads = known_heads_new(&node);
    CU_ASSERT(hears(heads, 50, 1, 100000, 1));
    CU_ASSERT(hears(heads, 1, 1, 200000, 2));
    CU_ASSERT(!hears(heads, 60, 1, 300000, 1));
    known_heads_free(&heads);
}

SUITE(known_heads, TEST(test_heads_that_grow_are_fine),
      TEST(test_messages_that_overtake_one_another_are_fine),
      TEST(test_less_that_was_signed_later_is_told), TEST(test_it_is_held_against_the_largest),
      TEST(test_two_trees_of_one_size_are_told_at_any_time),
      TEST(test_a_later_epoch_begins_anew_and_ends_the_one_before))
