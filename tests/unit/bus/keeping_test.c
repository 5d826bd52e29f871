// SPDX-License-Identifier: MIT
#include "lib/bus/header.h"
#include "tests/unit/unit.h"

#include <stdio.h>

static enum keep_mode mode_of(const struct keeping *keeping, const char *service)
{
    return keeping_mode(keeping, span_of_text(service));
}

static void test_the_longest_rule_that_names_a_service_decides(void)
{
    struct keeping_rule rules[] = {{"CO/GOV/1/X/s", KEEP_FULL},
                                   {"", KEEP_METADATA},
                                   {"CO/GOV/1", KEEP_OFF},
                                   {"CO/GOV/1/X", KEEP_METADATA}};
    struct keeping keeping = {4, rules};
    CU_ASSERT_EQUAL(mode_of(&keeping, "CO/GOV/1/X/s"), KEEP_FULL);
    CU_ASSERT_EQUAL(mode_of(&keeping, "CO/GOV/1/X/other"), KEEP_METADATA);
    CU_ASSERT_EQUAL(mode_of(&keeping, "CO/GOV/1/Y/s"), KEEP_OFF);
    CU_ASSERT_EQUAL(mode_of(&keeping, "CO/GOV/2/Y/s"), KEEP_METADATA);
    CU_ASSERT_EQUAL(mode_of(&keeping, ""), KEEP_METADATA);
    CU_ASSERT_EQUAL(mode_of(NULL, "CO/GOV/1/X/s"), KEEP_FULL);
}

static void test_a_rule_ends_at_a_part_of_an_identifier(void)
{
    CU_ASSERT(keeping_names("CO/GOV/1", span_of_text("CO/GOV/1")));
    CU_ASSERT(keeping_names("CO/GOV/1", span_of_text("CO/GOV/1/X/s")));
    CU_ASSERT(!keeping_names("CO/GOV/1", span_of_text("CO/GOV/11/X/s")));
    CU_ASSERT(!keeping_names("CO/GOV/1/X", span_of_text("CO/GOV/1")));
}

static bool covers(const struct erasure *erasure, uint64_t index, enum header_kind kind,
                   const char *service)
{
    return erasure_covers(erasure, index, kind, span_of_text(service));
}

static void test_an_erasure_covers_what_it_names_and_nothing_else(void)
{
    static const char *const except[] = {"CO/GOV/1/X/s"};
    struct erasure erasure = {10, 20, "20261118", "CO/GOV/1", 1, except, 0};
    CU_ASSERT(covers(&erasure, 10, HEADER_REQUEST, "CO/GOV/1/X/t"));
    CU_ASSERT(covers(&erasure, 20, HEADER_FAULT, "CO/GOV/1/X/t"));
    CU_ASSERT(!covers(&erasure, 9, HEADER_REQUEST, "CO/GOV/1/X/t"));
    CU_ASSERT(!covers(&erasure, 21, HEADER_REQUEST, "CO/GOV/1/X/t"));
    CU_ASSERT(!covers(&erasure, 15, HEADER_REQUEST, "CO/GOV/2/X/t"));
    CU_ASSERT(!covers(&erasure, 15, HEADER_REQUEST, "CO/GOV/1/X/s"));
    erasure.of = "";
    CU_ASSERT(covers(&erasure, 15, HEADER_RESPONSE, ""));
    CU_ASSERT(!covers(&erasure, 15, HEADER_STARTED, ""));
    CU_ASSERT(!covers(&erasure, 15, HEADER_ERASED, ""));
}

SUITE(keeping, TEST(test_the_longest_rule_that_names_a_service_decides),
      TEST(test_a_rule_ends_at_a_part_of_an_identifier),
      TEST(test_an_erasure_covers_what_it_names_and_nothing_else))
