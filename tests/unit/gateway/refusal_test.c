// SPDX-License-Identifier: MIT
#include "gateway/refusal.h"

#include "tests/unit/unit.h"

#include <jansson.h>

#define ID "3c4d0f08-440f-417f-b935-bc801e103d51"

static const char *type(enum fault_code code, bool at_provider, enum refusal_style style)
{
    static char out[REFUSAL_TYPE_ROOM];
    struct refusal refusal = {.code = code, .at_provider = at_provider, .exchange = ID};
    refusal_type(&refusal, style, out);
    return out;
}

static unsigned status(enum fault_code code, bool at_provider, enum refusal_status kind)
{
    struct refusal refusal = {.code = code, .at_provider = at_provider, .exchange = ID};
    return refusal_status_of(&refusal, kind);
}

static const char *document(const struct refusal *refusal, const char *media)
{
    static char text[8192];
    OWNED(bytes) out = bytes_empty(64);
    refusal_write(refusal, REFUSAL_PASCAL, media, out);
    CU_ASSERT_FATAL(out->size < sizeof text);
    memcpy(text, out->data, out->size);
    text[out->size] = '\0';
    return text;
}

static void test_types_have_the_published_form(void)
{
    CU_ASSERT_STRING_EQUAL(type(ACCESS_DENIED, true, REFUSAL_PASCAL),
                           "Server.ServerProxy.AccessDenied");
    CU_ASSERT_STRING_EQUAL(type(ACCESS_DENIED, false, REFUSAL_PASCAL),
                           "Server.ServerProxy.AccessDenied");
    CU_ASSERT_STRING_EQUAL(type(BAD_REQUEST, false, REFUSAL_PASCAL), "Client.BadRequest");
    CU_ASSERT_STRING_EQUAL(type(BODY_TOO_LARGE, false, REFUSAL_PASCAL), "Client.BadRequest");
    CU_ASSERT_STRING_EQUAL(type(BAD_REQUEST, true, REFUSAL_PASCAL),
                           "Server.ServerProxy.BadRequest");
    CU_ASSERT_STRING_EQUAL(type(BAD_CLIENT, false, REFUSAL_PASCAL),
                           "Server.ClientProxy.InvalidClientIdentifier");
    CU_ASSERT_STRING_EQUAL(type(DIRECTORY_EXPIRED, false, REFUSAL_PASCAL),
                           "Server.ClientProxy.OutdatedGlobalConf");
}

static void test_types_have_the_form_of_7_8(void)
{
    CU_ASSERT_STRING_EQUAL(type(ACCESS_DENIED, true, REFUSAL_SNAKE),
                           "server.serverproxy.access_denied");
    CU_ASSERT_STRING_EQUAL(type(IO_FAILED, false, REFUSAL_SNAKE), "server.clientproxy.io_error");
    CU_ASSERT_STRING_EQUAL(type(SERVICE_GARBAGE, true, REFUSAL_SNAKE),
                           "server.serverproxy.http_error");
    CU_ASSERT_STRING_EQUAL(type(BAD_REQUEST, false, REFUSAL_SNAKE), "client.bad_request");
    CU_ASSERT_STRING_EQUAL(type(BAD_CLIENT, false, REFUSAL_SNAKE),
                           "server.clientproxy.invalid_client_identifier");
    CU_ASSERT_STRING_EQUAL(type(SERVICE_NOT_SET, true, REFUSAL_SNAKE),
                           "server.serverproxy.service_missing_url");
    /* irregular in 7.8 */
    CU_ASSERT_STRING_EQUAL(type(DIRECTORY_EXPIRED, false, REFUSAL_SNAKE),
                           "server.clientproxy.global_conf_outdated");
}

static void test_every_fault_has_both_forms(void)
{
    for (unsigned i = 1; i < 128; i++) {
        if (!fault_known(i))
            continue;
        const char *snake = type((enum fault_code)i, false, REFUSAL_SNAKE);
        for (const char *c = snake; *c != '\0'; c++)
            CU_ASSERT((*c >= 'a' && *c <= 'z') || *c == '_' || *c == '.');
        CU_ASSERT_PTR_NULL(strstr(snake, "__"));
        CU_ASSERT_PTR_NULL(strstr(snake, "._"));
    }
}

static void test_status_is_what_http_means(void)
{
    CU_ASSERT_EQUAL(status(ACCESS_DENIED, true, REFUSAL_HTTP), 403);
    CU_ASSERT_EQUAL(status(BAD_CLIENT, false, REFUSAL_HTTP), 400);
    CU_ASSERT_EQUAL(status(UNKNOWN_SERVICE, true, REFUSAL_HTTP), 404);
    CU_ASSERT_EQUAL(status(SERVICE_TIMEOUT, true, REFUSAL_HTTP), 504);
    CU_ASSERT_EQUAL(status(BODY_TOO_LARGE, false, REFUSAL_HTTP), 413);
}

