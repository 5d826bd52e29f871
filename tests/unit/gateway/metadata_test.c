// SPDX-License-Identifier: MIT
#include "gateway/metadata.h"

#include "lib/base/file.h"
#include "lib/base/text.h"
#include "tests/unit/unit.h"

#include <jansson.h>
#include <stdlib.h>

#define D "CO/GOV/1/D"

static struct services *services;
static struct gateway_config config;
static struct rest_target target;
static struct bytes *body;
static const struct service *fetch;
static const char *type;
static char *folder; /* one for all */

#define SETTINGS                                                                        \
    "service \"" D "/tabla\" { kind = table file = \"%s/t.csv\" key = \"k\" }\n"        \
    "service \"" D "/hoja\" { kind = table file = \"%s/t.csv\" }\n"                     \
    "service \"" D "/api\" { url = \"http://127.0.0.1:1/\" openapi = \"%s/a.yaml\" }\n" \
    "service \"" D                                                                      \
    "/lejos\" { url = \"http://127.0.0.1:1/\" openapi = \"http://127.0.0.1:2/o\" }\n"   \
    "service \"" D "/simple\" { url = \"http://127.0.0.1:1/\" }\n"

static void write_text_file(const char *name, const char *text)
{
    char path[400];
    if (folder == NULL)
        folder = owned_text(unit_folder());
    snprintf(path, sizeof path, "%s/%s", folder, name);
    MUST(file_replace(path, span_of_text(text), 0644));
}

static void begin(void)
{
    char text[3000], path[400];
    write_text_file("t.csv", "k,v\n1,2\n");
    write_text_file("a.yaml",
                    "openapi: 3.0.0\nservers: [{url: http://h/x}]\npaths:\n  /p/{q}: {get: {}}\n");
    snprintf(text, sizeof text, SETTINGS, folder, folder, folder);
    write_text_file("gateway.conf", text);
    snprintf(path, sizeof path, "%s/gateway.conf", folder);
    MUST(gateway_config_read(path, &config));
    MUST(services_new(&config, &services));
}

static void end(void)
{
    bytes_free(&body);
    services_free(&services);
    gateway_config_clear(&config);
}

static const struct front_parts *parts; /* or NULL: no service has any */

static fault ask(const char *method, const char *rest)
{
    static const char *const codes[] = {"api",    "con%20blanco", "hoja", "lejos",
                                        "simple", "sin",          "tabla"};
    static char text[300], service[300];
    struct descriptions *none = NULL;
    struct gateway gateway = {0};
    bytes_free(&body);
    text_format(text, sizeof text, "/r1/" D "/%s", rest);
    MUST(rest_target_parse(span_of_text(text), &target));
    bus_id_text(&target.service, ID_SERVICE, service, sizeof service);
    struct metadata_question question = {.service = service,
                                         .method = span_of_text(method),
                                         .target = &target,
                                         .codes = sizeof codes / sizeof codes[0],
                                         .code = codes,
                                         .parts = parts == NULL ? 0 : 1,
                                         .part = parts};
    none = descriptions_new(&gateway);
    fault f = metadata_answer(services, none, &question, &type, &body, &fetch);
    free(none); /* there is no loop to take it from */
    return f;
}

static json_t *body_json(void)
{
    return json_loadb((const char *)body->data, body->size, JSON_REJECT_DUPLICATES, NULL);
}

