// SPDX-License-Identifier: MIT
#include "security-server/exchange/quota.h"

#include "tests/unit/unit.h"

#define DAY_MS INT64_C(86400000)
#define NOON_MS (20000 * DAY_MS + DAY_MS / 2)

static const struct directory_grant three = {.id = "G-1", .volume_a_day = 3};
static const struct directory_grant one = {.id = "G-2", .volume_a_day = 1};

static enum fault_code take(struct quota *quota, const struct directory_grant *grant,
                            const char *member, int64_t at_ms, uint32_t *retry_s)
{
    return quota_take(quota, grant, 1, span_of_text(member), at_ms, retry_s).code;
}

static void test_a_volume_is_for_each_member_and_each_day(void)
{
    OWNED(quota) quota = quota_new();
    uint32_t retry_s = 0;
    for (int i = 0; i < 3; i++)
        CU_ASSERT_EQUAL(take(quota, &three, "CO/MUN/1", NOON_MS, &retry_s), OK);
    CU_ASSERT_EQUAL(take(quota, &three, "CO/MUN/1", NOON_MS, &retry_s), RATE_LIMITED);
    CU_ASSERT_EQUAL(retry_s, 43200);
    CU_ASSERT_EQUAL(take(quota, &three, "CO/MUN/2", NOON_MS, &retry_s), OK);
    CU_ASSERT_EQUAL(take(quota, &one, "CO/MUN/1", NOON_MS, &retry_s), OK);
    CU_ASSERT_EQUAL(quota_used(quota, "G-1", span_of_text("CO/MUN/1"), NOON_MS), 3);
    CU_ASSERT_EQUAL(quota_used(quota, "G-1", span_of_text("CO/MUN/1"), NOON_MS + DAY_MS), 0);
    CU_ASSERT_EQUAL(take(quota, &three, "CO/MUN/1", NOON_MS + DAY_MS / 2 - 1, &retry_s),
                    RATE_LIMITED);
    CU_ASSERT_EQUAL(retry_s, 1);
    CU_ASSERT_EQUAL(take(quota, &three, "CO/MUN/1", NOON_MS + DAY_MS / 2, &retry_s), OK);
    CU_ASSERT_EQUAL(quota_used(quota, "G-1", span_of_text("CO/MUN/1"), NOON_MS + DAY_MS), 1);
}

static void test_a_volume_does_not_grow_with_the_servers(void)
{
    static const struct directory_grant ten = {.id = "G-10", .volume_a_day = 10};
    struct span member = span_of_text("CO/MUN/1");
    for (size_t servers = 1; servers <= 12; servers++) {
        uint32_t given = 0, retry_s;
        for (size_t i = 0; i < servers; i++) { /* each counts for itself */
            OWNED(quota) quota = quota_new();
            while (!failed(quota_take(quota, &ten, servers, member, NOON_MS, &retry_s)))
                given++;
        }
        CU_ASSERT(given >= 10 && given < 10 + servers);
    }
    CU_ASSERT_EQUAL(quota_share(10, 1), 10);
    CU_ASSERT_EQUAL(quota_share(10, 3), 4);
    CU_ASSERT_EQUAL(quota_share(1, 64), 1);
    CU_ASSERT_EQUAL(quota_share(UINT32_MAX, 2), 1U << 31);
    CU_ASSERT_EQUAL(quota_share(7, 0), 7);
}

static void test_what_brought_no_answer_does_not_count(void)
{
    OWNED(quota) quota = quota_new();
    uint32_t retry_s;
    CU_ASSERT_EQUAL(take(quota, &one, "CO/MUN/1", NOON_MS, &retry_s), OK);
    quota_give_back(quota, "G-2", span_of_text("CO/MUN/1"));
    quota_give_back(quota, "G-2", span_of_text("CO/MUN/1")); /* never below nothing */
    CU_ASSERT_EQUAL(take(quota, &one, "CO/MUN/1", NOON_MS, &retry_s), OK);
    CU_ASSERT_EQUAL(take(quota, &one, "CO/MUN/1", NOON_MS, &retry_s), RATE_LIMITED);
}

static void test_a_clock_set_back_over_midnight_begins_no_day_anew(void)
{
    OWNED(quota) quota = quota_new();
    uint32_t retry_s;
    CU_ASSERT_EQUAL(take(quota, &one, "CO/MUN/1", 20001 * DAY_MS, &retry_s), OK);
    CU_ASSERT_EQUAL(take(quota, &one, "CO/MUN/1", 20001 * DAY_MS - 1, &retry_s), RATE_LIMITED);
    CU_ASSERT_EQUAL(take(quota, &one, "CO/MUN/1", 20001 * DAY_MS, &retry_s), RATE_LIMITED);
}

static void test_a_rate_is_of_one_service(void)
{
    OWNED(quota) quota = quota_new();
    struct fair_limit limit = {1, 1};
    struct span member = span_of_text("CO/MUN/1");
    CU_ASSERT_EQUAL(quota_rate(quota, "CO/GOV/1/S/a", member, limit, 1000000), 0);
    CU_ASSERT_EQUAL(quota_rate(quota, "CO/GOV/1/S/a", member, limit, 1000000), 1);
    CU_ASSERT_EQUAL(quota_rate(quota, "CO/GOV/1/S/b", member, limit, 1000000), 0);
}

SUITE(quota, TEST(test_a_volume_is_for_each_member_and_each_day),
      TEST(test_a_volume_does_not_grow_with_the_servers),
      TEST(test_what_brought_no_answer_does_not_count),
      TEST(test_a_clock_set_back_over_midnight_begins_no_day_anew),
      TEST(test_a_rate_is_of_one_service))
