// SPDX-License-Identifier: MIT
#include "security-server/exchange/late_share.h"

#include "lib/bus/leaf_set.h"
#include "lib/bus/limits.h"
#include "tests/unit/unit.h"

#define ONE "CO/GOV/1/SS1"
#define OTHER "CO/GOV/2/SS1"
#define HOUR_MS INT64_C(1790000000000)

static struct server_config config;
static struct node node = {.config = &config};
static char one[] = ONE, other[] = OTHER;

static struct late_share *a_share(void)
{
    config.audit_folder = (char *)(uintptr_t)unit_folder();
    config.late_a_day = LATE_A_DAY_DEFAULT;
    config.late_an_hour = LATE_AN_HOUR_DEFAULT;
    config.late_free_mib = 0;
    return late_share_new(&node);
}

static struct late_leaf leaf_of(char *peer, int64_t time_ms)
{
    return (struct late_leaf){.peer = peer, .receipt = {.time_ms = time_ms}};
}

static void test_a_peer_has_its_share_of_a_day(void)
{
    struct late_share *share = a_share();
    struct late_leaf leaf = leaf_of(one, HOUR_MS);
    config.late_a_day = 3;
    MUST(late_share_enter(share, ONE));
    MUST(late_share_enter(share, ONE));
    late_share_leave(share, &leaf, true);
    late_share_leave(share, &leaf, false); /* was there already: counts for nothing */
    MUST(late_share_enter(share, ONE));
    MUST(late_share_enter(share, ONE));
    MUST_FAIL(OVERLOADED, late_share_enter(share, ONE)); /* one is taken, two wait */
    MUST(late_share_enter(share, OTHER));
    late_share_free(&share);
}

static void test_so_many_of_a_peer_wait(void)
{
    struct late_share *share = a_share();
    struct late_leaf leaf = leaf_of(one, HOUR_MS);
    for (size_t i = 0; i < LATE_QUEUE_LEAVES_A_PEER; i++)
        MUST(late_share_enter(share, ONE));
    MUST_FAIL(OVERLOADED, late_share_enter(share, ONE));
    MUST(late_share_enter(share, OTHER));
    late_share_leave(share, &leaf, true);
    MUST(late_share_enter(share, ONE));
    late_share_free(&share);
}

static void test_without_room_none_enters(void)
{
    struct late_share *share = a_share();
    config.late_free_mib = INT64_C(1) << 40;
    MUST_FAIL(OVERLOADED, late_share_enter(share, ONE));
    config.late_free_mib = 0;
    MUST(late_share_enter(share, ONE));
    config.audit_folder = (char *)(uintptr_t) "/nowhere/at/all";
    config.late_free_mib = 1;
    MUST_FAIL(OVERLOADED, late_share_enter(share, ONE));
    late_share_free(&share);
}

/* One more of this leaf's hour, of which the set has told `lates` so far. */
static fault take_one(struct late_share *share, const struct late_leaf *leaf, uint64_t lates)
{
    MUST(late_share_enter(share, leaf->peer));
    late_share_note_hour(share, leaf, lates);
    fault f = late_share_check_hour(share, leaf);
    late_share_leave(share, leaf, !failed(f));
    return f;
}

static void test_an_hour_has_its_share(void)
{
    struct late_share *share = a_share();
    struct late_leaf leaf = leaf_of(one, HOUR_MS), later = leaf_of(one, HOUR_MS + SET_HOUR_MS);
    struct late_leaf its = leaf_of(other, HOUR_MS);
    config.late_an_hour = 5;
    MUST(take_one(share, &leaf, 3));
    MUST(take_one(share, &leaf, 4)); /* the set has grown by what was counted beside it */
    MUST_FAIL(OVERLOADED, take_one(share, &leaf, 4));
    MUST(take_one(share, &later, 0));
    MUST(take_one(share, &its, 0));
    late_share_forget_hours(share);
    MUST_FAIL(OVERLOADED, take_one(share, &leaf, 5));
    MUST(take_one(share, &later, 4));
    MUST_FAIL(OVERLOADED, take_one(share, &later, 4));
    late_share_free(&share);
}

static void test_hours_are_counted_up_to_a_bound(void)
{
    struct late_share *share = a_share();
    for (int64_t i = 0; i < LATE_HOURS_COUNTED; i++) {
        struct late_leaf leaf = leaf_of(one, HOUR_MS + i * SET_HOUR_MS);
        CU_ASSERT(!late_share_is_full(share));
        late_share_note_hour(share, &leaf, 0);
    }
    CU_ASSERT(late_share_is_full(share));
    late_share_forget_hours(share);
    CU_ASSERT(!late_share_is_full(share));
    late_share_free(&share);
}

SUITE(late_share, TEST(test_a_peer_has_its_share_of_a_day), TEST(test_so_many_of_a_peer_wait),
      TEST(test_without_room_none_enters), TEST(test_an_hour_has_its_share),
      TEST(test_hours_are_counted_up_to_a_bound))