static void test_each_service_is_listed_as_what_it_is(void)
{
    static const char *const wanted[][3] = {
        {"api", "OPENAPI", "/p/*"}, {"con blanco", "REST", NULL}, {"hoja", "OPENAPI", "/"},
        {"lejos", "OPENAPI", NULL}, {"simple", "REST", NULL},     {"sin", "REST", NULL},
        {"tabla", "OPENAPI", "/"}};
    begin();
    MUST(ask("GET", "listMethods?any=thing"));
    json_t *root = body_json(), *list = json_object_get(root, "service");
    CU_ASSERT_EQUAL_FATAL(json_array_size(list), 7);
    for (size_t i = 0; i < 7; i++) {
        json_t *one = json_array_get(list, i), *endpoints = json_object_get(one, "endpoint_list");
        CU_ASSERT_STRING_EQUAL(json_string_value(json_object_get(one, "service_code")),
                               wanted[i][0]);
        CU_ASSERT_STRING_EQUAL(json_string_value(json_object_get(one, "service_type")),
                               wanted[i][1]);
        CU_ASSERT_EQUAL(json_array_size(endpoints) > 0, wanted[i][2] != NULL);
        if (wanted[i][2] != NULL)
            CU_ASSERT_STRING_EQUAL(
                json_string_value(json_object_get(json_array_get(endpoints, 0), "path")),
                wanted[i][2]);
    }
    CU_ASSERT_EQUAL(json_array_size(json_object_get(json_array_get(list, 6), "endpoint_list")), 2);
    CU_ASSERT_EQUAL(json_array_size(json_object_get(json_array_get(list, 2), "endpoint_list")), 1);
    json_decref(root);
    end();
}

static void test_a_description_is_given_or_fetched(void)
{
    begin();
    MUST(ask("GET", "getOpenAPI?serviceCode=api"));
    CU_ASSERT_STRING_EQUAL(type, "application/yaml");
    CU_ASSERT(
        span_is_text(bytes_span(body),
                     "openapi: 3.0.0\nservers: [{url: \"/x\"}]\npaths:\n  /p/{q}: {get: {}}\n"));
    MUST(ask("GET", "getOpenAPI?x=y&serviceCode=tabl%61"));
    CU_ASSERT_STRING_EQUAL(type, "application/json");
    json_t *root = body_json();
    CU_ASSERT_PTR_NOT_NULL(json_object_get(json_object_get(root, "paths"), "/{k}"));
    json_decref(root);
    CU_ASSERT_PTR_NULL(fetch);
    MUST(ask("GET", "getOpenAPI?serviceCode=lejos"));
    CU_ASSERT_PTR_NULL(body);
    CU_ASSERT_PTR_NOT_NULL_FATAL(fetch);
    CU_ASSERT_STRING_EQUAL(fetch->id, D "/lejos");
    end();
}

static void test_what_cannot_be_answered_is_refused(void)
{
    begin();
    MUST_FAIL(BAD_METHOD, ask("HEAD", "listMethods"));
    MUST_FAIL(BAD_METHOD, ask("POST", "getOpenAPI?serviceCode=api"));
    MUST_FAIL(BAD_REQUEST, ask("GET", "allowedMethods/"));
    MUST_FAIL(BAD_QUESTION, ask("GET", "getOpenAPI"));
    MUST_FAIL(BAD_QUESTION, ask("GET", "getOpenAPI?servicecode=api"));
    MUST_FAIL(BAD_QUESTION, ask("GET", "getOpenAPI?serviceCode="));
    MUST_FAIL(BAD_QUESTION, ask("GET", "getOpenAPI?serviceCode=%0a"));
    MUST_FAIL(BAD_QUESTION, ask("GET", "getOpenAPI?serviceCode=api&serviceCode=api"));
    MUST_FAIL(UNKNOWN_SERVICE, ask("GET", "getOpenAPI?serviceCode=nada"));
    MUST_FAIL(UNKNOWN_SERVICE, ask("GET", "getOpenAPI?serviceCode=D/api"));
    MUST_FAIL(NO_DESCRIPTION, ask("GET", "getOpenAPI?serviceCode=simple"));
    MUST_FAIL(SERVICE_NOT_SET, ask("GET", "getOpenAPI?serviceCode=con%20blanco"));
    end();
}

