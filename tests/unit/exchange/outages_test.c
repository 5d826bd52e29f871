// SPDX-License-Identifier: MIT
/* What bears a permit out: failures of sources, and none of the caller's. */
#include "security-server/exchange/outages.h"

#include "tests/unit/unit.h"

#include <stdio.h>

#define NOW INT64_C(1790000000000)
#define SERVICE "CO/GOV/899999027/DIVIPOLA/municipios"

static void outcome(struct outages *outages, int64_t at_ms, int64_t waited_ms, uint32_t code,
                    uint32_t status)
{
    struct header request = {.kind = HEADER_REQUEST, .time_ms = at_ms - waited_ms};
    struct header answer = {.time_ms = at_ms, .fault = code, .status = status};
    request.service = span_of_text(SERVICE);
    request.case_ref = span_of_text("2026-17");
    outages_recall(outages, &request, &answer, &(struct outcome_place){(uint64_t)at_ms, {{3}}});
}

static bool answer_in(const struct outages *outages, const char *case_ref, const char *requirement,
                      int64_t at_ms, unsigned *status, struct outcome_place *place)
{
    struct outages_question question = {SERVICE, case_ref, requirement};
    return outages_answer(outages, &question, at_ms, status, place);
}

static void test_one_failure_is_no_outage_and_two_are(void)
{
    struct outages *outages = outages_new();
    outcome(outages, NOW, 10, SERVICE_DOWN, 0);
    CU_ASSERT_PTR_NULL(outages_of(outages, SERVICE, NOW));
    outcome(outages, NOW + 5, 10, SERVICE_DOWN, 0);
    const struct outage *outage = outages_of(outages, SERVICE, NOW + 5);
    CU_ASSERT_PTR_NOT_NULL_FATAL(outage);
    CU_ASSERT_EQUAL(outage->since_ms, NOW);
    CU_ASSERT_EQUAL(outage->newest.place, (uint64_t)NOW + 5);
    CU_ASSERT_PTR_NULL(outages_of(outages, SERVICE "2", NOW + 5));
    outages_free(&outages);
}

static void test_a_success_ends_it_and_time_does(void)
{
    struct outages *outages = outages_new();
    outcome(outages, NOW, 10, SERVICE_DOWN, 0);
    outcome(outages, NOW, 10, OK, 503);
    CU_ASSERT_PTR_NOT_NULL(outages_of(outages, SERVICE, NOW + OUTAGE_WINDOW_MS));
    CU_ASSERT_PTR_NULL(outages_of(outages, SERVICE, NOW + OUTAGE_WINDOW_MS + 1));
    outcome(outages, NOW, 10, OK, 200);
    CU_ASSERT_PTR_NULL(outages_of(outages, SERVICE, NOW));
    outcome(outages, NOW, 10, SERVICE_DOWN, 0); /* it begins anew */
    CU_ASSERT_PTR_NULL(outages_of(outages, SERVICE, NOW));
    outages_free(&outages);
}

static void test_two_failures_far_apart_are_no_outage(void)
{
    struct outages *outages = outages_new();
    int64_t later = NOW + OUTAGE_WINDOW_MS + 1;
    outcome(outages, NOW, 10, SERVICE_DOWN, 0);
    outcome(outages, NOW, 10, SERVICE_DOWN, 0);
    outcome(outages, later, 10, SERVICE_DOWN, 0);
    CU_ASSERT_PTR_NULL(outages_of(outages, SERVICE, later));
    outcome(outages, later + OUTAGE_WINDOW_MS, 10, SERVICE_DOWN, 0);
    const struct outage *outage = outages_of(outages, SERVICE, later + OUTAGE_WINDOW_MS);
    CU_ASSERT_PTR_NOT_NULL_FATAL(outage);
    CU_ASSERT_EQUAL(outage->since_ms, later);
    outages_free(&outages);
}

static void test_a_method_that_a_source_does_not_have_is_no_failure(void)
{
    struct outages *outages = outages_new();
    for (int k = 0; k < 3; k++)
        outcome(outages, NOW, 10, OK, k == 2 ? 505 : 501);
    CU_ASSERT_PTR_NULL(outages_of(outages, SERVICE, NOW));
    outages_free(&outages);
}

