// SPDX-License-Identifier: MIT
#include "lib/bus/access_scope.h"

#include "tests/unit/unit.h"

static const char *const ab[] = {"a", "b"};
static const char *const b[] = {"b"};
static const char *const c[] = {"c"};

static const struct access_scope whole = {0};
static const struct access_scope of_ab = {.endpoints = 2, .endpoint = ab};
static const struct access_scope of_b = {.endpoints = 1, .endpoint = b};
static const struct access_scope of_c = {.endpoints = 1, .endpoint = c};
static const struct access_scope column_b = {.columns = 1, .column = b};
static const struct access_scope b_column_c = {1, 1, b, c};

static void test_a_part_that_is_not_named_is_not_covered(void)
{
    CU_ASSERT(access_scope_covers(&whole, "a", "x"));
    CU_ASSERT(access_scope_covers(&of_ab, "a", "x"));
    CU_ASSERT_FALSE(access_scope_covers(&of_ab, "c", NULL));
    CU_ASSERT_FALSE(access_scope_covers(&of_ab, "", NULL)); /* what no endpoint fits */
    CU_ASSERT(access_scope_covers(&column_b, "", NULL));    /* the table is opened, */
    CU_ASSERT(access_scope_covers(&column_b, "", "b"));     /* and gives these */
    CU_ASSERT_FALSE(access_scope_covers(&column_b, "", "c"));
    CU_ASSERT_FALSE(access_scope_covers(&b_column_c, "a", "c"));
}

static void test_what_names_none_includes_all_and_is_included_by_nothing_less(void)
{
    CU_ASSERT(access_scope_includes(&whole, &of_ab));
    CU_ASSERT_FALSE(access_scope_includes(&of_ab, &whole));
    CU_ASSERT(access_scope_includes(&of_ab, &of_b));
    CU_ASSERT_FALSE(access_scope_includes(&of_b, &of_ab));
    CU_ASSERT_FALSE(access_scope_includes(&column_b, &of_b));
    CU_ASSERT(access_scope_includes(&of_b, &b_column_c));
    CU_ASSERT(access_scope_equal(&of_b, &of_b));
    CU_ASSERT_FALSE(access_scope_equal(&of_b, &of_ab));
    CU_ASSERT_FALSE(access_scope_equal(&of_b, &whole));
}

static void test_two_meet_when_anything_is_of_both(void)
{
    CU_ASSERT(access_scope_meets(&whole, &of_c));
    CU_ASSERT(access_scope_meets(&of_ab, &of_b));
    CU_ASSERT_FALSE(access_scope_meets(&of_ab, &of_c));
    CU_ASSERT(access_scope_meets(&column_b, &of_c)); /* that column, at that endpoint */
    CU_ASSERT_FALSE(access_scope_meets(&b_column_c, &column_b));
}

static void test_only_what_is_there_and_open_is_open(void)
{
    static const struct endpoint endpoints[] = {{.id = "a", .class = SERVICE_OPEN},
                                                {.id = "b", .class = SERVICE_SHARED}};
    static const struct directory_column columns[] = {{"b", SERVICE_OPEN}, {"c", SERVICE_SHARED}};
    static const char *const a[] = {"a"};
    static const struct access_scope of_a = {.endpoints = 1, .endpoint = a};
    struct directory_service service = {
        .class = SERVICE_OPEN, .endpoints = 2, .endpoint = endpoints};
    CU_ASSERT(access_scope_is_open(&of_a, &service));
    CU_ASSERT_FALSE(access_scope_is_open(&of_b, &service));
    CU_ASSERT_FALSE(access_scope_is_open(&of_ab, &service));
    CU_ASSERT_FALSE(access_scope_is_open(&of_c, &service)); /* it is not there */
    CU_ASSERT_FALSE(access_scope_is_open(&whole, &service));
    CU_ASSERT_FALSE(access_scope_is_open(&whole, NULL));
    service = (struct directory_service){.class = SERVICE_SHARED, .columns = 2, .column = columns};
    CU_ASSERT_FALSE(access_scope_is_open(&column_b, &service)); /* the table is not */
    service.class = SERVICE_OPEN;
    CU_ASSERT(access_scope_is_open(&column_b, &service));
    CU_ASSERT_FALSE(access_scope_is_open(&whole, &service));
}

SUITE(access_scope, TEST(test_a_part_that_is_not_named_is_not_covered),
      TEST(test_what_names_none_includes_all_and_is_included_by_nothing_less),
      TEST(test_two_meet_when_anything_is_of_both), TEST(test_only_what_is_there_and_open_is_open))
