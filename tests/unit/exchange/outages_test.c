// SPDX-License-Identifier: MIT
/* What bears a permit out: failures of sources, and none of the caller's. */
#include "security-server/exchange/outages.h"

#include "tests/unit/unit.h"

#include <stdio.h>

#define NOW INT64_C(1790000000000)
#define SOURCE "S-1"
#define LATER OUTAGE_SPACING_MS /* so long after one failure the next one counts */

static const struct sha256 ana = {{7}}, blas = {{8}};

static void outcome(struct outages *outages, int64_t at_ms, int64_t waited_ms, uint32_t code,
                    uint32_t status)
{
    struct header request = {.kind = HEADER_REQUEST, .time_ms = at_ms - waited_ms};
    struct header answer = {.time_ms = at_ms, .fault = code, .status = status};
    request.service = span_of_text("CO/GOV/899999027/DIVIPOLA/municipios");
    request.source = span_of_text(SOURCE);
    request.subject = sha256_span(&ana);
    request.case_ref = span_of_text("2026-17");
    outages_recall(outages, &request, &answer, &(struct outcome_place){(uint64_t)at_ms, {{3}}});
}

static bool answer_in(const struct outages *outages, const char *case_ref, const char *requirement,
                      int64_t at_ms, unsigned *status, struct outcome_place *place)
{
    struct outages_question question = {SOURCE, case_ref, requirement, sha256_span(&ana)};
    return outages_answer(outages, &question, at_ms, status, place);
}

static void test_one_failure_is_no_outage_and_two_are(void)
{
    struct outages *outages = outages_new();
    outcome(outages, NOW, 10, SERVICE_DOWN, 0);
    CU_ASSERT_PTR_NULL(outages_of(outages, SOURCE, NOW));
    outcome(outages, NOW + LATER, 10, SERVICE_DOWN, 0);
    const struct outage *outage = outages_of(outages, SOURCE, NOW + LATER);
    CU_ASSERT_PTR_NOT_NULL_FATAL(outage);
    CU_ASSERT_EQUAL(outage->since_ms, NOW);
    CU_ASSERT_EQUAL(outage->newest.place, (uint64_t)(NOW + LATER));
    CU_ASSERT_PTR_NULL(outages_of(outages, SOURCE "2", NOW + LATER));
    outages_free(&outages);
}

static void test_a_success_ends_it_and_time_does(void)
{
    struct outages *outages = outages_new();
    int64_t second = NOW + LATER;
    outcome(outages, NOW, 10, SERVICE_DOWN, 0);
    outcome(outages, second, 10, SERVICE_DOWN, 0);
    CU_ASSERT_PTR_NOT_NULL(outages_of(outages, SOURCE, second + OUTAGE_WINDOW_MS));
    CU_ASSERT_PTR_NULL(outages_of(outages, SOURCE, second + OUTAGE_WINDOW_MS + 1));
    outcome(outages, second, 10, OK, 200);
    CU_ASSERT_PTR_NULL(outages_of(outages, SOURCE, NOW));
    outcome(outages, NOW, 10, SERVICE_DOWN, 0); /* it begins anew */
    CU_ASSERT_PTR_NULL(outages_of(outages, SOURCE, NOW));
    outages_free(&outages);
}

static void test_two_failures_far_apart_are_no_outage(void)
{
    struct outages *outages = outages_new();
    int64_t later = NOW + OUTAGE_WINDOW_MS + 1;
    outcome(outages, NOW - LATER, 10, SERVICE_DOWN, 0);
    outcome(outages, NOW, 10, SERVICE_DOWN, 0);
    outcome(outages, later, 10, SERVICE_DOWN, 0);
    CU_ASSERT_PTR_NULL(outages_of(outages, SOURCE, later));
    outcome(outages, later + OUTAGE_WINDOW_MS, 10, SERVICE_DOWN, 0);
    const struct outage *outage = outages_of(outages, SOURCE, later + OUTAGE_WINDOW_MS);
    CU_ASSERT_PTR_NOT_NULL_FATAL(outage);
    CU_ASSERT_EQUAL(outage->since_ms, later);
    outages_free(&outages);
}