static void test_what_the_caller_got_wrong_is_no_failure(void)
{
    static const uint32_t codes[] = {ACCESS_DENIED, BAD_REQUEST, UNKNOWN_SERVICE, OVERLOADED,
                                     TOKEN_AWAY,    SERVER_AWAY, STALE,           OUTCOME_UNKNOWN};
    struct outages *outages = outages_new();
    for (size_t i = 0; i < sizeof codes / sizeof codes[0]; i++)
        for (int k = 0; k < 3; k++)
            outcome(outages, NOW, 60000, codes[i], 0);
    CU_ASSERT_PTR_NULL(outages_of(outages, SERVICE, NOW));
    for (int k = 0; k < 3; k++) /* who leaves 50 ms has seen nothing fail */
        outcome(outages, NOW, OUTAGE_PATIENCE_MS - 1, DEADLINE_PASSED, 0);
    CU_ASSERT_PTR_NULL(outages_of(outages, SERVICE, NOW));
    for (int k = 0; k < 2; k++)
        outcome(outages, NOW, OUTAGE_PATIENCE_MS, DEADLINE_PASSED, 0);
    CU_ASSERT_PTR_NOT_NULL(outages_of(outages, SERVICE, NOW));
    outages_free(&outages);
}

static void test_the_newest_answer_in_a_case_is_found(void)
{
    struct outages *outages = outages_new();
    struct outcome_place place;
    unsigned status = 0;
    outcome(outages, NOW, 10, OK, 200);
    outcome(outages, NOW + 1, 10, OK, 404);
    CU_ASSERT_TRUE(answer_in(outages, "2026-17", "R-1", NOW + 2, &status, &place));
    CU_ASSERT_EQUAL(status, 404);
    CU_ASSERT_EQUAL(place.place, (uint64_t)NOW + 1);
    CU_ASSERT_FALSE(answer_in(outages, "2026-18", "R-1", NOW + 2, &status, &place));
    CU_ASSERT_FALSE(
        answer_in(outages, "2026-17", "R-1", NOW + 2 + OUTAGE_WINDOW_MS, &status, &place));
    for (int i = 0; i < OUTCOMES_HELD_MAX + 10; i++)
        outcome(outages, NOW + 3 + i, 10, OK, 201);
    CU_ASSERT_TRUE(answer_in(outages, "2026-17", "R-1", NOW + 4, &status, &place));
    CU_ASSERT_EQUAL(status, 201);
    outages_free(&outages);
}

/* Two requirements of one case, served by one service. */
static void test_each_requirement_has_its_own_answer(void)
{
    struct outages *outages = outages_new();
    struct outcome_place place;
    unsigned status = 0;
    static const struct {
        const char *requirement;
        unsigned status;
    } said[] = {{"R-1", 404}, {"R-2", 200}};
    for (size_t i = 0; i < 2; i++) {
        struct header request = {.service = span_of_text(SERVICE),
                                 .case_ref = span_of_text("2026-17"),
                                 .requirement = span_of_text(said[i].requirement)};
        struct header answer = {.time_ms = NOW + (int64_t)i, .status = said[i].status};
        outages_recall(outages, &request, &answer, &(struct outcome_place){i, {{3}}});
    }
    CU_ASSERT_TRUE(answer_in(outages, "2026-17", "R-1", NOW + 2, &status, &place));
    CU_ASSERT_EQUAL(status, 404);
    CU_ASSERT_TRUE(answer_in(outages, "2026-17", "R-2", NOW + 2, &status, &place));
    CU_ASSERT_EQUAL(status, 200);
    CU_ASSERT_TRUE(answer_in(outages, "2026-17", "R-3", NOW + 2, &status, &place));
    CU_ASSERT_EQUAL(status, 200); /* nothing was asked for that one */
    outages_free(&outages);
}

static void test_no_more_services_fail_than_are_held(void)
{
    struct outages *outages = outages_new();
    char service[64];
    for (int i = 0; i < OUTAGES_MAX + 20; i++) {
        struct header request = {.time_ms = NOW + i};
        struct header answer = {.time_ms = NOW + i, .fault = SERVICE_DOWN};
        snprintf(service, sizeof service, "CO/GOV/1/S/%d", i);
        request.service = span_of_text(service);
        for (int k = 0; k < OUTAGE_ATTEMPTS; k++)
            outages_recall(outages, &request, &answer, &(struct outcome_place){0});
    }
    CU_ASSERT_PTR_NULL(outages_of(outages, "CO/GOV/1/S/0", NOW));
    CU_ASSERT_PTR_NOT_NULL(outages_of(outages, service, NOW + OUTAGES_MAX));
    outages_free(&outages);
}

SUITE(outages, TEST(test_one_failure_is_no_outage_and_two_are),
      TEST(test_a_success_ends_it_and_time_does), TEST(test_two_failures_far_apart_are_no_outage),
      TEST(test_a_method_that_a_source_does_not_have_is_no_failure),
      TEST(test_what_the_caller_got_wrong_is_no_failure),
      TEST(test_the_newest_answer_in_a_case_is_found),
      TEST(test_each_requirement_has_its_own_answer),
      TEST(test_no_more_services_fail_than_are_held))
