// SPDX-License-Identifier: MIT
#include "gateway/openapi.h"

#include "tests/unit/unit.h"

#include <stdio.h>
#include <stdlib.h>

/* What becomes of a document, and its operations with a blank behind each. */
static void expect(const char *document, const char *masked, const char *operations)
{
    OWNED(openapi) read = NULL;
    OWNED(bytes) out = bytes_empty(100);
    char found[500] = "";
    MUST(openapi_read(span_of_text(document), &read));
    CU_ASSERT_PTR_NOT_NULL_FATAL(read);
    MUST(openapi_write(read, span_of_text(document), out));
    bool same = span_is_text(bytes_span(out), masked);
    CU_ASSERT(same);
    if (!same)
        fprintf(stderr, "  became: %.*s\n", (int)out->size, (const char *)out->data);
    for (size_t i = 0; i < read->endpoints; i++)
        snprintf(found + strlen(found), sizeof found - strlen(found), "%s %s ",
                 read->endpoint[i].method, read->endpoint[i].path);
    CU_ASSERT_STRING_EQUAL(found, operations);
}

static void test_addresses_of_servers_lose_their_hosts(void)
{
    static const char *const urls[][2] = {{"http://h:80/a/b", "/a/b"},
                                          {"https://user@h/a?x#y", "/a"},
                                          {"http://h", "/"},
                                          {"http://h?x", "/"},
                                          {"//h/a", "/a"},
                                          {"//h", "/"},
                                          {"http://h//b/c", "/b/c"},
                                          {"////h/a", "/h/a"},
                                          {"http:\\\\h\\a", "/"},
                                          {"/a/b", "/a/b"},
                                          {"/a?x", "/a"},
                                          {"a/b", "a/b"},
                                          {"h:80/a", "/a"},
                                          {"mailto:x", "/"},
                                          {"", "/"}};
    for (size_t i = 0; i < sizeof urls / sizeof urls[0]; i++) {
        struct span path = openapi_path_of(span_of_text(urls[i][0]));
        CU_ASSERT(span_is_text(path, urls[i][1]));
        if (!span_is_text(path, urls[i][1]))
            fprintf(stderr, "  %s\n", urls[i][0]);
    }
}

static void test_json_text_around_addresses_stays(void)
{
    expect("{\"openapi\":\"3.0.0\", \"n\" : [1.50,{\"servers\":[{\"url\":\"http://h/x\"}]}],"
           "\"s\\u0065rvers\":[{\"description\":\"\\\"url\",\"url\":\"http:\\/\\/h\\/\\u00e1\"}],"
           "\"paths\":{\"/a/{b}/c{d}\":{\"get\":{\"servers\":[{\"url\":\"http://h/x\"}]},"
           "\"parameters\":[]},\"x\":{\"put\":{}}}}",
           "{\"openapi\":\"3.0.0\", \"n\" : [1.50,{\"servers\":[{\"url\":\"http://h/x\"}]}],"
           "\"s\\u0065rvers\":[{\"description\":\"\\\"url\",\"url\":\"/\xc3\xa1\"}],"
           "\"paths\":{\"/a/{b}/c{d}\":{\"get\":{\"servers\":[{\"url\":\"/x\"}]},"
           "\"parameters\":[]},\"x\":{\"put\":{}}}}",
           "GET /a/*/c* ");
}

static void test_yaml_text_around_addresses_stays(void)
{
    expect(
        "# \xc3\xb1 \xf0\x9f\x8c\x8d\r\nopenapi: 3.1.0\r\nservers:\r\n- url: http://h/x # "
        "\xc3\xb1\r\n"
        "- {url: \"http://h:1/\\u00e1\", d: \xc3\xb1}\r\npaths:\r\n  /a/{b}:\r\n    get: {}\r\n"
        "    servers: [{url: 'http://h/y'}]\r\n    patch:\r\n      servers:\r\n      - url: "
        "http://h\r\n",
        "# \xc3\xb1 \xf0\x9f\x8c\x8d\r\nopenapi: 3.1.0\r\nservers:\r\n- url: \"/x\" # \xc3\xb1\r\n"
        "- {url: \"/\xc3\xa1\", d: \xc3\xb1}\r\npaths:\r\n  /a/{b}:\r\n    get: {}\r\n"
        "    servers: [{url: \"/y\"}]\r\n    patch:\r\n      servers:\r\n      - url: \"/\"\r\n",
        "GET /a/* PATCH /a/* ");
    expect("\xef\xbb\xbfopenapi: 3.0.0\nservers: [{url: http://h/x}]\n",
           "\xef\xbb\xbfopenapi: 3.0.0\nservers: [{url: \"/x\"}]\n", "");
}

static void test_addresses_with_variables_are_left_alone(void)
{
    expect("openapi: 3.0.0\nservers: [{url: 'http://{h}/x'}]\n",
           "openapi: 3.0.0\nservers: [{url: 'http://{h}/x'}]\n", "");
}

