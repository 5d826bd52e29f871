// SPDX-License-Identifier: MIT
#include "gateway/call_endpoint.h"

#include "tests/unit/unit.h"

static const struct front_endpoint rules[] = {{"GET", "/resumen"}, {"*", "/salud/**"}};

static fault check(size_t endpoints, const char *named, const char *method, const char *path)
{
    struct front_call call = {.endpoints = endpoints, .endpoint = rules, .endpoint_id = named};
    struct rest_fields none = {0};
    return call_endpoint_check(&call, span_of_text(method), span_of_text(path), &none);
}

static void test_a_request_is_of_the_endpoint_that_is_named(void)
{
    MUST(check(1, "resumen", "GET", "/resumen"));
    MUST(check(2, "salud", "POST", "/salud/1"));
    MUST(check(2, "", "GET", "/otros"));
    MUST(check(0, "", "GET", "/x//y")); /* a service without endpoints is none of its business */
}

/* Laravel, Rails and their kin take a method from the query. */
static void test_no_query_names_another_method(void)
{
    static const struct {
        const char *query;
        bool names;
    } queries[] = {{"_method=DELETE", true},
                   {"a=1&_method=PUT", true},
                   {"%5fmethod=PUT", true},
                   {"_METHOD=delete&a=1", true},
                   {"_method", true},
                   {".method=DELETE", true},
                   {"+%20_method=DELETE", true},
                   {"%5bmethod=DELETE", true},
                   {"_method%00x=DELETE", true},
                   {"a=1;_method=DELETE", true},
                   {"%20", false},
                   {"_metho%", false},
                   {"x.method=1", false},
                   {"method=x", false},
                   {"", false},
                   {"a=_method", false},
                   {"_methods=1", false}};
    struct front_call call = {.endpoints = 2, .endpoint = rules, .endpoint_id = ""};
    for (size_t i = 0; i < sizeof queries / sizeof queries[0]; i++) {
        struct span query = span_of_text(queries[i].query);
        call.endpoints = 2;
        CU_ASSERT_EQUAL(call_endpoint_check_query(&call, query).code,
                        queries[i].names ? BAD_REQUEST : OK);
        call.endpoints = 0;
        MUST(call_endpoint_check_query(&call, query));
    }
}

static void test_a_lie_about_the_endpoint_is_found(void)
{
    MUST_FAIL(WRONG_ENDPOINT, check(1, "resumen", "GET", "/salud/1"));
    MUST_FAIL(WRONG_ENDPOINT, check(2, "salud", "GET", "/resumen")); /* an earlier one fits */
    MUST_FAIL(WRONG_ENDPOINT, check(2, "", "GET", "/salud/1"));
    MUST_FAIL(WRONG_ENDPOINT, check(1, "resumen", "POST", "/resumen"));
    MUST_FAIL(BAD_REQUEST, check(2, "", "GET", "/salud%2F1"));
    CU_ASSERT_PTR_NULL(strstr(fault_detail(), "salud%2F1"));
}

/* Rails, Symfony and their kin do what such a field says, and not what was matched. */
static void test_no_field_names_another_method_or_path(void)
{
    static const char *const names[] = {
        "X-HTTP-Method-Override", "x_http_method_override", "X-HTTP-Method",  "X-Method-Override",
        "X-Original-URL",         "x-rewrite-url",          "X-Original-URI", "X-Forwarded-Method",
        "X-Forwarded-Prefix",     "X-Override-URL"};
    struct front_call call = {.endpoints = 2, .endpoint = rules, .endpoint_id = ""};
    struct span method = span_of_text("GET"), path = span_of_text("/otros");
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        struct rest_fields fields = {.count = 1,
                                     .field = {{span_of_text(names[i]), span_of_text("/salud/1")}}};
        call.endpoints = 2;
        MUST_FAIL(BAD_REQUEST, call_endpoint_check(&call, method, path, &fields));
        call.endpoints = 0;
        MUST(call_endpoint_check(&call, method, path, &fields));
    }
}

SUITE(call_endpoint, TEST(test_no_query_names_another_method),
      TEST(test_no_field_names_another_method_or_path),
      TEST(test_a_request_is_of_the_endpoint_that_is_named),
      TEST(test_a_lie_about_the_endpoint_is_found))
