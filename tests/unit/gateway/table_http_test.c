// SPDX-License-Identifier: MIT
#include "gateway/table_http.h"

#include "gateway/rest_headers.h"
#include "tests/unit/unit.h"

#include <jansson.h>

static const char text[] = "cod,departamento,nombre\n"
                           "05001,ANTIOQUIA,MEDELLÍN\n"
                           "05002,ANTIOQUIA,ABEJORRAL\n"
                           "11001,\"BOGOTÁ, D.C.\",\"dice \"\"sí\"\"\"\n"
                           "52001,NARIÑO,PASTO\n";

static struct table *table;
static struct table_answer answer;
static struct rest_fields header;

static size_t body_bytes_max = 100000;

static fault try_ask(const char *method, const char *path, const char *query)
{
    struct table_question question = {.method = span_of_text(method),
                                      .path = span_of_text(path),
                                      .query = span_of_text(query),
                                      .header = &header,
                                      .service = "CO/GOV/1/S/x",
                                      .title = "Títulos",
                                      .body_bytes_max = body_bytes_max};
    table_answer_clear(&answer);
    if (table == NULL) {
        OWNED(bytes) file = NULL;
        MUST(bytes_copy(span_of_text(text), &file));
        MUST(table_parse(&file, "cod", &table));
    }
    return table_http_serve(table, &question, &answer);
}

static void ask(const char *method, const char *path, const char *query)
{
    MUST(try_ask(method, path, query));
}

static void with(const char *name, const char *value)
{
    header.count = 0;
    if (name != NULL)
        rest_headers_add(&header, name, span_of_text(value));
}

static json_t *body_json(void)
{
    return json_loadb((const char *)answer.body->data, answer.body->size, JSON_REJECT_DUPLICATES,
                      NULL);
}

static bool field_is(const char *name, const char *value)
{
    return span_is_text(rest_headers_last(&answer.header, name), value);
}

static void expect_list(const char *query, int total, int items)
{
    ask("GET", "/", query);
    CU_ASSERT_EQUAL(answer.status, 200);
    json_t *root = body_json();
    CU_ASSERT_PTR_NOT_NULL_FATAL(root);
    CU_ASSERT_EQUAL(json_integer_value(json_object_get(root, "total")), total);
    CU_ASSERT_EQUAL(json_array_size(json_object_get(root, "items")), (size_t)items);
    json_decref(root);
}

static void test_rows_are_listed_by_page(void)
{
    with(NULL, NULL);
    expect_list("", 4, 4);
    expect_list("limit=3", 4, 3);
    expect_list("limit=3&offset=3", 4, 1);
    expect_list("offset=9", 4, 0);
    CU_ASSERT(field_is("Chaski-Total", "4"));
    CU_ASSERT(field_is("Content-Type", "application/json"));
    ask("GET", "", "");
    CU_ASSERT_EQUAL(answer.status, 200);
}

static void test_filters_are_decoded_and_anded(void)
{
    with(NULL, NULL);
    expect_list("departamento=Antioquia", 2, 2);
    expect_list("departamento=antioquia&nombre=ABEJORRAL", 1, 1);
    expect_list("departamento=BOGOT%C3%81,+D.C.", 1, 1);
    expect_list("departamento=NARI%C3%91O&", 1, 1);
    expect_list("cod=5001", 0, 0);
}

static void test_an_unknown_column_is_answered_with_those_there_are(void)
{
    with(NULL, NULL);
    ask("GET", "/", "municipio=x");
    CU_ASSERT_EQUAL(answer.status, 400);
    json_t *root = body_json();
    json_t *columns = json_object_get(root, "columns");
    CU_ASSERT_EQUAL(json_array_size(columns), 3);
    CU_ASSERT_STRING_EQUAL(json_string_value(json_array_get(columns, 1)), "departamento");
    json_decref(root);
}

static void test_bad_pages_and_escapes_are_refused(void)
{
    static const char *const bad[] = {"limit=0",   "limit=1001", "limit=x",
                                      "offset=-1", "cod=%zz",    "cod=%ff"};
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        ask("GET", "/", bad[i]);
        CU_ASSERT_EQUAL(answer.status, 400);
    }
}

static void test_a_row_is_found_by_its_key(void)
{
    with(NULL, NULL);
    ask("GET", "/05001", "");
    CU_ASSERT_EQUAL(answer.status, 200);
    json_t *root = body_json();
    CU_ASSERT_STRING_EQUAL(json_string_value(json_object_get(root, "cod")), "05001");
    CU_ASSERT_STRING_EQUAL(json_string_value(json_object_get(root, "nombre")), "MEDELLÍN");
    json_decref(root);
    ask("GET", "/5001", "");
    CU_ASSERT_EQUAL(answer.status, 404);
    ask("GET", "/05001/x", "");
    CU_ASSERT_EQUAL(answer.status, 404);
}

static void test_csv_is_quoted_right(void)
{
    with("Accept", "text/csv");
    ask("GET", "/", "cod=11001");
    CU_ASSERT(span_is_text(bytes_span(answer.body),
                           "cod,departamento,nombre\r\n11001,\"BOGOTÁ, D.C.\",\"dice "
                           "\"\"sí\"\"\"\r\n"));
    CU_ASSERT(field_is("Chaski-Total", "1"));
    CU_ASSERT(field_is("Content-Type", "text/csv; charset=utf-8"));
    with("Accept", "application/json, text/csv");
    ask("GET", "/", "");
    CU_ASSERT(field_is("Content-Type", "application/json"));
}

static bool csv_for(const char *accept)
{
    with("Accept", accept);
    ask("GET", "/", "");
    return field_is("Content-Type", "text/csv; charset=utf-8");
}

