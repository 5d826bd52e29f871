// SPDX-License-Identifier: MIT
#include "lib/bus/directory_push.h"

#include "lib/bus/limits.h"
#include "tests/unit/unit.h"

#include <stdlib.h>

#define ACTS 300
#define ACT_BYTES 1000

static uint8_t bytes[ACTS][ACT_BYTES];
static struct span leaves[ACTS];

static void begin(void)
{
    for (size_t i = 0; i < ACTS; i++) {
        memset(bytes[i], (int)i, ACT_BYTES);
        leaves[i] = span_of(bytes[i], ACT_BYTES);
    }
}

static void test_the_newest_acts_come_as_far_as_they_fit(void)
{
    struct directory_push read;
    OWNED(bytes) all = NULL;
    OWNED(bytes) some = NULL;
    begin();
    MUST(directory_push_write(leaves, 290, ACTS, 65536, &all));
    MUST(directory_push_read(bytes_span(all), &read));
    CU_ASSERT_EQUAL(read.from, 290);
    CU_ASSERT_EQUAL(read.count, 10);
    for (size_t i = 0; i < read.count; i++)
        CU_ASSERT(span_equal(read.leaf[i], leaves[290 + i]));
    directory_push_clear(&read);
    MUST(directory_push_write(leaves, 0, ACTS, 65536, &some));
    CU_ASSERT(some->size <= 65536);
    MUST(directory_push_read(bytes_span(some), &read));
    CU_ASSERT_EQUAL(read.from + read.count, ACTS);
    CU_ASSERT(read.from > 200 && read.from < 250);
    directory_push_clear(&read);
}

static void test_nothing_new_and_an_act_that_does_not_fit_are_an_empty_push(void)
{
    struct directory_push read;
    OWNED(bytes) none = NULL;
    OWNED(bytes) large = NULL;
    begin();
    MUST(directory_push_write(leaves, ACTS, ACTS, 65536, &none));
    MUST(directory_push_read(bytes_span(none), &read));
    CU_ASSERT_EQUAL(read.count, 0);
    CU_ASSERT_EQUAL(read.from, ACTS);
    directory_push_clear(&read);
    MUST(directory_push_write(leaves, 0, ACTS, 500, &large));
    MUST(directory_push_read(bytes_span(large), &read));
    CU_ASSERT_EQUAL(read.count, 0);
    directory_push_clear(&read);
}

static void test_what_is_no_push_is_refused(void)
{
    struct directory_push read;
    OWNED(bytes) whole = NULL;
    uint8_t *large = calloc(1, PUSH_BYTES_MAX + 1);
    static const uint8_t empty_leaf[] = {0x12, 0x00};
    begin();
    MUST(directory_push_write(leaves, 298, ACTS, 65536, &whole));
    MUST_FAIL(BAD_FRAME, directory_push_read(span_of(whole->data, whole->size - 1), &read));
    MUST_FAIL(BAD_FRAME, directory_push_read(span_of(large, PUSH_BYTES_MAX + 1), &read));
    MUST_FAIL(BAD_FRAME, directory_push_read(span_of(empty_leaf, sizeof empty_leaf), &read));
    free(large);
}

SUITE(directory_push, TEST(test_the_newest_acts_come_as_far_as_they_fit),
      TEST(test_nothing_new_and_an_act_that_does_not_fit_are_an_empty_push),
      TEST(test_what_is_no_push_is_refused))
