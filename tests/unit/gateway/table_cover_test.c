// SPDX-License-Identifier: MIT
/* What a caller does not see is nowhere in the answer, and cannot be found out by asking. */
#include "gateway/table_http.h"

#include "gateway/rest_headers.h"
#include "tests/unit/unit.h"

#include <stdio.h>

static const char file[] = "cod,nombre,salud,año\n"
                           "1,Ana,SECRETO,1990\n"
                           "2,Blas,SECRETO,1991\n";

static const struct front_withheld salud = {"salud", "restricted/no-grant R-1"};
static const char *const shown[] = {"cod", "nombre"};

static struct table_answer answer;

static void ask_covered(const struct front_call *call, const char *path, const char *query,
                        const char *accept)
{
    OWNED(table) table = NULL;
    OWNED(bytes) copy = NULL;
    struct table_cover cover;
    struct rest_fields header = {0};
    rest_headers_add(&header, "Accept", span_of_text(accept));
    MUST(bytes_copy(span_of_text(file), &copy));
    MUST(table_parse(&copy, "cod", &table));
    table_cover_make(table, call, &cover);
    struct table_question question = {.method = span_of_text("GET"),
                                      .path = span_of_text(path),
                                      .query = span_of_text(query),
                                      .header = &header,
                                      .service = "CO/GOV/1/S/x",
                                      .title = "",
                                      .cover = &cover,
                                      .body_bytes_max = 100000};
    table_answer_clear(&answer);
    MUST(table_http_serve(table, &question, &answer));
}

static void ask(const char *path, const char *query, const char *accept)
{
    struct front_call call = {
        .withheld = 1, .withheld_column = &salud, .given = 2, .given_column = shown};
    ask_covered(&call, path, query, accept);
}

static bool says(const char *word)
{
    return answer.body != NULL &&
           memmem(answer.body->data, answer.body->size, word, strlen(word)) != NULL;
}

static void test_withheld_columns_are_in_no_answer(void)
{
    static const char *const paths[] = {"/", "/1", "/openapi.json"};
    static const char *const forms[] = {"application/json", "text/csv"};
    for (size_t i = 0; i < 6; i++) {
        ask(paths[i / 2], "", forms[i % 2]);
        CU_ASSERT_EQUAL(answer.status, 200);
        CU_ASSERT(!says("SECRETO"));
        CU_ASSERT(!says("199")); /* the column of which nobody said anything */
        CU_ASSERT(says(i / 2 == 2 ? "nombre" : "Ana"));
        CU_ASSERT_EQUAL(rest_headers_last(&answer.header, "ETag").size, 0);
    }
    ask("/", "", "text/csv");
    CU_ASSERT(says("cod,nombre\r\n1,Ana\r\n"));
}

static void test_the_answer_says_which_and_by_which_rule(void)
{
    ask("/", "", "application/json");
    CU_ASSERT(
        span_is_text(rest_headers_last(&answer.header, "Chaski-Withheld"),
                     "salud;rule=\"restricted/no-grant R-1\", a%C3%B1o;rule=\"column/unlisted\""));
    CU_ASSERT(says("\"withheld\":[{\"column\":\"salud\",\"rule\":\"restricted/no-grant R-1\"},"
                   "{\"column\":\"año\",\"rule\":\"column/unlisted\"}]}"));
    ask("/1", "", "application/json"); /* a row is a row, for clients that know its columns */
    CU_ASSERT(!says("withheld"));
    CU_ASSERT(rest_headers_last(&answer.header, "Chaski-Withheld").size > 0);
}

static void test_no_row_is_found_by_what_is_withheld(void)
{
    ask("/", "salud=SECRETO", "application/json");
    CU_ASSERT_EQUAL(answer.status, 403);
    CU_ASSERT(says("restricted/no-grant R-1"));
    CU_ASSERT(!says("SECRETO"));
    ask("/", "nombre=ana&salud=x", "application/json");
    CU_ASSERT_EQUAL(answer.status, 403);
    ask("/", "nada=x", "application/json");
    CU_ASSERT_EQUAL(answer.status, 400);
    CU_ASSERT(!says("salud"));
    const struct front_withheld key = {"cod", "shared/no-purpose"};
    struct front_call call = {
        .withheld = 1, .withheld_column = &key, .given = 1, .given_column = &shown[1]};
    ask_covered(&call, "/1", "", "application/json");
    CU_ASSERT_EQUAL(answer.status, 403);
    CU_ASSERT(!says("Ana"));
    ask_covered(&call, "/", "", "application/json");
    CU_ASSERT(says("{\"nombre\":\"Ana\"}"));
}

static void test_a_table_of_which_nothing_is_listed_is_given_whole(void)
{
    struct front_call call = {0};
    ask_covered(&call, "/1", "", "application/json");
    CU_ASSERT(says("\"salud\":\"SECRETO\""));
    CU_ASSERT(rest_headers_last(&answer.header, "ETag").size > 0);
    CU_ASSERT_EQUAL(rest_headers_last(&answer.header, "Chaski-Withheld").size, 0);
    table_answer_clear(&answer);
}

static void test_the_field_has_a_bound_and_says_how_many_more(void)
{
    OWNED(bytes) text = bytes_empty(30000);
    OWNED(bytes) field = bytes_empty(100);
    OWNED(table) table = NULL;
    struct table_cover cover;
    struct front_call call = {.given = 1, .given_column = shown};
    char name[32];
    for (int i = 0; i < 250; i++) {
        snprintf(name, sizeof name, "%scolumna-numero-%d", i == 0 ? "" : ",", i);
        MUST(bytes_append(text, span_of_text(name)));
    }
    MUST(bytes_append(text, span_of_text("\n")));
    MUST(table_parse(&text, "", &table));
    table_cover_make(table, &call, &cover);
    CU_ASSERT_EQUAL(cover.hidden, 250);
    table_cover_write_field(table, &cover, field);
    CU_ASSERT(field->size < TABLE_COVER_FIELD_BYTES_MAX + 1000);
    CU_ASSERT_PTR_NOT_NULL(memmem(field->data, field->size, ", more=1", 8));
}

SUITE(table_cover, TEST(test_withheld_columns_are_in_no_answer),
      TEST(test_the_answer_says_which_and_by_which_rule),
      TEST(test_no_row_is_found_by_what_is_withheld),
      TEST(test_a_table_of_which_nothing_is_listed_is_given_whole),
      TEST(test_the_field_has_a_bound_and_says_how_many_more))
