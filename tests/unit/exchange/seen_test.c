// SPDX-License-Identifier: MIT
#include "security-server/exchange/seen.h"

#include "tests/unit/unit.h"

static struct sha256 leaf(uint8_t first)
{
    return (struct sha256){{first}};
}

static void id_of(uint64_t i, uint8_t out[EXCHANGE_ID_BYTES])
{
    memset(out, 0, EXCHANGE_ID_BYTES);
    memcpy(out, &i, sizeof i);
}

static const struct span server = {(const uint8_t *)"CO/GOV/1/SS1", 12};

static void test_a_request_is_new_then_running_then_answered(void)
{
    OWNED(seen) seen = seen_new();
    uint8_t id[EXCHANGE_ID_BYTES];
    uint64_t index = 0;
    struct sha256 mine = leaf(1), other = leaf(2);
    id_of(1, id);
    CU_ASSERT_EQUAL(seen_look(seen, id, server, &mine, &index), SEEN_NEVER);
    MUST(seen_begin(seen, id, server, &mine, 1000, 0, 0));
    CU_ASSERT_EQUAL(seen_look(seen, id, server, &mine, &index), SEEN_RUNNING);
    seen_answer(seen, id, server, 77);
    CU_ASSERT_EQUAL(seen_look(seen, id, server, &mine, &index), SEEN_ANSWERED);
    CU_ASSERT_EQUAL(index, 77);
    CU_ASSERT_EQUAL(seen_look(seen, id, server, &other, &index), SEEN_DIFFERENT);
}

static void test_ids_of_different_servers_do_not_meet(void)
{
    OWNED(seen) seen = seen_new();
    uint8_t id[EXCHANGE_ID_BYTES];
    uint64_t index = 0;
    struct sha256 mine = leaf(1);
    id_of(1, id);
    MUST(seen_begin(seen, id, server, &mine, 1000, 0, 0));
    CU_ASSERT_EQUAL(seen_look(seen, id, span_of_text("CO/GOV/2/SS1"), &mine, &index), SEEN_NEVER);
}

static void test_a_hundred_thousand_are_remembered_and_the_old_ones_forgotten(void)
{
    OWNED(seen) seen = seen_new();
    uint8_t id[EXCHANGE_ID_BYTES];
    uint64_t index = 0;
    struct sha256 mine = leaf(1);
    for (uint64_t i = 0; i < 100000; i++) {
        id_of(i, id);
        MUST(seen_begin(seen, id, server, &mine, (int64_t)i + 1, 0, 0));
        seen_answer(seen, id, server, i);
    }
    for (uint64_t i = 0; i < 100000; i += 997) {
        id_of(i, id);
        CU_ASSERT_EQUAL(seen_look(seen, id, server, &mine, &index), SEEN_ANSWERED);
        CU_ASSERT_EQUAL(index, i);
    }
    /* time passes: what is over is dropped when room is needed */
    for (uint64_t i = 100000; i < 400000; i++) {
        id_of(i, id);
        MUST(seen_begin(seen, id, server, &mine, 1000000, 500000, 200000));
    }
    id_of(5, id);
    CU_ASSERT_EQUAL(seen_look(seen, id, server, &mine, &index), SEEN_NEVER);
    CU_ASSERT(seen_count(seen) < 400000);
}

/* The wall clock is set to an hour ahead and back: nothing that could come again is forgotten. */
static void test_a_wall_clock_that_jumps_ahead_forgets_nothing(void)
{
    OWNED(seen) seen = seen_new();
    uint8_t id[EXCHANGE_ID_BYTES];
    uint64_t index = 0;
    struct sha256 mine = leaf(1);
    id_of(1, id);
    MUST(seen_begin(seen, id, server, &mine, 60000, 0, 0));
    for (uint64_t i = 100; i < 3000; i++) { /* the table is built anew several times */
        id_of(i, id);
        MUST(seen_begin(seen, id, server, &mine, 3700000, 3600000, 1000));
    }
    id_of(1, id);
    CU_ASSERT_EQUAL(seen_look(seen, id, server, &mine, &index), SEEN_RUNNING);
}

static void test_a_wall_clock_that_is_set_back_brings_nothing_to_run_again(void)
{
    OWNED(seen) seen = seen_new();
    uint8_t id[EXCHANGE_ID_BYTES];
    uint64_t index = 0;
    struct sha256 mine = leaf(1);
    id_of(1, id);
    MUST(seen_begin(seen, id, server, &mine, 60000, 0, 0));
    for (uint64_t i = 100; i < 3000; i++) {
        id_of(i, id);
        MUST(seen_begin(seen, id, server, &mine, 400000, 300000, 300000));
    }
    id_of(1, id);
    CU_ASSERT_EQUAL(seen_look(seen, id, server, &mine, &index), SEEN_NEVER);
    MUST_FAIL(STALE, seen_begin(seen, id, server, &mine, 60000, 0, 301000));
    MUST(seen_begin(seen, id, server, &mine, 500000, 300000, 301000));
}

static void test_what_was_not_kept_may_come_again_and_what_was_lost_is_said_to_be(void)
{
    OWNED(seen) seen = seen_new();
    uint8_t id[EXCHANGE_ID_BYTES];
    uint64_t index = 0;
    struct sha256 mine = leaf(1);
    id_of(1, id);
    MUST(seen_begin(seen, id, server, &mine, 60000, 0, 0));
    seen_forget(seen, id, server);
    CU_ASSERT_EQUAL(seen_look(seen, id, server, &mine, &index), SEEN_NEVER);
    MUST(seen_begin(seen, id, server, &mine, 60000, 0, 0));
    seen_lose(seen, id, server);
    CU_ASSERT_EQUAL(seen_look(seen, id, server, &mine, &index), SEEN_LOST);
    seen_answer(seen, id, server, 9);
    CU_ASSERT_EQUAL(seen_look(seen, id, server, &mine, &index), SEEN_ANSWERED);
}

SUITE(seen, TEST(test_a_wall_clock_that_jumps_ahead_forgets_nothing),
      TEST(test_a_wall_clock_that_is_set_back_brings_nothing_to_run_again),
      TEST(test_what_was_not_kept_may_come_again_and_what_was_lost_is_said_to_be),
      TEST(test_a_request_is_new_then_running_then_answered),
      TEST(test_ids_of_different_servers_do_not_meet),
      TEST(test_a_hundred_thousand_are_remembered_and_the_old_ones_forgotten))
