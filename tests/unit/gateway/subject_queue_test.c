// SPDX-License-Identifier: MIT
#include "gateway/subject_queue.h"

#include "tests/unit/unit.h"

#include <stdlib.h>

static void test_everybody_is_asked_before_anybody_is_asked_for_more(void)
{
    struct subject_queue queue = {.targets = 0};
    size_t at = 99, seen[6], count = 0;
    bool again = true;
    subject_queue_fill(&queue, 3);
    while (count < 6 && subject_queue_take(&queue, 1, &at, &again)) {
        CU_ASSERT_FALSE(again);
        subject_queue_done(&queue, again);
        if (at == 0)
            subject_queue_put(&queue, at, false); /* it always has another page */
        seen[count++] = at;
    }
    const size_t expected[] = {0, 1, 2, 0, 0, 0};
    CU_ASSERT_EQUAL(memcmp(seen, expected, sizeof seen), 0);
    CU_ASSERT_FALSE(subject_queue_is_over(&queue));
    subject_queue_clear(&queue);
}

static void test_who_was_silent_is_asked_last_and_has_half_of_the_places(void)
{
    struct subject_queue queue = {.targets = 0};
    size_t at = 99;
    bool again = false;
    subject_queue_fill(&queue, 6);
    for (size_t i = 0; i < 4; i++) { /* the first four are silent */
        CU_ASSERT(subject_queue_take(&queue, 4, &at, &again));
        CU_ASSERT_EQUAL(at, i);
    }
    CU_ASSERT_FALSE(subject_queue_take(&queue, 4, &at, &again));
    for (size_t i = 0; i < 4; i++) {
        subject_queue_done(&queue, false);
        subject_queue_put(&queue, i, true);
    }
    const size_t expected[] = {4, 5, 0, 1};
    for (size_t i = 0; i < 4; i++) {
        CU_ASSERT(subject_queue_take(&queue, 4, &at, &again));
        CU_ASSERT_EQUAL(at, expected[i]);
        CU_ASSERT_EQUAL(again, i >= 2);
    }
    subject_queue_done(&queue, false);
    subject_queue_done(&queue, false);
    CU_ASSERT_FALSE(subject_queue_take(&queue, 4, &at, &again)); /* half are silent ones */
    subject_queue_done(&queue, true);
    CU_ASSERT(subject_queue_take(&queue, 4, &at, &again) && at == 2 && again);
    CU_ASSERT(subject_queue_take(&queue, 1000, &at, &again) && at == 3);
    CU_ASSERT_FALSE(subject_queue_is_over(&queue));
    for (size_t i = 0; i < 3; i++)
        subject_queue_done(&queue, true);
    CU_ASSERT(subject_queue_is_over(&queue));
    subject_queue_clear(&queue);
}

static void test_of_nobody_nothing_waits(void)
{
    struct subject_queue queue = {.targets = 0};
    size_t at = 0;
    bool again = false;
    subject_queue_fill(&queue, 0);
    CU_ASSERT(subject_queue_is_over(&queue));
    CU_ASSERT_FALSE(subject_queue_take(&queue, 8, &at, &again));
    subject_queue_clear(&queue);
}

SUITE(subject_queue, TEST(test_everybody_is_asked_before_anybody_is_asked_for_more),
      TEST(test_who_was_silent_is_asked_last_and_has_half_of_the_places),
      TEST(test_of_nobody_nothing_waits))
