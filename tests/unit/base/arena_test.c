// SPDX-License-Identifier: MIT
#include "lib/base/arena.h"
#include "tests/unit/unit.h"

#include <stdint.h>
#include <stdio.h>
#include <string.h>

#define MANY 5000

static void test_an_empty_arena_is_cleared(void)
{
    struct arena arena = {0};
    arena_clear(&arena);
    CU_ASSERT_PTR_NULL(arena.newest);
}

/* Odd sizes between texts: each is zeroed, aligned, and nobody else's. */
static void test_what_was_given_out_stays_whole(void)
{
    struct arena arena = {0};
    static uint8_t *thing[MANY];
    static const char *text[MANY];
    char word[32];
    size_t wrong = 0;
    for (size_t i = 0; i < MANY; i++) {
        size_t size = 1 + i % 97;
        thing[i] = arena_make(&arena, size);
        for (size_t k = 0; k < size; k++)
            wrong += thing[i][k] != 0;
        wrong += (uintptr_t)thing[i] % _Alignof(max_align_t) != 0;
        memset(thing[i], (int)(i % 251) + 1, size);
        snprintf(word, sizeof word, "%.*zu", (int)(i % 20) + 1, i);
        text[i] = arena_text(&arena, word);
    }
    for (size_t i = 0; i < MANY; i++) {
        for (size_t k = 0; k < 1 + i % 97; k++)
            wrong += thing[i][k] != (uint8_t)(i % 251 + 1);
        snprintf(word, sizeof word, "%.*zu", (int)(i % 20) + 1, i);
        wrong += strcmp(text[i], word) != 0;
    }
    CU_ASSERT_EQUAL(wrong, 0);
    arena_clear(&arena);
}

static void test_large_things_have_room_and_do_not_end_the_block(void)
{
    struct arena arena = {0};
    uint8_t *first = arena_make(&arena, 1000000);
    uint8_t *small = arena_make(&arena, 16);
    uint8_t *large = arena_make(&arena, 200000);
    uint8_t *next = arena_make(&arena, 16);
    memset(first, 1, 1000000);
    memset(large, 2, 200000);
    CU_ASSERT_EQUAL(small[0] + next[15], 0);
    CU_ASSERT_EQUAL(small - next, 16); /* of one block still */
    arena_clear(&arena);
}

static void test_an_empty_text_costs_nothing(void)
{
    struct arena arena = {0};
    CU_ASSERT_STRING_EQUAL(arena_text(&arena, ""), "");
    CU_ASSERT_PTR_NULL(arena.newest);
    arena_clear(&arena);
}

SUITE(arena, TEST(test_an_empty_arena_is_cleared), TEST(test_what_was_given_out_stays_whole),
      TEST(test_large_things_have_room_and_do_not_end_the_block),
      TEST(test_an_empty_text_costs_nothing))
