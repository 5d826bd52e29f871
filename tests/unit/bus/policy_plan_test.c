// SPDX-License-Identifier: MIT
/* A procedure of the register binds who names it. */
#include "lib/bus/policy.h"

#include "tests/unit/bus/registers.h"

#include <stdio.h>

static struct policy_verdict decide_source(const struct directory *state, const char *service,
                                           const char *procedure, const char *requirement,
                                           const char *source)
{
    struct policy_verdict verdict;
    struct policy_question question = {.client = span_of_text(MEDELLIN "/TRAMITES"),
                                       .service = span_of_text(service),
                                       .at_ms = BOOK_START_MS + BOOK_DAY_MS,
                                       .procedure = span_of_text(procedure),
                                       .requirement = span_of_text(requirement),
                                       .source = span_of_text(source)};
    policy_decide(state, &question, &verdict);
    return verdict;
}

static struct policy_verdict decide(const struct directory *state, const char *service,
                                    const char *procedure, const char *requirement)
{
    return decide_source(state, service, procedure, requirement, "");
}

static void test_only_what_a_procedure_needs_is_had_in_its_name(void)
{
    static const struct {
        const char *service, *procedure, *requirement, *rule;
    } cases[] = {{S "deed", "", "", "open/any-member"},
                 {S "deed", "T-1", "", "open/any-member"},
                 {S "deed", "T-1", "R-RES", "open/any-member"},
                 {S "deed", "T-1", "R-ID", "once-only/outside-plan T-1"},
                 {S "deed", "T-1", "R-NADA", "once-only/outside-plan T-1"},
                 {S "abierto", "T-1", "", "once-only/outside-plan T-1"},
                 {S "abierto", "T-9", "", "open/any-member"}, /* in no register */
                 {S "listMethods", "T-1", "", "metadata/any-member"}};
    OWNED(book) book = book_new();
    OWNED(directory) state = NULL;
    registers_country(book);
    MUST(book_fold(book, &state));
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct policy_verdict verdict =
            decide(state, cases[i].service, cases[i].procedure, cases[i].requirement);
        CU_ASSERT_STRING_EQUAL(verdict.rule, cases[i].rule);
        CU_ASSERT_EQUAL(verdict.fault == OK, strchr(cases[i].rule, '-') == NULL ||
                                                 strncmp(cases[i].rule, "once", 4) != 0);
    }
}

static void test_naming_a_procedure_opens_nothing(void)
{
    OWNED(book) book = book_new();
    OWNED(directory) state = NULL;
    registers_country(book);
    MUST(registers_add(book, "{\"sources\":[{\"id\":\"S-R\",\"evidence_type\":\"E-DEED\","
                             "\"territory\":\"CO\",\"service\":\"" S "reservado\"}]}"));
    MUST(book_fold(book, &state));
    struct policy_verdict verdict = decide(state, S "reservado", "T-1", "R-RES");
    CU_ASSERT_EQUAL(verdict.fault, ACCESS_DENIED);
    CU_ASSERT_STRING_EQUAL(verdict.rule, "restricted/no-grant R-1");
}

/* A procedure of all municipalities is each one's; another's is nobody else's. */
static void test_only_who_runs_a_procedure_acts_in_its_name(void)
{
    static const struct {
        const char *owner;
        bool runs;
    } cases[] = {{"CO/MUN", true},  {MEDELLIN, true}, {MEDELLIN "/TRAMITES", true},
                 {"CO/GOV", false}, {DANE, false},    {DANE "/DIVIPOLA", false}};
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        OWNED(book) book = book_new();
        OWNED(directory) state = NULL;
        char json[512];
        registers_country(book);
        snprintf(json, sizeof json,
                 "{\"procedures\":[{\"id\":\"T-2\",\"title\":\"Otra\",\"owner\":\"%s\","
                 "\"requirements\":[\"R-RES\"]}]}",
                 cases[i].owner);
        MUST(registers_add(book, json));
        MUST(book_fold(book, &state));
        struct policy_verdict verdict = decide(state, S "deed", "T-2", "R-RES");
        CU_ASSERT_EQUAL(verdict.fault, cases[i].runs ? OK : ACCESS_DENIED);
        CU_ASSERT_STRING_EQUAL(verdict.rule,
                               cases[i].runs ? "open/any-member" : "once-only/not-owner T-2");
        verdict = decide(state, S "abierto", "T-2", ""); /* whose it is comes first */
        CU_ASSERT_STRING_EQUAL(verdict.rule, cases[i].runs ? "once-only/outside-plan T-2"
                                                           : "once-only/not-owner T-2");
        CU_ASSERT_EQUAL(once_only_runs(state, directory_procedure(state, span_of_text("T-2")),
                                       span_of_text(MEDELLIN "/TRAMITES")),
                        cases[i].runs);
    }
}

static void test_a_source_is_named_for_what_it_is_a_source_of(void)
{
    static const struct {
        const char *service, *procedure, *requirement, *source, *rule;
    } cases[] = {{S "deed", "T-1", "R-RES", "S-DEED", "open/any-member"},
                 {S "deed", "T-1", "R-RES", "S-BILL", "once-only/outside-plan T-1"},
                 {S "deed", "T-1", "R-ID", "S-DEED", "once-only/outside-plan T-1"},
                 {S "deed", "T-1", "", "S-DEED", "once-only/outside-plan T-1"},
                 {S "deed", "T-1", "R-RES", "S-9", "once-only/outside-plan T-1"},
                 {S "deed", "T-1", "R-INC", "S-TAX", "once-only/outside-plan T-1"},
                 {S "deed", "T-9", "R-RES", "S-DEED", "once-only/outside-plan"},
                 {S "deed", "", "", "S-DEED", "once-only/outside-plan"}};
    OWNED(book) book = book_new();
    OWNED(directory) state = NULL;
    registers_country(book);
    MUST(book_fold(book, &state));
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct policy_verdict verdict = decide_source(state, cases[i].service, cases[i].procedure,
                                                      cases[i].requirement, cases[i].source);
        CU_ASSERT_STRING_EQUAL(verdict.rule, cases[i].rule);
    }
}

SUITE(policy_plan, TEST(test_only_who_runs_a_procedure_acts_in_its_name),
      TEST(test_a_source_is_named_for_what_it_is_a_source_of),
      TEST(test_only_what_a_procedure_needs_is_had_in_its_name),
      TEST(test_naming_a_procedure_opens_nothing))
