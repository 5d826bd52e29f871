// SPDX-License-Identifier: MIT
/* Whether a citizen may be asked: each reason, and what it needs. */
#include "security-server/exchange/permit_decision.h"

#include "lib/bus/audit_log.h"

#include "tests/unit/unit.h"

#define NOW INT64_C(1790000000000)

static const struct sha256 ana = {{7}}, blas = {{8}};
static const struct directory_requirement requirement = {"R-1", "Quién es", ""};
static struct directory_evidence_type type = {.id = "E-1", .title = "Cédula"};
static const struct directory_source first_source = {.id = "S-1", .service = "CO/GOV/1/S/uno"};
static const struct directory_source second_source = {.id = "S-2", .service = "CO/GOV/1/S/uno"};

/* One requirement that each of two sources proves alone. */
struct sample {
    struct plan_leaf leaf[2];
    struct plan_way way[2];
    struct plan_requirement requirement;
    struct outages *outages;
    struct permit_question question;
};

static void sample_make(struct sample *self, size_t ways)
{
    *self = (struct sample){.outages = outages_new()};
    type.days_max = 90;
    for (size_t i = 0; i < 2; i++) {
        self->leaf[i] = (struct plan_leaf){
            .state = PLAN_READY, .type = &type, .source = i == 0 ? &first_source : &second_source};
        self->way[i] = (struct plan_way){PLAN_READY, 1, &self->leaf[i]};
    }
    self->requirement = (struct plan_requirement){
        .state = PLAN_READY, .requirement = &requirement, .ways = ways, .way = self->way};
    self->question = (struct permit_question){.requirement = &self->requirement,
                                              .case_ref = "2026-17",
                                              .subject = sha256_span(&ana),
                                              .outages = self->outages,
                                              .log_epoch = 1,
                                              .now_ms = NOW};
}

static void outcome(struct sample *self, const char *source, int64_t at_ms, enum fault_code code,
                    unsigned status)
{
    struct header request = {.source = span_of_text(source),
                             .case_ref = span_of_text("2026-17"),
                             .requirement = span_of_text("R-1"),
                             .subject = sha256_span(&ana)};
    struct header answer = {.time_ms = at_ms, .fault = code, .status = status};
    outages_recall(self->outages, &request, &answer,
                   &(struct outcome_place){audit_place(1, 41), {{3}}});
}

static void answered(struct sample *self, const char *source, int64_t at_ms, unsigned status)
{
    outcome(self, source, at_ms, OK, status);
}

static void fails(struct sample *self, const char *source)
{
    outcome(self, source, NOW - OUTAGE_SPACING_MS, SERVICE_DOWN, 0);
    outcome(self, source, NOW, SERVICE_DOWN, 0);
}

static void breaks(struct sample *self, const char *source, enum fault_code code, unsigned status)
{
    outcome(self, source, NOW - OUTAGE_SPACING_MS, code, status);
    outcome(self, source, NOW, code, status);
}

static struct permit_verdict decide(struct sample *self, enum permit_reason wanted)
{
    struct permit_verdict verdict;
    self->question.wanted = wanted;
    permit_decide(&self->question, &verdict);
    return verdict;
}

static void test_while_a_source_answers_nobody_is_asked(void)
{
    struct sample self;
    sample_make(&self, 1);
    answered(&self, "S-1", NOW, 200);
    CU_ASSERT_TRUE(decide(&self, 0).denied);
    CU_ASSERT_TRUE(decide(&self, PERMIT_SOURCE_DOWN).denied);
    CU_ASSERT_TRUE(decide(&self, PERMIT_NO_SOURCE).denied);
    CU_ASSERT_TRUE(decide(&self, PERMIT_NO_UNIQUE_MATCH).denied);
    CU_ASSERT_PTR_EQUAL(decide(&self, 0).leaf, &self.leaf[0]);
    outages_free(&self.outages);
}

static void test_each_way_must_be_barred(void)
{
    struct sample self;
    sample_make(&self, 2);
    fails(&self, "S-1");
    CU_ASSERT_TRUE(decide(&self, PERMIT_SOURCE_DOWN).denied);
    fails(&self, "S-2");
    struct permit_verdict verdict = decide(&self, PERMIT_SOURCE_DOWN);
    CU_ASSERT_FALSE(verdict.denied);
    CU_ASSERT_EQUAL(verdict.permit_ms, PERMIT_SOURCE_DOWN_MS);
    CU_ASSERT_EQUAL(verdict.since_ms, NOW - OUTAGE_SPACING_MS);
    CU_ASSERT_TRUE(verdict.has_evidence);
    CU_ASSERT_EQUAL(verdict.evidence.place, audit_place(1, 41));
    self.question.log_epoch = 2; /* the record is of a log that is closed */
    CU_ASSERT_TRUE(decide(&self, PERMIT_SOURCE_DOWN).denied);
    outages_free(&self.outages);
}

static void test_down_and_not_found_bar_together_for_a_short_time(void)
{
    struct sample self;
    sample_make(&self, 2);
    fails(&self, "S-1");
    answered(&self, "S-2", NOW, 404);
    static const enum permit_reason reasons[] = {PERMIT_SOURCE_DOWN, PERMIT_NO_UNIQUE_MATCH};
    for (size_t i = 0; i < 2; i++) {
        struct permit_verdict verdict = decide(&self, reasons[i]);
        CU_ASSERT_FALSE(verdict.denied);
        CU_ASSERT_EQUAL(verdict.reason, reasons[i]);
        CU_ASSERT_EQUAL(verdict.permit_ms, PERMIT_SOURCE_DOWN_MS);
    }
    self.question.subject = sha256_span(&blas); /* nobody asked about Blas */
    CU_ASSERT_TRUE(decide(&self, PERMIT_SOURCE_DOWN).denied);
    CU_ASSERT_TRUE(decide(&self, PERMIT_NO_UNIQUE_MATCH).denied);
    outages_free(&self.outages);
}