static void test_settings_with_a_bad_description_are_refused(void)
{
    static const char *const bad[][2] = {
        {"url = \"http://127.0.0.1:1/\" openapi = \"", "/none"},
        {"url = \"http://127.0.0.1:1/\" openapi = \"", "/t.csv"},
        {"url = \"http://127.0.0.1:1/\" openapi = \"https://127.0.0.1", ""},
        {"url = \"http://127.0.0.1:1/\" openapi = \"ftp://127.0.0.1", ""},
        {"kind = table file = \"x\" openapi = \"", "/a.yaml"}};
    begin();
    end();
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        char text[1000], path[400];
        snprintf(text, sizeof text, "service \"" D "/x\" { %s%s%s\" }", bad[i][0], folder,
                 bad[i][1]);
        write_text_file("bad.conf", text);
        snprintf(path, sizeof path, "%s/bad.conf", folder);
        MUST(gateway_config_read(path, &config));
        MUST_FAIL(BAD_CONFIG, services_new(&config, &services));
        gateway_config_clear(&config);
    }
}

static void test_a_table_is_described_without_what_the_caller_would_not_get(void)
{
    static const char *const given[] = {"k"};
    const struct front_parts only_k = {
        .place = 6, .lists_columns = true, .given = 1, .given_column = given};
    const struct front_parts nothing = {.place = 6, .lists_columns = true};
    begin();
    MUST(ask("GET", "getOpenAPI?serviceCode=tabla"));
    CU_ASSERT_PTR_NOT_NULL(memmem(body->data, body->size, "\"v\"", 3));
    parts = &only_k;
    MUST(ask("GET", "getOpenAPI?serviceCode=tabla"));
    CU_ASSERT_PTR_NOT_NULL(memmem(body->data, body->size, "\"k\"", 3));
    CU_ASSERT_PTR_NULL(memmem(body->data, body->size, "\"v\"", 3));
    MUST(ask("GET", "getOpenAPI?serviceCode=hoja")); /* another one's parts are not its own */
    CU_ASSERT_PTR_NOT_NULL(memmem(body->data, body->size, "\"v\"", 3));
    parts = &nothing;
    MUST(ask("GET", "getOpenAPI?serviceCode=tabla"));
    CU_ASSERT_PTR_NULL(memmem(body->data, body->size, "\"v\"", 3));
    parts = NULL;
    end();
}

/* How many operations of `api` are listed: it has GET of a path under /p. */
static size_t operations_with(const char *pattern, int allowed, bool rest)
{
    const struct front_endpoint endpoint = {"*", pattern};
    const struct front_parts told = {
        .endpoints = 1, .endpoint = &endpoint, .allowed = &allowed, .rest = rest};
    parts = &told;
    MUST(ask("GET", "allowedMethods"));
    parts = NULL;
    json_t *root = body_json();
    size_t count = json_array_size(
        json_object_get(json_array_get(json_object_get(root, "service"), 0), "endpoint_list"));
    json_decref(root);
    return count;
}

static void test_operations_that_the_caller_may_not_call_are_not_listed(void)
{
    begin();
    CU_ASSERT_EQUAL(operations_with("/p/*", true, false), 1);
    CU_ASSERT_EQUAL(operations_with("/p/**", true, false), 1);
    CU_ASSERT_EQUAL(operations_with("/p/*", false, true), 0);
    CU_ASSERT_EQUAL(operations_with("/otros/**", false, true), 1);
    CU_ASSERT_EQUAL(operations_with("/otros/**", true, false), 0);
    CU_ASSERT_EQUAL(operations_with("/P/*", true, true), 0); /* it could be read in two ways */
    end();
}

SUITE(metadata, TEST(test_a_table_is_described_without_what_the_caller_would_not_get),
      TEST(test_operations_that_the_caller_may_not_call_are_not_listed),
      TEST(test_each_service_is_listed_as_what_it_is), TEST(test_a_description_is_given_or_fetched),
      TEST(test_what_cannot_be_answered_is_refused),
      TEST(test_settings_with_a_bad_description_are_refused))
