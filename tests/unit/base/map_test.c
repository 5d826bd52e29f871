// SPDX-License-Identifier: MIT
#include "lib/base/map.h"
#include "tests/unit/unit.h"

#include <stdio.h>
#include <stdlib.h>

#define MANY 20000

static int numbers[MANY];

static struct span key_of(int i, char room[32])
{
    snprintf(room, 32, "key/%d", i);
    return span_of_text(room);
}

static void test_an_empty_map_has_nothing(void)
{
    struct map map = {0};
    size_t step = 0;
    CU_ASSERT_PTR_NULL(map_get(&map, span_of_text("a")));
    CU_ASSERT_PTR_NULL(map_remove(&map, span_of_text("a")));
    CU_ASSERT_PTR_NULL(map_next(&map, &step, NULL));
    map_clear(&map);
}

static void test_set_gives_back_what_stood_there(void)
{
    struct map map = {0};
    CU_ASSERT_PTR_NULL(map_set(&map, span_of_text("a"), &numbers[1]));
    CU_ASSERT_PTR_EQUAL(map_set(&map, span_of_text("a"), &numbers[2]), &numbers[1]);
    CU_ASSERT_PTR_EQUAL(map_get(&map, span_of_text("a")), &numbers[2]);
    CU_ASSERT_EQUAL(map.count, 1);
    map_clear(&map);
    CU_ASSERT_EQUAL(map.count, 0);
}

static void test_keys_are_bytes_with_a_length(void)
{
    struct map map = {0};
    map_set(&map, span_of("", 0), &numbers[0]);
    map_set(&map, span_of("\0", 1), &numbers[1]);
    map_set(&map, span_of("\0\0", 2), &numbers[2]);
    map_set(&map, span_of("12345678", 8), &numbers[3]);
    map_set(&map, span_of("12345678\0", 9), &numbers[4]);
    CU_ASSERT_EQUAL(map.count, 5);
    CU_ASSERT_PTR_EQUAL(map_get(&map, span_of("", 0)), &numbers[0]);
    CU_ASSERT_PTR_EQUAL(map_get(&map, span_of("\0\0", 2)), &numbers[2]);
    CU_ASSERT_PTR_EQUAL(map_get(&map, span_of("12345678\0", 9)), &numbers[4]);
    map_clear(&map);
}

static void test_the_key_is_copied(void)
{
    struct map map = {0};
    char key[] = "abc";
    map_set(&map, span_of_text(key), &numbers[0]);
    key[0] = 'x';
    CU_ASSERT_PTR_NOT_NULL(map_get(&map, span_of_text("abc")));
    CU_ASSERT_PTR_NULL(map_get(&map, span_of_text("xbc")));
    map_clear(&map);
}

static void test_growth_keeps_every_entry(void)
{
    struct map map = {0};
    char room[32];
    for (int i = 0; i < MANY; i++)
        CU_ASSERT_FATAL(map_set(&map, key_of(i, room), &numbers[i]) == NULL);
    CU_ASSERT_EQUAL(map.count, MANY);
    for (int i = 0; i < MANY; i++)
        CU_ASSERT_FATAL(map_get(&map, key_of(i, room)) == &numbers[i]);
    CU_ASSERT_PTR_NULL(map_get(&map, key_of(MANY, room)));
    map_clear(&map);
}

static void test_removal_leaves_the_others_findable(void)
{
    struct map map = {0};
    char room[32];
    for (int i = 0; i < MANY; i++)
        map_set(&map, key_of(i, room), &numbers[i]);
    for (int i = 0; i < MANY; i += 2)
        CU_ASSERT_FATAL(map_remove(&map, key_of(i, room)) == &numbers[i]);
    CU_ASSERT_EQUAL(map.count, MANY / 2);
    for (int i = 0; i < MANY; i++)
        CU_ASSERT_FATAL(map_get(&map, key_of(i, room)) == (i % 2 == 0 ? NULL : &numbers[i]));
    map_clear(&map);
}

/* A map of live exchanges: few at a time, very many over a day. */
static void test_coming_and_going_does_not_grow_it(void)
{
    struct map map = {0};
    char room[32];
    for (int i = 0; i < 200000; i++) {
        map_set(&map, key_of(i, room), &numbers[i % MANY]);
        if (i >= 10)
            CU_ASSERT_FATAL(map_remove(&map, key_of(i - 10, room)) != NULL);
    }
    CU_ASSERT_EQUAL(map.count, 10);
    CU_ASSERT(map.room <= 64);
    map_clear(&map);
}

static void test_a_walk_sees_each_entry_once(void)
{
    struct map map = {0};
    char room[32];
    bool seen[100] = {false};
    for (int i = 0; i < 100; i++)
        map_set(&map, key_of(i, room), &numbers[i]);
    map_remove(&map, key_of(7, room));
    size_t step = 0;
    size_t count = 0;
    struct span key;
    for (int *value; (value = map_next(&map, &step, &key)) != NULL; count++) {
        CU_ASSERT(!seen[value - numbers]);
        seen[value - numbers] = true;
        CU_ASSERT(span_equal(key, key_of((int)(value - numbers), room)));
    }
    CU_ASSERT_EQUAL(count, 99);
    CU_ASSERT(!seen[7]);
    map_clear(&map);
}

static void test_the_hash_depends_on_seed_length_and_every_byte(void)
{
    uint8_t bytes[40] = {0};
    uint64_t before = map_hash(span_of(bytes, 40), 1);
    CU_ASSERT(before != map_hash(span_of(bytes, 40), 2));
    CU_ASSERT(before != map_hash(span_of(bytes, 39), 1));
    for (size_t i = 0; i < sizeof bytes; i++) {
        bytes[i] = 1;
        CU_ASSERT(before != map_hash(span_of(bytes, 40), 1));
        bytes[i] = 0;
    }
}

SUITE(map, TEST(test_an_empty_map_has_nothing), TEST(test_set_gives_back_what_stood_there),
      TEST(test_keys_are_bytes_with_a_length), TEST(test_the_key_is_copied),
      TEST(test_growth_keeps_every_entry), TEST(test_removal_leaves_the_others_findable),
      TEST(test_coming_and_going_does_not_grow_it), TEST(test_a_walk_sees_each_entry_once),
      TEST(test_the_hash_depends_on_seed_length_and_every_byte))
