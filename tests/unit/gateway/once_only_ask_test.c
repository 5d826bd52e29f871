// SPDX-License-Identifier: MIT
#include "gateway/once_only_ask.h"

#include "tests/unit/unit.h"

#include <string.h>

static fault read(const char *json, enum once_only_purpose purpose, struct once_only_ask *out)
{
    return once_only_ask_read(span_of_text(json), purpose, out);
}

static void test_a_collection_is_read_whole(void)
{
    struct once_only_ask ask;
    MUST(read("{\"procedure\":\"T-1\",\"territory\":\"05001\",\"case\":\"2026-17\",\"subject\":"
              "{\"type\":\"CC\",\"number\":\"1020304050\"},\"basis\":{\"citizen_request\":\"tok\"},"
              "\"selectors\":{\"anio\":\"2020\",\"E-1.territory\":\"05\"}}",
              ASK_COLLECT, &ask));
    CU_ASSERT_STRING_EQUAL(ask.territory, "05001");
    CU_ASSERT_STRING_EQUAL(ask.subject_type, "CC");
    CU_ASSERT_STRING_EQUAL(ask.subject_number, "1020304050");
    CU_ASSERT_STRING_EQUAL(ask.legal_basis, "CITIZEN_REQUEST tok");
    CU_ASSERT_EQUAL(ask.known, 2);
    MUST(read("{\"procedure\":\"T-1\",\"case\":\"1\",\"subject\":\"NIT 900\",\"basis\":{\"order\":"
              "\"5\"}}",
              ASK_COLLECT, &ask));
    CU_ASSERT_STRING_EQUAL(ask.subject_type, "NIT");
    CU_ASSERT_STRING_EQUAL(ask.subject_number, "900");
    CU_ASSERT_STRING_EQUAL(ask.legal_basis, "ORDER 5");
}

static void test_what_is_wrong_is_named_and_the_subject_never(void)
{
    static const char *const bad[] = {
        "",
        "{\"subject\":\"CC 777\",",
        "[\"CC 777\"]",
        "{\"CC 777\":1}",
        "{\"procedure\":\"T-1\",\"subject\":\"777\"}",
        "{\"procedure\":\"T-1\",\"subject\":{\"number\":777}}",
        "{\"procedure\":\"T-1\",\"subject\":{\"num\":\"777\"}}",
        "{\"procedure\":\"T-1\",\"subject\":\"CC 777\\u0007\"}",
        "{\"procedure\":\"T-1\",\"subject\":\"CC 777\",\"basis\":{\"law\":\"1\",\"order\":\"2\"}}",
        "{\"procedure\":\"T-1\",\"subject\":\"CC 777\",\"basis\":{\"law\":\"\"}}",
        "{\"procedure\":\"T-1\",\"subject\":\"CC 777\",\"basis\":\"777\"}",
        "{\"procedure\":\"T-1\",\"subject\":\"CC 777\",\"selectors\":{\"a\":777}}",
        "{\"procedure\":\"T-1\",\"case\":\"1\",\"subject\":\"CC 1\",\"basis\":{\"law\":\"1\"},"
        "\"selectors\":{\"subject.number\":\"777\"}}",
        "{\"procedure\":\"T-1\",\"subject\":\"CC 777\",\"subject\":\"CC 777\"}",
        "{\"procedure\":\"T-1\",\"subject\":\"CC 777\",\"case\":\"1\"}",
        "{\"procedure\":\"T-1\",\"case\":\"1\",\"basis\":{\"law\":\"1\"}}",
        "{\"subject\":\"CC 777\",\"case\":\"1\",\"basis\":{\"law\":\"1\"}}",
    };
    struct once_only_ask ask;
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        MUST_FAIL(BAD_QUESTION, read(bad[i], ASK_COLLECT, &ask));
        CU_ASSERT_PTR_NULL(strstr(fault_detail(), "777"));
    }
}

static void test_a_permit_needs_a_requirement(void)
{
    struct once_only_ask ask;
    MUST_FAIL(BAD_QUESTION, read("{\"procedure\":\"T-1\"}", ASK_PERMIT, &ask));
    MUST(read("{\"procedure\":\"T-1\",\"requirement\":\"R-1\",\"reason\":\"STALE\"}", ASK_PERMIT,
              &ask));
    CU_ASSERT_STRING_EQUAL(ask.reason, "STALE");
}

static void test_a_query_is_read_and_the_rest_are_selectors(void)
{
    struct once_only_ask ask;
    MUST(once_only_ask_read_query(
        span_of_text("procedure=T-1&&territory=05001&a%C3%B1o=20%2620&subject=person"), &ask));
    CU_ASSERT_STRING_EQUAL(ask.procedure, "T-1");
    CU_ASSERT_STRING_EQUAL(ask.subject_kind, "person");
    CU_ASSERT_EQUAL(ask.known, 1);
    CU_ASSERT_STRING_EQUAL(ask.selector[0].name, "año");
    CU_ASSERT_STRING_EQUAL(ask.selector[0].value, "20&20");
    MUST_FAIL(BAD_QUESTION, once_only_ask_read_query(span_of_text(""), &ask));
    MUST_FAIL(BAD_QUESTION, once_only_ask_read_query(span_of_text("procedure"), &ask));
    MUST_FAIL(BAD_QUESTION, once_only_ask_read_query(span_of_text("procedure=%0"), &ask));
    MUST_FAIL(BAD_QUESTION,
              once_only_ask_read_query(span_of_text("procedure=T-1&subject%2Enumber=1"), &ask));
    MUST_FAIL(BAD_QUESTION, once_only_ask_read_query(span_of_text("procedure=%0A"), &ask));
}

SUITE(once_only_ask, TEST(test_a_collection_is_read_whole),
      TEST(test_what_is_wrong_is_named_and_the_subject_never),
      TEST(test_a_permit_needs_a_requirement),
      TEST(test_a_query_is_read_and_the_rest_are_selectors))
