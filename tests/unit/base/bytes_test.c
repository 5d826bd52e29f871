// SPDX-License-Identifier: MIT
#include "lib/base/bytes.h"
#include "tests/unit/unit.h"

#include <stdio.h>

/* The sanitizers end the process at an allocation that is too large, unless told otherwise. */
const char *__asan_default_options(void);
const char *__asan_default_options(void)
{
    return "allocator_may_return_null=1";
}

const char *__tsan_default_options(void);
const char *__tsan_default_options(void)
{
    return "allocator_may_return_null=1";
}

static void test_new_bytes_are_zero(void)
{
    OWNED(bytes) some = NULL;
    MUST(bytes_new(1000, &some));
    CU_ASSERT_EQUAL(some->size, 1000);
    for (size_t i = 0; i < 1000; i++)
        CU_ASSERT_FATAL(some->data[i] == 0);
    OWNED(bytes) none = NULL;
    MUST(bytes_new(0, &none));
    CU_ASSERT_EQUAL(none->size, 0);
}

static void test_a_size_beyond_all_memory_is_a_fault(void)
{
    OWNED(bytes) none = NULL;
    MUST_FAIL(NO_MEMORY, bytes_new(SIZE_MAX / 2, &none));
    CU_ASSERT_PTR_NULL(none);
    OWNED(bytes) some = bytes_empty(0);
    uint8_t *at = NULL;
    MUST(bytes_append_text(some, "kept"));
    MUST_FAIL(NO_MEMORY, bytes_reserve(some, SIZE_MAX, &at));
    MUST_FAIL(NO_MEMORY, bytes_reserve(some, SIZE_MAX / 2 - 4, &at));
    CU_ASSERT_PTR_NULL(at);
    CU_ASSERT(span_is_text(bytes_span(some), "kept"));
}

static void test_a_copy_is_its_own(void)
{
    char text[] = "abc";
    OWNED(bytes) copy = NULL;
    MUST(bytes_copy(span_of_text(text), &copy));
    text[0] = 'x';
    CU_ASSERT(span_is_text(bytes_span(copy), "abc"));
    OWNED(bytes) nothing = NULL;
    MUST(bytes_copy(span_of(NULL, 0), &nothing));
    CU_ASSERT_EQUAL(nothing->size, 0);
}

static void test_appending_grows_and_keeps_what_is_there(void)
{
    OWNED(bytes) all = bytes_empty(0);
    for (int i = 0; i < 10000; i++)
        MUST(bytes_append(all, span_of((uint8_t[]){(uint8_t)i, (uint8_t)(i >> 8)}, 2)));
    MUST(bytes_append(all, span_of(NULL, 0)));
    CU_ASSERT_EQUAL_FATAL(all->size, 20000);
    CU_ASSERT(all->capacity >= all->size);
    for (int i = 0; i < 10000; i++)
        CU_ASSERT_FATAL(all->data[2 * i] == (uint8_t)i &&
                        all->data[2 * i + 1] == (uint8_t)(i >> 8));
}

static void test_reserved_room_is_not_content_until_the_size_is_raised(void)
{
    OWNED(bytes) some = bytes_empty(4);
    uint8_t *at = NULL;
    MUST(bytes_append_text(some, "ab"));
    MUST(bytes_reserve(some, 100, &at));
    memset(at, 'x', 100);
    CU_ASSERT(span_is_text(bytes_span(some), "ab"));
    some->size += 1;
    CU_ASSERT(span_is_text(bytes_span(some), "abx"));
}

static void test_freeing_twice_and_nothing_is_harmless(void)
{
    struct bytes *some = bytes_empty(1);
    bytes_free(&some);
    CU_ASSERT_PTR_NULL(some);
    bytes_free(&some);
    CU_ASSERT_EQUAL(bytes_span(NULL).size, 0);
}

static void test_spans_are_equal_by_content(void)
{
    CU_ASSERT(span_equal(span_of("abc", 3), span_of_text("abc")));
    CU_ASSERT(!span_equal(span_of("abc", 3), span_of("abd", 3)));
    CU_ASSERT(!span_equal(span_of("abc", 2), span_of("abc", 3)));
    CU_ASSERT(span_equal(span_of(NULL, 0), span_of("abc", 0)));
    CU_ASSERT(!span_is_text(span_of("a\0", 2), "a"));
}

static void test_what_is_used_ends_at_the_last_byte_that_is_not_zero(void)
{
    static uint8_t room[20000];
    CU_ASSERT_EQUAL(span_used(span_of(NULL, 0)), 0);
    CU_ASSERT_EQUAL(span_used(span_of(room, sizeof room)), 0);
    for (size_t at = 0; at < sizeof room; at += 37) {
        room[at] = 1;
        CU_ASSERT_EQUAL(span_used(span_of(room, sizeof room)), at + 1);
        CU_ASSERT_EQUAL(span_used(span_of(room, at + 1)), at + 1);
        CU_ASSERT_EQUAL(span_used(span_of(room, at)), 0);
        room[at] = 0;
    }
}

SUITE(bytes, TEST(test_new_bytes_are_zero), TEST(test_a_size_beyond_all_memory_is_a_fault),
      TEST(test_a_copy_is_its_own), TEST(test_appending_grows_and_keeps_what_is_there),
      TEST(test_reserved_room_is_not_content_until_the_size_is_raised),
      TEST(test_freeing_twice_and_nothing_is_harmless), TEST(test_spans_are_equal_by_content),
      TEST(test_what_is_used_ends_at_the_last_byte_that_is_not_zero))
