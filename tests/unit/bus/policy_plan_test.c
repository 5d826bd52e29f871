// SPDX-License-Identifier: MIT
/* A procedure of the register binds who names it. */
#include "lib/bus/policy.h"

#include "tests/unit/bus/registers.h"

static struct policy_verdict decide(const struct directory *state, const char *service,
                                    const char *procedure, const char *requirement)
{
    struct policy_verdict verdict;
    struct policy_question question = {.client = span_of_text(MEDELLIN "/TRAMITES"),
                                       .service = span_of_text(service),
                                       .at_ms = BOOK_START_MS + BOOK_DAY_MS,
                                       .procedure = span_of_text(procedure),
                                       .requirement = span_of_text(requirement)};
    policy_decide(state, &question, &verdict);
    return verdict;
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

SUITE(policy_plan, TEST(test_only_what_a_procedure_needs_is_had_in_its_name),
      TEST(test_naming_a_procedure_opens_nothing))
