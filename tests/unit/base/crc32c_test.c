// SPDX-License-Identifier: MIT
#include "lib/base/crc32c.h"
#include "tests/unit/unit.h"

#include <stdatomic.h>
#include <stdlib.h>

/* The same source once more as a machine without the instruction has it: by table. */
uint32_t crc32c_by_table(uint32_t before, struct span bytes);
#undef __x86_64__
#define crc32c crc32c_by_table
#include "lib/base/crc32c.c"
#undef crc32c

typedef uint32_t checksum(uint32_t before, struct span bytes);

static checksum *const both[] = {crc32c, crc32c_by_table};

static void test_the_vectors_of_the_standard_come_out(void)
{
    /* RFC 3720, B.4 */
    static const uint8_t read_command[48] = {
        0x01, 0xc0, 0, 0, 0, 0, 0,    0, 0, 0, 0,    0,    0, 0, 0, 0, 0x14, 0, 0, 0,   0,
        0,    0x04, 0, 0, 0, 0, 0x14, 0, 0, 0, 0x18, 0x28, 0, 0, 0, 0, 0,    0, 0, 0x02};
    uint8_t zeros[32] = {0}, ones[32], up[32], down[32];
    for (uint8_t i = 0; i < 32; i++) {
        ones[i] = 0xff;
        up[i] = i;
        down[i] = (uint8_t)(31 - i);
    }
    for (size_t i = 0; i < 2; i++) {
        CU_ASSERT_EQUAL(both[i](0, span_of(zeros, 32)), 0x8a9136aa);
        CU_ASSERT_EQUAL(both[i](0, span_of(ones, 32)), 0x62a8ab43);
        CU_ASSERT_EQUAL(both[i](0, span_of(up, 32)), 0x46dd794e);
        CU_ASSERT_EQUAL(both[i](0, span_of(down, 32)), 0x113fdb5c);
        CU_ASSERT_EQUAL(both[i](0, span_of(read_command, 48)), 0xd9963a56);
        CU_ASSERT_EQUAL(both[i](0, span_of_text("123456789")), 0xe3069283);
    }
}

static void test_nothing_changes_nothing(void)
{
    for (size_t i = 0; i < 2; i++) {
        CU_ASSERT_EQUAL(both[i](0, (struct span){0}), 0);
        CU_ASSERT_EQUAL(both[i](0x12345678, (struct span){0}), 0x12345678);
    }
}

static void fill(uint8_t *bytes, size_t size)
{
    unsigned seed = 3;
    for (size_t i = 0; i < size; i++)
        bytes[i] = (uint8_t)rand_r(&seed);
}

static void test_in_pieces_is_the_same_as_in_one_go(void)
{
    uint8_t bytes[100];
    fill(bytes, sizeof bytes);
    for (size_t i = 0; i < 2; i++) {
        uint32_t whole = both[i](0, span_of(bytes, sizeof bytes));
        for (size_t cut = 0; cut <= sizeof bytes; cut++) {
            uint32_t first = both[i](0, span_of(bytes, cut));
            CU_ASSERT_EQUAL(both[i](first, span_of(bytes + cut, sizeof bytes - cut)), whole);
        }
        uint32_t each = 0;
        for (size_t k = 0; k < sizeof bytes; k++)
            each = both[i](each, span_of(bytes + k, 1));
        CU_ASSERT_EQUAL(each, whole);
    }
}

/* Bit by bit, as the standard defines it. */
static uint32_t by_definition(struct span bytes)
{
    uint32_t crc = 0xffffffff;
    for (size_t i = 0; i < bytes.size; i++) {
        crc ^= bytes.at[i];
        for (int bit = 0; bit < 8; bit++)
            crc = crc & 1 ? crc >> 1 ^ 0x82f63b78 : crc >> 1;
    }
    return ~crc;
}

static void test_every_start_and_length_gives_the_sum_of_the_definition(void)
{
    _Alignas(64) uint8_t bytes[64];
    fill(bytes, sizeof bytes);
    for (size_t start = 0; start < 16; start++)
        for (size_t size = 0; size <= 40; size++) {
            uint32_t expected = by_definition(span_of(bytes + start, size));
            CU_ASSERT_EQUAL(crc32c(0, span_of(bytes + start, size)), expected);
            CU_ASSERT_EQUAL(crc32c_by_table(0, span_of(bytes + start, size)), expected);
        }
}

SUITE(crc32c, TEST(test_the_vectors_of_the_standard_come_out), TEST(test_nothing_changes_nothing),
      TEST(test_in_pieces_is_the_same_as_in_one_go),
      TEST(test_every_start_and_length_gives_the_sum_of_the_definition))
