// SPDX-License-Identifier: MIT
#include "lib/base/cursor.h"
#include "tests/unit/unit.h"

#include <stdio.h>

static void test_integers_are_big_endian(void)
{
    static const uint8_t bytes[] = {0x01, 0x02, 0x03, 0x80, 0x05, 0x06, 0x07, 0xff,
                                    0x09, 0x0a, 0x0b, 0x0c, 0x0d, 0x0e, 0xf0};
    struct cursor at = cursor_over(span_of(bytes, sizeof bytes));
    uint8_t one;
    uint16_t two;
    uint32_t four;
    uint64_t eight;
    MUST(cursor_take_u8(&at, &one));
    MUST(cursor_take_u16(&at, &two));
    MUST(cursor_take_u32(&at, &four));
    MUST(cursor_take_u64(&at, &eight));
    CU_ASSERT_EQUAL(one, 0x01);
    CU_ASSERT_EQUAL(two, 0x0203);
    CU_ASSERT_EQUAL(four, 0x80050607u);
    CU_ASSERT_EQUAL(eight, 0xff090a0b0c0d0ef0u);
    CU_ASSERT(cursor_at_end(&at));
}

static void test_a_take_beyond_the_end_moves_nothing(void)
{
    static const uint8_t bytes[7] = {1, 2, 3, 4, 5, 6, 7};
    struct cursor at = cursor_over(span_of(bytes, sizeof bytes));
    struct span part = span_of("untouched", 9);
    uint64_t eight = 42;
    MUST_FAIL(BAD_FRAME, cursor_take(&at, 8, &part));
    MUST_FAIL(BAD_FRAME, cursor_take(&at, SIZE_MAX, &part));
    MUST_FAIL(BAD_FRAME, cursor_take_u64(&at, &eight));
    CU_ASSERT_EQUAL(part.size, 9);
    CU_ASSERT_EQUAL(eight, 42);
    CU_ASSERT_EQUAL(at.left.size, 7);
    MUST(cursor_take(&at, 7, &part));
    CU_ASSERT_PTR_EQUAL(part.at, bytes);
    MUST(cursor_take(&at, 0, &part));
    CU_ASSERT_EQUAL(part.size, 0);
}

static void test_each_width_faults_one_byte_short(void)
{
    static const uint8_t bytes[8] = {0};
    uint8_t one;
    uint16_t two;
    uint32_t four;
    uint64_t eight;
    struct cursor at = cursor_over(span_of(bytes, 0));
    MUST_FAIL(BAD_FRAME, cursor_take_u8(&at, &one));
    at = cursor_over(span_of(bytes, 1));
    MUST_FAIL(BAD_FRAME, cursor_take_u16(&at, &two));
    at = cursor_over(span_of(bytes, 3));
    MUST_FAIL(BAD_FRAME, cursor_take_u32(&at, &four));
    at = cursor_over(span_of(bytes, 7));
    MUST_FAIL(BAD_FRAME, cursor_take_u64(&at, &eight));
    CU_ASSERT_EQUAL(at.left.size, 7);
}

static void test_until_passes_the_stopper_over(void)
{
    struct cursor at = cursor_over(span_of_text("ab;;c"));
    struct span part;
    MUST(cursor_take_until(&at, ';', &part));
    CU_ASSERT(span_is_text(part, "ab"));
    MUST(cursor_take_until(&at, ';', &part));
    CU_ASSERT(span_is_text(part, ""));
    MUST_FAIL(BAD_FRAME, cursor_take_until(&at, ';', &part));
    CU_ASSERT(span_is_text(at.left, "c"));
    at = cursor_over(span_of(NULL, 0));
    MUST_FAIL(BAD_FRAME, cursor_take_until(&at, ';', &part));
    CU_ASSERT(cursor_at_end(&at));
}

static void test_what_is_put_is_what_one_gets(void)
{
    uint8_t bytes[9] = {[8] = 0x77};
    put_u64(bytes, 0x8182838485868788u);
    CU_ASSERT_EQUAL(get_u64(bytes), 0x8182838485868788u);
    CU_ASSERT_EQUAL(bytes[0], 0x81);
    CU_ASSERT_EQUAL(bytes[8], 0x77);
    put_u32(bytes + 4, 0xfffefdfcu);
    CU_ASSERT_EQUAL(get_u32(bytes + 4), 0xfffefdfcu);
    put_u16(bytes, 0x1234);
    CU_ASSERT_EQUAL(get_u64(bytes), 0x12348384fffefdfcu);
}

SUITE(cursor, TEST(test_integers_are_big_endian), TEST(test_a_take_beyond_the_end_moves_nothing),
      TEST(test_each_width_faults_one_byte_short), TEST(test_until_passes_the_stopper_over),
      TEST(test_what_is_put_is_what_one_gets))