static void test_an_empty_address_stays_empty(void)
{
    expect("openapi: 3.0.0\nservers:\n- url:\n  x: http://h\n- url: ''\n",
           "openapi: 3.0.0\nservers:\n- url:\n  x: http://h\n- url: ''\n", "");
}

static void test_components_have_addresses_and_no_operations(void)
{
    expect("{\"openapi\":\"3.1.0\",\"components\":{\"pathItems\":{\"/p\":{\"get\":{\"servers\":"
           "[{\"url\":\"http://h/p\"}]}}},\"paths\":{\"/q\":{\"get\":{}}}}}",
           "{\"openapi\":\"3.1.0\",\"components\":{\"pathItems\":{\"/p\":{\"get\":{\"servers\":"
           "[{\"url\":\"/p\"}]}}},\"paths\":{\"/q\":{\"get\":{}}}}}",
           "");
}

static void test_what_is_no_openapi_3_or_hides_addresses_is_refused(void)
{
    static const char *const bad[] = {
        "",
        "{}",
        "[]",
        "{",
        "x",
        "\xff",
        "openapi: 2.0",
        "swagger: '2.0'",
        "openapi: [3.0.0]",
        "{\"openapi\":\"4.0\"}",
        "{\"openapi\":\"3.0.0\",\"openapi\":\"3.0.0\"}",
        "{\"openapi\":\"3.0.0\"} x",
        "{\"openapi\":\"3.0.0\\u0000\"}",
        "openapi: 3.0.0\n---\nopenapi: 3.0.0\n",
        "openapi: 3.0.0\n\tx: y",
        "x-a: &a [{url: http://h}]\nopenapi: 3.0.0\nservers: *a\n",
        "x-a: &a {url: http://h}\nopenapi: 3.0.0\nservers: [*a]\n",
        "x-a: &a http://h\nopenapi: 3.0.0\nservers: [{url: *a}]\n",
        "x-a: &a {get: {}}\nopenapi: 3.0.0\npaths: {/x: *a}\n",
        "x-a: &a {url: http://h}\nopenapi: 3.0.0\nservers: [{<<: *a}]\n",
        "x-a: &a {get: {}}\nopenapi: 3.0.0\npaths: {/x: {<<: *a}}\n",
        "openapi: 3.0.0\nservers: [{url: &a http://h/x}]\nx-a: *a\n",
        "openapi: 3.0.0\nservers: [{url: !!str http://h/x}]\n",
        "openapi: 3.0.0\nservers:\n- url: |\n    http://h/x\n",
        "openapi: 3.0.0\n? {a: b}\n: c\n",
    };
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        OWNED(openapi) read = NULL;
        fault f = openapi_read(span_of_text(bad[i]), &read);
        CU_ASSERT_EQUAL(f.code, BAD_DESCRIPTION);
        if (f.code != BAD_DESCRIPTION)
            fprintf(stderr, "  taken: %s\n", bad[i]);
    }
}

static void test_aliases_elsewhere_are_nobodys_business(void)
{
    expect("openapi: 3.0.0\nx-a: &a {type: string}\npaths:\n  /x:\n    get:\n      x-b: *a\n",
           "openapi: 3.0.0\nx-a: &a {type: string}\npaths:\n  /x:\n    get:\n      x-b: *a\n",
           "GET /x ");
}

static void test_depth_and_size_are_bounded(void)
{
    OWNED(openapi) read = NULL;
    OWNED(bytes) deep = bytes_empty(100);
    MUST(bytes_append_text(deep, "openapi: 3.0.0\nx: "));
    for (unsigned i = 0; i < OPENAPI_DEPTH_MAX; i++)
        MUST(bytes_append_text(deep, "["));
    MUST_FAIL(BAD_DESCRIPTION, openapi_read(bytes_span(deep), &read));
    OWNED(bytes) json = bytes_empty(100);
    MUST(bytes_append_text(json, "{\"openapi\":\"3.0.0\",\"x\":"));
    for (unsigned i = 0; i < OPENAPI_DEPTH_MAX; i++)
        MUST(bytes_append_text(json, "["));
    for (unsigned i = 0; i < OPENAPI_DEPTH_MAX; i++)
        MUST(bytes_append_text(json, "]"));
    MUST(bytes_append_text(json, "}"));
    MUST_FAIL(BAD_DESCRIPTION, openapi_read(bytes_span(json), &read));
    OWNED(bytes) large = NULL;
    MUST(bytes_new(OPENAPI_BYTES_MAX + 1, &large));
    memset(large->data, ' ', large->size);
    MUST_FAIL(BAD_DESCRIPTION, openapi_read(bytes_span(large), &read));
}

SUITE(openapi, TEST(test_addresses_of_servers_lose_their_hosts),
      TEST(test_json_text_around_addresses_stays), TEST(test_yaml_text_around_addresses_stays),
      TEST(test_addresses_with_variables_are_left_alone), TEST(test_an_empty_address_stays_empty),
      TEST(test_components_have_addresses_and_no_operations),
      TEST(test_what_is_no_openapi_3_or_hides_addresses_is_refused),
      TEST(test_aliases_elsewhere_are_nobodys_business), TEST(test_depth_and_size_are_bounded))
