// SPDX-License-Identifier: MIT
#include "gateway/call_endpoint.h"

#include "tests/unit/unit.h"

static const struct front_endpoint rules[] = {{"GET", "/resumen"}, {"*", "/salud/**"}};

static fault check(size_t endpoints, const char *named, const char *method, const char *path)
{
    struct front_call call = {.endpoints = endpoints, .endpoint = rules, .endpoint_id = named};
    return call_endpoint_check(&call, span_of_text(method), span_of_text(path));
}

static void test_a_request_is_of_the_endpoint_that_is_named(void)
{
    MUST(check(1, "resumen", "GET", "/resumen"));
    MUST(check(2, "salud", "POST", "/salud/1"));
    MUST(check(2, "", "GET", "/otros"));
    MUST(check(0, "", "GET", "/x//y")); /* a service without endpoints is none of its business */
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

SUITE(call_endpoint, TEST(test_a_request_is_of_the_endpoint_that_is_named),
      TEST(test_a_lie_about_the_endpoint_is_found))