static void test_failures_at_once_are_one(void)
{
    struct outages *outages = outages_new();
    for (int k = 0; k < 5; k++)
        outcome(outages, NOW + k * (LATER - 1) / 4, 10, SERVICE_DOWN, 0);
    CU_ASSERT_PTR_NULL(outages_of(outages, SOURCE, NOW + LATER));
    outcome(outages, NOW + LATER, 10, SERVICE_DOWN, 0);
    outcome(outages, NOW + LATER + 1, 10, SERVICE_DOWN, 0);
    const struct outage *outage = outages_of(outages, SOURCE, NOW + LATER + 1);
    CU_ASSERT_PTR_NOT_NULL_FATAL(outage);
    CU_ASSERT_EQUAL(outage->failures, 2);
    CU_ASSERT_EQUAL(outage->newest.place, (uint64_t)(NOW + LATER + 1));
    outages_free(&outages);
}

/* Who asks a service for something else, or in no collection, can make it answer 500 at will; and
 * what it answers says nothing about one source of it or another. */
static void test_only_a_sources_own_query_counts(void)
{
    struct outages *outages = outages_new();
    struct header request = {.service = span_of_text("CO/GOV/899999027/DIVIPOLA/municipios"),
                             .case_ref = span_of_text("2026-17"),
                             .subject = sha256_span(&ana)};
    struct outcome_place place;
    unsigned status = 0;
    for (int k = 0; k < 3; k++) {
        struct header answer = {.time_ms = NOW + k * LATER, .status = k == 2 ? 404 : 500};
        outages_recall(outages, &request, &answer, &(struct outcome_place){0});
        CU_ASSERT_PTR_NULL(outages_of(outages, SOURCE, answer.time_ms));
        CU_ASSERT_PTR_NULL(outages_of(outages, "", answer.time_ms));
    }
    CU_ASSERT_FALSE(answer_in(outages, "2026-17", "R-1", NOW + 2 * LATER, &status, &place));
    for (int k = 0; k < 2; k++)
        outcome(outages, NOW + k * LATER, 10, SERVICE_DOWN, 0);
    struct header fine = {.time_ms = NOW + LATER, .status = 200};
    request.source = span_of_text("S-2");
    outages_recall(outages, &request, &fine, &(struct outcome_place){0});
    CU_ASSERT_PTR_NOT_NULL(outages_of(outages, SOURCE, NOW + LATER));
    outages_free(&outages);
}

static void test_an_answer_is_about_one_person(void)
{
    struct outages *outages = outages_new();
    struct outages_question question = {SOURCE, "2026-17", "R-1", sha256_span(&blas)};
    struct outcome_place place;
    unsigned status = 0;
    outcome(outages, NOW, 10, OK, 404);
    CU_ASSERT_TRUE(answer_in(outages, "2026-17", "R-1", NOW, &status, &place));
    CU_ASSERT_FALSE(outages_answer(outages, &question, NOW, &status, &place));
    question.subject = span_of("", 0);
    CU_ASSERT_FALSE(outages_answer(outages, &question, NOW, &status, &place));
    outages_free(&outages);
}

static const struct outage *about(const struct outages *outages, const char *case_ref,
                                  const struct sha256 *subject, int64_t at_ms)
{
    struct outages_question question = {SOURCE, case_ref, "R-1", sha256_span(subject)};
    return outages_about(outages, &question, at_ms);
}

