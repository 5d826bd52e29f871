// SPDX-License-Identifier: MIT
#include "gateway/subject_question.h"

#include "lib/base/text.h"
#include "tests/unit/unit.h"

#define HEX "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff"
#define TOKEN "2026-" HEX

static fault ask(const char *method, const char *target, size_t body, struct subject_question *out,
                 bool *ours)
{
    struct http_head head = {
        .method = span_of_text(method), .has_length = body > 0, .length = body, .fields = 1};
    head.field[0] = (struct http_field){span_of_text("X-Road-Client"), span_of_text("CO/GOV/1/P")};
    return subject_question_read(&head, span_of_text(target), 60000, out, ours);
}

static void test_tokens_name_their_years(void)
{
    struct subject_question question;
    bool ours = false;
    MUST(ask("GET", "/subjects/" TOKEN ",2025-" HEX "/accesses?from=2025-12-30&until=2026-01-02", 0,
             &question, &ours));
    CU_ASSERT(ours);
    CU_ASSERT_EQUAL(question.tokens, 2);
    CU_ASSERT_EQUAL(question.token[0].year, 2026);
    CU_ASSERT_EQUAL(question.token[1].year, 2025);
    CU_ASSERT_EQUAL(question.token[0].pseudonym[1], 0x11);
    CU_ASSERT_EQUAL(question.from_ms, INT64_C(1767052800000));
    CU_ASSERT_EQUAL(question.until_ms, INT64_C(1767398400000)); /* the end of that day */
    CU_ASSERT_STRING_EQUAL(question.client, "CO/GOV/1/P");
    CU_ASSERT_STRING_EQUAL(question.person, "");
}

static void test_what_is_no_question_is_refused(void)
{
    static const struct {
        const char *method, *target;
        size_t body;
        enum fault_code expected;
    } cases[] = {
        {"GET", "/subjects/CC%201020304050/accesses", 0, SUBJECT_BAD},
        {"GET", "/subjects/2026-" HEX "00/accesses", 0, SUBJECT_BAD},
        {"GET", "/subjects/1999-" HEX "/accesses", 0, SUBJECT_BAD},
        {"GET", "/subjects/" TOKEN "," TOKEN "," TOKEN "," TOKEN "," TOKEN "/accesses", 0,
         SUBJECT_BAD},
        {"GET", "/subjects/" TOKEN "/accesses?until=ayer", 0, BAD_QUESTION},
        {"GET", "/subjects/" TOKEN "/accesses?number=1020304050", 0, BAD_QUESTION},
        {"POST", "/subjects/" TOKEN "/accesses", 10, BAD_METHOD},
        {"GET", "/subjects/accesses", 0, BAD_METHOD},
        {"POST", "/subjects/accesses", 0, BAD_REQUEST},
        {"POST", "/subjects/accesses", SUBJECT_BODY_BYTES_MAX + 1, BAD_REQUEST},
    };
    struct subject_question question;
    bool ours = false;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        MUST_FAIL(cases[i].expected,
                  ask(cases[i].method, cases[i].target, cases[i].body, &question, &ours));
        CU_ASSERT(ours);
        CU_ASSERT_PTR_NULL(strstr(fault_detail(), "1020304050"));
    }
}

static void test_other_paths_are_somebody_elses(void)
{
    static const char *const targets[] = {"/subjects",    "/subjects/",          "/subjects/x",
                                          "/listClients", "/subjects/xaccesses", ""};
    struct subject_question question;
    bool ours = true;
    for (size_t i = 0; i < sizeof targets / sizeof targets[0]; i++) {
        MUST(ask("GET", targets[i], 0, &question, &ours));
        CU_ASSERT_FALSE(ours);
    }
}

static void test_a_body_names_one_person(void)
{
    static const char *const bad[] = {
        "",
        "{}",
        "[]",
        "{\"person\": 5}",
        "{\"person\": \"998877\"}",
        "{\"person\": \"CC 1\", \"years\": [1]}",
        "{\"person\": \"CC 1\", \"year\": [2025]}",
        "{\"person\": \"CC 1\", \"years\": [2026,2025,2024,2023,2022]}",
        "{\"person\": \"CC 1\", \"person\": \"CC 2\"}"};
    struct subject_question question = {.tokens = 0};
    MUST(subject_question_body(span_of_text("{\"person\": \"cc 1.020.304.050\"}"), &question));
    CU_ASSERT_STRING_EQUAL(question.person, "CC 1020304050");
    CU_ASSERT_EQUAL(question.tokens, 1);
    CU_ASSERT_EQUAL(question.token[0].year, 0);
    question = (struct subject_question){.tokens = 0};
    MUST(subject_question_body(span_of_text("{\"person\": \"CC 1\", \"years\": [2025, 2026]}"),
                               &question));
    CU_ASSERT_EQUAL(question.tokens, 2);
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        question = (struct subject_question){.tokens = 0};
        MUST_FAIL(SUBJECT_BAD, subject_question_body(span_of_text(bad[i]), &question));
        CU_ASSERT_PTR_NULL(strstr(fault_detail(), "998877"));
    }
}

static fault subject_of(const char *person, const char *seal, struct rest_subject *out)
{
    struct http_head head = {.fields = 0};
    if (person != NULL)
        head.field[head.fields++] =
            (struct http_field){span_of_text("chaski-subject"), span_of_text(person)};
    if (seal != NULL)
        head.field[head.fields++] =
            (struct http_field){span_of_text("Chaski-Seal"), span_of_text(seal)};
    struct rest_fields travel;
    rest_headers_of_request(&head, &travel);
    CU_ASSERT_EQUAL(travel.count, 0); /* none of them goes further */
    return rest_headers_read_subject(&head, out);
}

static void test_whom_a_request_is_about_is_read_and_does_not_travel(void)
{
    struct rest_subject subject;
    MUST(subject_of("cc 1.020.304.050", "S-1 2027-06-30", &subject));
    CU_ASSERT_STRING_EQUAL(subject.person, "CC 1020304050");
    CU_ASSERT_STRING_EQUAL(subject.sealing, "S-1");
    CU_ASSERT_EQUAL(subject.sealed_until_ms, INT64_C(1814400000000));
    MUST(subject_of(NULL, NULL, &subject));
    CU_ASSERT_STRING_EQUAL(subject.person, "");
    MUST_FAIL(SUBJECT_BAD, subject_of(NULL, "S-1 2027-06-30", &subject));
    MUST_FAIL(SUBJECT_BAD, subject_of("CC 1", "S-1", &subject));
    MUST_FAIL(SUBJECT_BAD, subject_of("CC 1", "S-1 2027-13-30", &subject));
    MUST_FAIL(SUBJECT_BAD, subject_of("1020304050", NULL, &subject));
    CU_ASSERT_PTR_NULL(strstr(fault_detail(), "10203"));
}

SUITE(subject_question, TEST(test_tokens_name_their_years),
      TEST(test_what_is_no_question_is_refused), TEST(test_other_paths_are_somebody_elses),
      TEST(test_a_body_names_one_person),
      TEST(test_whom_a_request_is_about_is_read_and_does_not_travel))