/* Whoever knows a document on which a service breaks could make it fail for all others. */
static void test_what_a_source_breaks_on_bars_it_for_nobody_else(void)
{
    static const struct {
        enum fault_code code;
        unsigned status;
    } broken[] = {{OK, 500}, {OK, 503}, {SERVICE_GARBAGE, 0}};
    for (size_t i = 0; i < sizeof broken / sizeof broken[0]; i++) {
        struct sample self;
        sample_make(&self, 1);
        breaks(&self, "S-1", broken[i].code, broken[i].status);
        CU_ASSERT_FALSE(decide(&self, PERMIT_SOURCE_DOWN).denied);
        CU_ASSERT_EQUAL(decide(&self, 0).reason, PERMIT_SOURCE_DOWN);
        self.question.case_ref = "2026-18";
        CU_ASSERT_TRUE(decide(&self, PERMIT_SOURCE_DOWN).denied);
        self.question.case_ref = "";
        CU_ASSERT_TRUE(decide(&self, PERMIT_SOURCE_DOWN).denied);
        self.question.case_ref = "2026-17";
        self.question.subject = sha256_span(&blas);
        CU_ASSERT_TRUE(decide(&self, PERMIT_SOURCE_DOWN).denied);
        self.question.subject = span_of("", 0);
        CU_ASSERT_TRUE(decide(&self, PERMIT_SOURCE_DOWN).denied);
        outages_free(&self.outages);
    }
}

/* The log does not show with which words the source was asked. */
static void test_words_of_the_callers_own_make_no_source_fail(void)
{
    struct sample self;
    struct source_selector selector = {.name = "anio"};
    struct directory_source source = first_source;
    sample_make(&self, 1);
    source.selectors = 1;
    source.selector = &selector;
    self.leaf[0].source = &source;
    breaks(&self, "S-1", OK, 500);
    CU_ASSERT_TRUE(decide(&self, PERMIT_SOURCE_DOWN).denied);
    fails(&self, "S-1");
    CU_ASSERT_FALSE(decide(&self, PERMIT_SOURCE_DOWN).denied);
    outages_free(&self.outages);
}

static void test_not_found_is_about_one_person_in_one_case(void)
{
    struct sample self;
    sample_make(&self, 1);
    answered(&self, "S-1", NOW, 404);
    CU_ASSERT_FALSE(decide(&self, PERMIT_NO_UNIQUE_MATCH).denied);
    CU_ASSERT_EQUAL(decide(&self, PERMIT_NO_UNIQUE_MATCH).permit_ms, PERMIT_OTHER_MS);
    self.question.subject = sha256_span(&blas);
    CU_ASSERT_TRUE(decide(&self, PERMIT_NO_UNIQUE_MATCH).denied);
    self.question.subject = span_of("", 0);
    CU_ASSERT_TRUE(decide(&self, PERMIT_NO_UNIQUE_MATCH).denied);
    self.question.subject = sha256_span(&ana);
    self.question.case_ref = "2026-18";
    CU_ASSERT_TRUE(decide(&self, PERMIT_NO_UNIQUE_MATCH).denied);
    outages_free(&self.outages);
}

static void test_only_what_grows_old_and_was_delivered_is_too_old(void)
{
    struct sample self;
    sample_make(&self, 1);
    CU_ASSERT_TRUE(decide(&self, PERMIT_STALE).denied);
    answered(&self, "S-1", NOW, 200);
    CU_ASSERT_FALSE(decide(&self, PERMIT_STALE).denied);
    type.days_max = 0;
    CU_ASSERT_TRUE(decide(&self, PERMIT_STALE).denied);
    type.days_max = 90;
    self.question.now_ms = NOW + OUTAGE_WINDOW_MS + 1;
    CU_ASSERT_TRUE(decide(&self, PERMIT_STALE).denied);
    outages_free(&self.outages);
}

static void test_a_preference_and_a_missing_source_need_no_record(void)
{
    struct sample self;
    sample_make(&self, 1);
    struct permit_verdict verdict = decide(&self, PERMIT_CITIZEN_PREFERS);
    CU_ASSERT_FALSE(verdict.denied);
    CU_ASSERT_FALSE(verdict.has_evidence);
    self.requirement.state = self.way[0].state = self.leaf[0].state = PLAN_NO_SOURCE;
    self.leaf[0].reason = "Sin convenio";
    self.leaf[0].until_ms = NOW + 1000;
    verdict = decide(&self, 0);
    CU_ASSERT_EQUAL(verdict.reason, PERMIT_NO_SOURCE);
    CU_ASSERT_EQUAL(verdict.permit_ms, 1000); /* no longer than nobody delivers it */
    CU_ASSERT_STRING_EQUAL(verdict.why, "Sin convenio");
    self.leaf[0].until_ms = 0;
    CU_ASSERT_EQUAL(decide(&self, 0).permit_ms, PERMIT_UNREGISTERED_MS);
    outages_free(&self.outages);
}

SUITE(permit_decision, TEST(test_while_a_source_answers_nobody_is_asked),
      TEST(test_each_way_must_be_barred),
      TEST(test_down_and_not_found_bar_together_for_a_short_time),
      TEST(test_what_a_source_breaks_on_bars_it_for_nobody_else),
      TEST(test_words_of_the_callers_own_make_no_source_fail),
      TEST(test_not_found_is_about_one_person_in_one_case),
      TEST(test_only_what_grows_old_and_was_delivered_is_too_old),
      TEST(test_a_preference_and_a_missing_source_need_no_record))