/* Who knows on whom a service breaks could make it fail for everybody. */
static void test_an_answer_with_5xx_is_of_one_person_in_one_case(void)
{
    struct outages *outages = outages_new();
    int64_t second = NOW + LATER;
    outcome(outages, NOW, 10, OK, 500);
    CU_ASSERT_PTR_NULL(about(outages, "2026-17", &ana, NOW));
    outcome(outages, second, 10, SERVICE_GARBAGE, 0);
    CU_ASSERT_PTR_NULL(outages_of(outages, SOURCE, second));
    CU_ASSERT_PTR_NOT_NULL(about(outages, "2026-17", &ana, second));
    CU_ASSERT_PTR_NULL(about(outages, "2026-18", &ana, second));
    CU_ASSERT_PTR_NULL(about(outages, "2026-17", &blas, second));
    CU_ASSERT_PTR_NULL(about(outages, "2026-17", &ana, second + OUTAGE_WINDOW_MS + 1));
    outcome(outages, second, 10, OK, 200);
    CU_ASSERT_PTR_NULL(about(outages, "2026-17", &ana, second));
    outages_free(&outages);
}

static void test_a_method_that_a_source_does_not_have_is_no_failure(void)
{
    struct outages *outages = outages_new();
    for (int k = 0; k < 3; k++)
        outcome(outages, NOW + k * LATER, 10, OK, k == 2 ? 505 : 501);
    CU_ASSERT_PTR_NULL(outages_of(outages, SOURCE, NOW));
    outages_free(&outages);
}

static void test_what_the_caller_got_wrong_is_no_failure(void)
{
    static const uint32_t codes[] = {ACCESS_DENIED, BAD_REQUEST, UNKNOWN_SERVICE, OVERLOADED,
                                     TOKEN_AWAY,    SERVER_AWAY, STALE,           OUTCOME_UNKNOWN};
    struct outages *outages = outages_new();
    for (size_t i = 0; i < sizeof codes / sizeof codes[0]; i++)
        for (int k = 0; k < 3; k++)
            outcome(outages, NOW + k * LATER, 60000, codes[i], 0);
    CU_ASSERT_PTR_NULL(outages_of(outages, SOURCE, NOW));
    for (int k = 0; k < 3; k++) /* who leaves 50 ms has seen nothing fail */
        outcome(outages, NOW + k * LATER, OUTAGE_PATIENCE_MS - 1, DEADLINE_PASSED, 0);
    CU_ASSERT_PTR_NULL(outages_of(outages, SOURCE, NOW + 2 * LATER));
    for (int k = 3; k < 5; k++)
        outcome(outages, NOW + k * LATER, OUTAGE_PATIENCE_MS, DEADLINE_PASSED, 0);
    CU_ASSERT_PTR_NOT_NULL(outages_of(outages, SOURCE, NOW + 4 * LATER));
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
        struct header request = {.source = span_of_text(SOURCE),
                                 .subject = sha256_span(&ana),
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

static void test_no_more_sources_fail_than_are_held(void)
{
    struct outages *outages = outages_new();
    char source[64];
    for (int i = 0; i < OUTAGES_MAX + 20; i++) {
        struct header request = {.time_ms = NOW + i};
        struct header answer = {.time_ms = NOW + i, .fault = SERVICE_DOWN};
        snprintf(source, sizeof source, "S-%d", i);
        request.source = span_of_text(source);
        for (int k = 0; k < OUTAGE_ATTEMPTS; k++) {
            answer.time_ms = NOW + i + k * LATER;
            outages_recall(outages, &request, &answer, &(struct outcome_place){0});
        }
    }
    CU_ASSERT_PTR_NULL(outages_of(outages, "S-0", NOW));
    CU_ASSERT_PTR_NOT_NULL(outages_of(outages, source, NOW + OUTAGES_MAX));
    outages_free(&outages);
}

SUITE(outages, TEST(test_one_failure_is_no_outage_and_two_are), TEST(test_failures_at_once_are_one),
      TEST(test_only_a_sources_own_query_counts), TEST(test_an_answer_is_about_one_person),
      TEST(test_a_success_ends_it_and_time_does), TEST(test_two_failures_far_apart_are_no_outage),
      TEST(test_an_answer_with_5xx_is_of_one_person_in_one_case),
      TEST(test_a_method_that_a_source_does_not_have_is_no_failure),
      TEST(test_what_the_caller_got_wrong_is_no_failure),
      TEST(test_the_newest_answer_in_a_case_is_found),
      TEST(test_each_requirement_has_its_own_answer), TEST(test_no_more_sources_fail_than_are_held))