static void test_csv_is_given_to_who_prefers_it(void)
{
    CU_ASSERT(csv_for("text/csv"));
    CU_ASSERT(csv_for("TEXT/CSV;charset=utf-8"));
    CU_ASSERT(csv_for("text/csv, application/json"));
    CU_ASSERT(csv_for("text/csv;q=0.5,*/*;q=0.1"));
    CU_ASSERT(csv_for("application/json;q=0.2, text/csv;q=0.25"));
    CU_ASSERT(csv_for("text/*, application/json;q=0.9"));
    CU_ASSERT(csv_for("application/json;q=0, text/csv;q=0.001"));
    CU_ASSERT(!csv_for("text/csv;q=0.1, application/json"));
    CU_ASSERT(!csv_for("text/csv; q=0.1, */*"));
    CU_ASSERT(!csv_for("text/csv;q=0"));
    CU_ASSERT(!csv_for("text/csv;q=7"));
    CU_ASSERT(!csv_for("*/*"));
    CU_ASSERT(!csv_for("application/json, text/csv"));
    CU_ASSERT(!csv_for("text/html, image/*"));
    CU_ASSERT(!csv_for(",;q=,;;,"));
    CU_ASSERT(!csv_for(""));
}

static void test_a_page_has_a_bound_in_bytes(void)
{
    with(NULL, NULL);
    body_bytes_max = 150;
    MUST_FAIL(SERVICE_TOO_LARGE, try_ask("GET", "/", ""));
    CU_ASSERT_PTR_NOT_NULL(strstr(fault_detail(), "limit="));
    MUST(try_ask("GET", "/", "limit=1"));
    MUST(try_ask("GET", "/05001", ""));
    MUST_FAIL(SERVICE_TOO_LARGE, try_ask("GET", "/openapi.json", ""));
    with("Accept", "text/csv");
    body_bytes_max = 60;
    MUST_FAIL(SERVICE_TOO_LARGE, try_ask("GET", "/", ""));
    body_bytes_max = 20;
    MUST_FAIL(SERVICE_TOO_LARGE, try_ask("GET", "/05001", ""));
    body_bytes_max = 100000;
}

static void test_head_has_no_body_and_others_are_not_allowed(void)
{
    with(NULL, NULL);
    ask("HEAD", "/05001", "");
    CU_ASSERT_EQUAL(answer.status, 200);
    CU_ASSERT_PTR_NULL(answer.body);
    ask("POST", "/", "");
    CU_ASSERT_EQUAL(answer.status, 405);
    CU_ASSERT(field_is("Allow", "GET, HEAD"));
}

static void test_what_the_caller_has_is_not_sent_again(void)
{
    char etag[64] = "";
    with(NULL, NULL);
    ask("GET", "/05001", "");
    struct span value = rest_headers_last(&answer.header, "ETag");
    memcpy(etag, value.at, value.size);
    with("If-None-Match", etag);
    ask("GET", "/05001", "");
    CU_ASSERT_EQUAL(answer.status, 304);
    CU_ASSERT_PTR_NULL(answer.body);
    with("If-None-Match", "\"other\"");
    ask("GET", "/05001", "");
    CU_ASSERT_EQUAL(answer.status, 200);
}

static void test_the_description_is_openapi_3(void)
{
    with(NULL, NULL);
    ask("GET", "/openapi.json", "");
    CU_ASSERT_EQUAL(answer.status, 200);
    json_t *root = body_json();
    CU_ASSERT_PTR_NOT_NULL_FATAL(root);
    CU_ASSERT_STRING_EQUAL(json_string_value(json_object_get(root, "openapi")), "3.0.3");
    json_t *info = json_object_get(root, "info"), *paths = json_object_get(root, "paths");
    CU_ASSERT_STRING_EQUAL(json_string_value(json_object_get(info, "title")), "Títulos");
    CU_ASSERT_PTR_NOT_NULL(json_object_get(paths, "/"));
    CU_ASSERT_PTR_NOT_NULL(json_object_get(paths, "/{cod}"));
    json_decref(root);
    table_answer_clear(&answer);
    table_free(&table);
}

static void test_too_many_filters_are_refused_by_their_rule(void)
{
    char query[65 * sizeof "cod=05&"] = "";
    for (size_t i = 0; i < 64; i++)
        strcat(query, "cod=05&");
    with(NULL, NULL);
    ask("GET", "/", query);
    CU_ASSERT_EQUAL(answer.status, 200);
    strcat(query, "cod=05");
    ask("GET", "/", query);
    CU_ASSERT_EQUAL(answer.status, 400);
    json_t *root = body_json();
    CU_ASSERT_STRING_EQUAL(json_string_value(json_object_get(root, "error")), "too_many_filters");
    CU_ASSERT_STRING_EQUAL(json_string_value(json_object_get(root, "rule")), "table/64-filters");
    json_decref(root);
    table_answer_clear(&answer);
    table_free(&table);
}

SUITE(table_http, TEST(test_too_many_filters_are_refused_by_their_rule),
      TEST(test_rows_are_listed_by_page), TEST(test_filters_are_decoded_and_anded),
      TEST(test_an_unknown_column_is_answered_with_those_there_are),
      TEST(test_bad_pages_and_escapes_are_refused), TEST(test_a_row_is_found_by_its_key),
      TEST(test_csv_is_quoted_right), TEST(test_csv_is_given_to_who_prefers_it),
      TEST(test_a_page_has_a_bound_in_bytes),
      TEST(test_head_has_no_body_and_others_are_not_allowed),
      TEST(test_what_the_caller_has_is_not_sent_again), TEST(test_the_description_is_openapi_3))