static void test_status_can_be_what_x_road_sends(void)
{
    CU_ASSERT_EQUAL(status(ACCESS_DENIED, true, REFUSAL_XROAD), 500);
    CU_ASSERT_EQUAL(status(BAD_CLIENT, false, REFUSAL_XROAD), 500);
    CU_ASSERT_EQUAL(status(SERVICE_DOWN, true, REFUSAL_XROAD), 500);
    CU_ASSERT_EQUAL(status(BAD_REQUEST, false, REFUSAL_XROAD), 400);
    CU_ASSERT_EQUAL(status(BODY_TOO_LARGE, false, REFUSAL_XROAD), 400);
    CU_ASSERT_EQUAL(status(NOT_FOUND, false, REFUSAL_XROAD), 404);
}

static void test_the_json_document(void)
{
    struct refusal refusal = {.code = ACCESS_DENIED,
                              .at_provider = true,
                              .detail = "\"quoted\" \\ \n \x01 \xff ñ",
                              .rule = "R-1",
                              .remedy = "ask",
                              .exchange = ID};
    json_t *root = json_loads(document(&refusal, NULL), JSON_REJECT_DUPLICATES, NULL);
    CU_ASSERT_PTR_NOT_NULL_FATAL(root);
    CU_ASSERT_EQUAL(json_object_size(root), 5);
    CU_ASSERT_STRING_EQUAL(json_string_value(json_object_get(root, "type")),
                           "Server.ServerProxy.AccessDenied");
    CU_ASSERT_STRING_EQUAL(json_string_value(json_object_get(root, "message")),
                           "a rule does not allow this exchange: \"quoted\" \\ \n \x01 \ufffd ñ");
    CU_ASSERT_STRING_EQUAL(json_string_value(json_object_get(root, "detail")), ID);
    CU_ASSERT_STRING_EQUAL(json_string_value(json_object_get(root, "rule")), "R-1");
    CU_ASSERT_STRING_EQUAL(json_string_value(json_object_get(root, "remedy")), "ask");
    json_decref(root);
}

static void test_members_that_have_nothing_to_say_are_left_out(void)
{
    struct refusal refusal = {.code = BAD_METHOD, .detail = "", .rule = "", .exchange = ID};
    CU_ASSERT_STRING_EQUAL(
        document(&refusal, NULL),
        "{\"type\":\"Server.ClientProxy.InvalidHttpMethod\",\"message\":\"this HTTP method is not "
        "carried\",\"detail\":\"" ID "\"}");
}

static void test_the_xml_document(void)
{
    struct refusal refusal = {
        .code = BAD_METHOD, .detail = "<a> & \x02", .rule = "R<1>", .exchange = ID};
    CU_ASSERT_STRING_EQUAL(
        document(&refusal, "text/xml"),
        "<error><type>Server.ClientProxy.InvalidHttpMethod</type><message>this HTTP method is not "
        "carried: &lt;a&gt; &amp; \ufffd</message><detail>" ID
        "</detail><rule>R&lt;1&gt;</rule></error>");
}

static const char *media(const char *first, const char *second)
{
    struct http_field field[] = {{span_of_text("X"), span_of_text("text/xml")},
                                 {span_of_text("accept"), span_of_text(first)},
                                 {span_of_text("Accept"), span_of_text(second)}};
    return refusal_media(field, second[0] == '\0' ? 2 : 3);
}

static void test_the_first_xml_type_in_accept_decides(void)
{
    CU_ASSERT_PTR_NULL(media("*/*", ""));
    CU_ASSERT_PTR_NULL(media("application/json, text/html", ""));
    CU_ASSERT_STRING_EQUAL(media("text/xml", ""), "text/xml");
    CU_ASSERT_STRING_EQUAL(media("application/json, application/xml;q=0.1, text/xml", ""),
                           "application/xml");
    CU_ASSERT_STRING_EQUAL(media("text/*", ""), "text/xml");
    CU_ASSERT_STRING_EQUAL(media("text/html", "Application/XML"), "application/xml");
    CU_ASSERT_PTR_NULL(media(",,;", ""));
}

SUITE(refusal, TEST(test_types_have_the_published_form), TEST(test_types_have_the_form_of_7_8),
      TEST(test_every_fault_has_both_forms), TEST(test_status_is_what_http_means),
      TEST(test_status_can_be_what_x_road_sends), TEST(test_the_json_document),
      TEST(test_members_that_have_nothing_to_say_are_left_out), TEST(test_the_xml_document),
      TEST(test_the_first_xml_type_in_accept_decides))
