// SPDX-License-Identifier: MIT
#include "gateway/request_hash.h"

#include "gateway/rest_headers.h"
#include "lib/base/text.h"
#include "tests/unit/unit.h"

/* The vector of the reference, B.5. */
static void head_hash(uint8_t out[REQUEST_HASH_BYTES])
{
    struct rest_fields header = {.count = 0};
    rest_headers_add(&header, "Content-Type", span_of_text("application/json"));
    rest_headers_add(&header, "X-Road-Client", span_of_text("DEV/COM/4321/TestClient"));
    rest_headers_add(&header, "X-Road-Id", span_of_text("ID-1"));
    rest_headers_add(&header, "x-road-request-id",
                     span_of_text("5e0bd1f0-0000-4000-8000-000000000001"));
    request_hash_head(span_of_text("POST"), span_of_text("/r1/DEV/COM/1234/TestService/mock1?a=1"),
                      &header, out);
}

static void expect(const char *body, const char *base64)
{
    uint8_t hash[REQUEST_HASH_BYTES];
    char text[REQUEST_HASH_TEXT_ROOM];
    head_hash(hash);
    request_hash_whole(hash, span_of_text(body), hash);
    text_base64(span_of(hash, sizeof hash), text, sizeof text);
    CU_ASSERT_STRING_EQUAL(text, base64);
}

static void test_without_a_body_it_is_the_hash_of_the_head(void)
{
    expect("", "+WcCCaCROoSBFUk4CWGwYAJe7Pv+NIIU4+jmPUTCSjdSxjmzKH2I4LJel6uhxUhx0H/"
               "rttbdmbfvZTPcu6hRPg==");
}

static void test_with_a_body_it_is_the_hash_of_both_hashes(void)
{
    expect("{\"data\": 1.0, \"service\": \"random\"}",
           "7vlAJsi+jUtdwxELEcZ3dDxc0yzcUeqebZ5UsQ+1PKr3nN86U/"
           "RZ4cwgVFd7XHG2CSOTU7+EqtiS1vsRYS3twA==");
}

SUITE(request_hash, TEST(test_without_a_body_it_is_the_hash_of_the_head),
      TEST(test_with_a_body_it_is_the_hash_of_both_hashes))
