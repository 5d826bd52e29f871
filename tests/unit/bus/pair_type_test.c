// SPDX-License-Identifier: MIT
#include "lib/bus/pair_type.h"

#include "tests/unit/unit.h"

/* As the consumer: own requests, the provider's answers. */
static void test_a_missing_leaf_has_the_type_of_the_side_that_has_it(void)
{
    CU_ASSERT_EQUAL(pair_type_of(HEADER_REQUEST, true, false), PAIR_REQUEST_AT_CONSUMER);
    CU_ASSERT_EQUAL(pair_type_of(HEADER_REQUEST, true, true), PAIR_REQUEST_AT_PROVIDER);
    CU_ASSERT_EQUAL(pair_type_of(HEADER_RESPONSE, false, false), PAIR_ANSWER_AT_CONSUMER);
    CU_ASSERT_EQUAL(pair_type_of(HEADER_FAULT, false, true), PAIR_ANSWER_AT_PROVIDER);
    /* as the provider */
    CU_ASSERT_EQUAL(pair_type_of(HEADER_REQUEST, false, false), PAIR_REQUEST_AT_PROVIDER);
    CU_ASSERT_EQUAL(pair_type_of(HEADER_REQUEST, false, true), PAIR_REQUEST_AT_CONSUMER);
    CU_ASSERT_EQUAL(pair_type_of(HEADER_RESPONSE, true, false), PAIR_ANSWER_AT_PROVIDER);
    CU_ASSERT_EQUAL(pair_type_of(HEADER_FAULT, true, true), PAIR_ANSWER_AT_CONSUMER);
}

static void test_each_type_says_what_it_means(void)
{
    for (int type = 1; type < PAIR_TYPES_END; type++) {
        CU_ASSERT(pair_type_word((enum pair_type)type)[0] != '\0');
        CU_ASSERT(pair_type_meaning((enum pair_type)type)[0] != '\0');
        CU_ASSERT(pair_type_action((enum pair_type)type)[0] != '\0');
    }
    CU_ASSERT_STRING_EQUAL(pair_type_word((enum pair_type)0), "");
    CU_ASSERT_STRING_EQUAL(pair_type_word(PAIR_TYPES_END), "");
}

SUITE(pair_type, TEST(test_a_missing_leaf_has_the_type_of_the_side_that_has_it),
      TEST(test_each_type_says_what_it_means))
