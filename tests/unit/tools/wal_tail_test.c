// SPDX-License-Identifier: MIT
#include "tools/audit/wal_tail.h"

#include "lib/base/crc32c.h"
#include "lib/base/cursor.h"
#include "lib/base/owned.h"
#include "tests/unit/unit.h"

#include <stdlib.h>

#define SEGMENT 4096

struct segment {
    size_t used;
    uint8_t at[SEGMENT];
};

static void add(struct segment *self, uint64_t index, const char *body)
{
    uint8_t *at = self->at + self->used;
    size_t length = strlen(body);
    put_u32(at, (uint32_t)length);
    put_u64(at + 8, index);
    memcpy(at + 16, body, length);
    put_u32(at + 4, crc32c(0, span_of(at + 8, 8 + length)));
    self->used += 16 + length;
}

static struct wal_tail look(const struct segment *self, uint64_t first)
{
    return wal_tail_of(span_of(self->at, sizeof self->at), first);
}

static void test_zeros_after_the_last_record_are_no_tail(void)
{
    struct segment segment = {0};
    CU_ASSERT_EQUAL(look(&segment, 0).torn_bytes, 0);
    add(&segment, 40, "one");
    add(&segment, 41, "two");
    CU_ASSERT_EQUAL(look(&segment, 40).torn_bytes, 0);
    CU_ASSERT_FALSE(look(&segment, 40).hides);
}

static void test_a_torn_write_hides_nothing(void)
{
    struct segment segment = {0};
    add(&segment, 0, "one");
    size_t whole = segment.used;
    add(&segment, 1, "a record of which half came to the disk");
    memset(segment.at + whole + 30, 0, 100);
    CU_ASSERT_EQUAL(look(&segment, 0).torn_bytes, 30);
    CU_ASSERT_FALSE(look(&segment, 0).hides);
}

static void test_a_record_behind_a_broken_one_is_seen(void)
{
    struct segment segment = {0};
    add(&segment, 7, "one");
    size_t broken = segment.used;
    add(&segment, 8, "two");
    add(&segment, 9, "three");
    segment.at[broken + 17] ^= 1;
    CU_ASSERT(look(&segment, 7).hides);
    CU_ASSERT_EQUAL(look(&segment, 7).index, 9);
    memset(segment.at + broken, 0, 16 + 3); /* wiped out, not only broken */
    CU_ASSERT(look(&segment, 7).hides);
    CU_ASSERT_EQUAL(look(&segment, 7).index, 9);
}

static void test_a_record_with_an_impossible_number_is_rubbish(void)
{
    struct segment segment = {0};
    add(&segment, 0, "one");
    add(&segment, 1000000, "two");
    CU_ASSERT(look(&segment, 0).torn_bytes > 0);
    CU_ASSERT_FALSE(look(&segment, 0).hides);
}

static void test_a_record_up_to_the_very_end_is_seen(void)
{
    struct segment segment = {.used = SEGMENT - 16 - 3};
    add(&segment, 5, "end");
    CU_ASSERT(look(&segment, 0).hides);
    CU_ASSERT_EQUAL(look(&segment, 0).index, 5);
}

/* 16 bytes, again and again: each time the head of a record of 64 KB with a number that may be. */
static void test_rubbish_that_poses_as_records_is_given_up_and_told(void)
{
    const size_t size = 4 << 20;
    uint8_t *at = owned_array(size, 1);
    for (size_t i = 0; i + 16 <= size; i += 16) {
        put_u32(at + i, 65535);
        put_u64(at + i + 8, 1);
    }
    struct wal_tail tail = wal_tail_of(span_of(at, size), 0);
    CU_ASSERT(tail.poses);
    CU_ASSERT_FALSE(tail.hides);
    put_u32(at, 0); /* less of it is looked through to its end */
    tail = wal_tail_of(span_of(at, 70000), 0);
    CU_ASSERT_FALSE(tail.poses);
    CU_ASSERT(tail.torn_bytes > 0);
    free(at);
}

SUITE(wal_tail, TEST(test_rubbish_that_poses_as_records_is_given_up_and_told),
      TEST(test_zeros_after_the_last_record_are_no_tail), TEST(test_a_torn_write_hides_nothing),
      TEST(test_a_record_behind_a_broken_one_is_seen),
      TEST(test_a_record_with_an_impossible_number_is_rubbish),
      TEST(test_a_record_up_to_the_very_end_is_seen))
