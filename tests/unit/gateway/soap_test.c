// SPDX-License-Identifier: MIT
#include "gateway/soap_answer.h"

#include "lib/base/text.h"
#include "tests/unit/unit.h"

#include <stdio.h>
#include <stdlib.h>

#define OPENING                                                         \
    "<s:Envelope xmlns:s=\"http://schemas.xmlsoap.org/soap/envelope/\"" \
    " xmlns:x=\"http://x-road.eu/xsd/xroad.xsd\""                       \
    " xmlns:i=\"http://x-road.eu/xsd/identifiers\">"
#define CLIENT                                                                   \
    "<x:client i:objectType=\"SUBSYSTEM\"><i:xRoadInstance>CO</i:xRoadInstance>" \
    "<i:memberClass>MUN</i:memberClass><i:memberCode>1</i:memberCode>"           \
    "<i:subsystemCode>T &amp; <![CDATA[<U>]]></i:subsystemCode></x:client>"
#define SERVICE(code)                                                           \
    "<x:service i:objectType=\"SERVICE\"><i:xRoadInstance>CO</i:xRoadInstance>" \
    "<i:memberClass>GOV</i:memberClass><i:memberCode>2</i:memberCode>"          \
    "<i:subsystemCode>D</i:subsystemCode><i:serviceCode>" code "</i:serviceCode></x:service>"
#define REST "<x:id>7</x:id><x:protocolVersion>4.0</x:protocolVersion>"
#define HEADER(fields) "<s:Header>" fields "</s:Header>"
#define BODY(element) "<s:Body>" element "</s:Body>"
#define CLOSING "</s:Envelope>"
#define LIST HEADER(CLIENT SERVICE("listMethods") REST)

static void expect(const char *text, enum fault_code code)
{
    struct soap_message message;
    fault f = soap_read(span_of_text(text), &message);
    CU_ASSERT_EQUAL(f.code, code);
    if (f.code != code)
        fprintf(stderr, "  %s (%s) for %.300s\n", fault_name(f.code), fault_detail(), text);
    CU_ASSERT(code != OK || message.asks_methods);
    soap_clear(&message);
}

static void test_a_list_of_methods_is_asked_for(void)
{
    struct soap_message message;
    MUST(soap_read(span_of_text(OPENING LIST BODY("<x:listMethods/>") CLOSING), &message));
    CU_ASSERT(message.asks_methods);
    CU_ASSERT_STRING_EQUAL(message.field[SOAP_CLIENT_SUBSYSTEM], "T & <U>");
    CU_ASSERT_STRING_EQUAL(message.field[SOAP_SERVICE_CODE], "listMethods");
    CU_ASSERT_STRING_EQUAL(message.field[SOAP_ID], "7");
    CU_ASSERT_PTR_NULL(message.field[SOAP_USER_ID]);
    soap_clear(&message);
    expect("\xef\xbb\xbf" OPENING LIST BODY("<x:listMethods>\r\n <!-- --></x:listMethods>") CLOSING,
           OK);
    expect(OPENING HEADER(SERVICE("allowedMethods") REST "<y xmlns=\"urn:y\"><id/></y>" CLIENT)
               BODY("<x:allowedMethods/>") CLOSING,
           OK);
}

static void test_another_service_is_read_and_not_taken_for_a_list(void)
{
    struct soap_message message;
    MUST(soap_read(
        span_of_text(OPENING HEADER(CLIENT SERVICE("m") REST) BODY("<m>x<y/></m>") CLOSING),
        &message));
    CU_ASSERT_FALSE(message.asks_methods);
    soap_clear(&message);
}

static void test_what_is_no_xml_or_forbidden_is_malformed(void)
{
    static const char *const bad[] = {
        "",
        " ",
        "x",
        "<a b=1/>",
        "<s:a/>",
        "\xff\xfe<",
        OPENING "<s:Header><a>",
        OPENING "<s:Header><a></b>",
        OPENING "<s:Header><a>\xff</a>",
        OPENING "<s:Header><a>\x01</a>",
        OPENING "<s:Header><a>&lt</a>",
        OPENING "<s:Header><a>&nbsp;</a>",
        OPENING LIST BODY("<x:listMethods/>") CLOSING "<a/>",
        "<!DOCTYPE a><a/>",
        "<!DOCTYPE a [<!ENTITY b \"c\">]><a>&b;</a>",
        "<!DOCTYPE a SYSTEM \"file:///etc/passwd\"><a/>",
        "<?php x?>" OPENING LIST BODY("<x:listMethods/>") CLOSING,
        OPENING LIST BODY("<x:listMethods/>"),
        OPENING LIST BODY("<x:listMethods/>") CLOSING "x",
    };
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        expect(bad[i], SOAP_MALFORMED);
}

static void test_each_part_has_its_place(void)
{
    expect("<a/>", SOAP_INVALID);
    expect("<Envelope xmlns=\"http://www.w3.org/2003/05/soap-envelope\"/>", SOAP_VERSION);
    expect("<Envelope/>", SOAP_VERSION);
    expect(OPENING CLOSING, SOAP_NO_HEADER);
    expect(OPENING BODY("<x:listMethods/>") CLOSING, SOAP_NO_HEADER);
    expect(OPENING LIST CLOSING, SOAP_NO_BODY);
    expect(OPENING BODY("") LIST CLOSING, SOAP_INVALID);
    expect(OPENING LIST LIST BODY("") CLOSING, SOAP_INVALID);
    expect(OPENING LIST BODY("") BODY("") CLOSING, SOAP_INVALID);
    expect(OPENING LIST "<x:listMethods/>" CLOSING, SOAP_INVALID);
    expect(OPENING LIST BODY("") CLOSING, SOAP_BAD_BODY);
    expect(OPENING LIST BODY("text") CLOSING, SOAP_BAD_BODY);
    expect(OPENING LIST BODY("<x:listMethods/><a/>") CLOSING, SOAP_BAD_BODY);
    expect(OPENING LIST BODY("<x:listMethods><a/></x:listMethods>") CLOSING, SOAP_BAD_BODY);
    expect(OPENING LIST BODY("<listMethods/>") CLOSING, SOAP_BAD_BODY);
    expect(OPENING LIST BODY("<x:allowedMethods/>") CLOSING, SOAP_INCONSISTENT);
}

static void test_fields_are_there_once_and_are_texts(void)
{
    expect(OPENING HEADER(CLIENT SERVICE("listMethods")) BODY("<x:listMethods/>") CLOSING,
           SOAP_NO_FIELD);
    expect(OPENING HEADER(SERVICE("listMethods") REST) BODY("<x:listMethods/>") CLOSING,
           SOAP_NO_FIELD);
    expect(OPENING HEADER(CLIENT SERVICE("") REST) BODY("<x:listMethods/>") CLOSING, SOAP_NO_FIELD);
    expect(OPENING HEADER(CLIENT CLIENT SERVICE("listMethods") REST) BODY("") CLOSING,
           SOAP_FIELD_TWICE);
    expect(OPENING HEADER(CLIENT SERVICE("listMethods") REST "<x:id>8</x:id>") BODY("") CLOSING,
           SOAP_FIELD_TWICE);
    expect(OPENING HEADER(CLIENT SERVICE("listMethods") "<x:id><b/></x:id>") BODY("") CLOSING,
           SOAP_INVALID);
    expect(OPENING HEADER(CLIENT SERVICE("listMethods") "<x:id>7</x:id><x:protocolVersion>40"
                                                        "</x:protocolVersion>")
               BODY("<x:listMethods/>") CLOSING,
           SOAP_PROTOCOL);
}

static void expect_many(size_t count, const char *piece, const char *end, enum fault_code code)
{
    OWNED(bytes) text = bytes_empty(1024);
    MUST(bytes_append_text(text, OPENING LIST "<s:Body>"));
    for (size_t i = 0; i < count; i++)
        MUST(bytes_append_text(text, piece));
    for (size_t i = 0; end != NULL && i < count; i++)
        MUST(bytes_append_text(text, end));
    MUST(bytes_append(text, span_of("</s:Body>" CLOSING, sizeof "</s:Body>" CLOSING)));
    text->data[text->size - 1] = '\0';
    expect((const char *)text->data, code);
}

static void test_depth_number_and_length_are_bounded(void)
{
    expect_many(SOAP_DEPTH_MAX + 1, "<a>", "</a>", SOAP_MALFORMED);
    expect_many(1, "<x:listMethods/>", NULL, OK);
    expect_many(SOAP_BYTES_MAX / 4, "    ", NULL, SOAP_MALFORMED);
    OWNED(bytes) text = bytes_empty(1024);
    MUST(bytes_append_text(text, OPENING "<s:Header>"));
    for (size_t i = 0; i < SOAP_ELEMENTS_MAX; i++)
        MUST(bytes_append_text(text, "<a/>"));
    MUST(bytes_append(text, span_of("", 1)));
    expect((const char *)text->data, SOAP_MALFORMED);
    bytes_free(&text);
    text = bytes_empty(1024);
    MUST(bytes_append_text(text, OPENING "<s:Header><x:id>"));
    for (size_t i = 0; i <= SOAP_TEXT_BYTES_MAX; i++)
        MUST(bytes_append_text(text, "i"));
    MUST(bytes_append(text, span_of("", 1)));
    expect((const char *)text->data, SOAP_MALFORMED);
}

// --- answers -------------------------------------------------------------------------------------

static bool holds(const struct bytes *text, const char *piece)
{
    return memmem(text->data, text->size, piece, strlen(piece)) != NULL;
}

static void test_a_list_repeats_the_header_and_is_empty(void)
{
    static const char request[] = OPENING LIST BODY("<x:listMethods/>") CLOSING;
    struct soap_message message;
    OWNED(bytes) text = bytes_empty(100);
    MUST(soap_read(span_of_text(request), &message));
    soap_methods_write(&message, span_of_text(request), text);
    soap_clear(&message);
    CU_ASSERT(holds(text, "<id:subsystemCode>T &amp; &lt;U&gt;</id:subsystemCode>"));
    CU_ASSERT(holds(text, "<xroad:id>7</xroad:id><xroad:protocolVersion>4.0"));
    CU_ASSERT(holds(text, "<SOAP-ENV:Body><xroad:listMethodsResponse/></SOAP-ENV:Body>"));
    CU_ASSERT(holds(text, "algorithmId=\"http://www.w3.org/2001/04/xmlenc#sha512\""));
    CU_ASSERT_FALSE(holds(text, "userId"));
}

static void expect_fault(enum fault_code code, enum refusal_style style, const char *wanted)
{
    struct refusal refusal = {.code = code, .in_soap = true, .detail = "a < b", .exchange = "uuid"};
    OWNED(bytes) text = bytes_empty(100);
    char piece[200];
    soap_fault_write(&refusal, style, text);
    snprintf(piece, sizeof piece, "<SOAP-ENV:Fault><faultcode>%s</faultcode>", wanted);
    CU_ASSERT(holds(text, piece));
    CU_ASSERT(holds(text, ": a &lt; b</faultstring><faultactor></faultactor>"));
    CU_ASSERT(holds(text, "<detail><faultDetail>uuid</faultDetail></detail>"));
}

static void test_a_fault_has_its_parts_in_order(void)
{
    expect_fault(SOAP_MALFORMED, REFUSAL_PASCAL, "Client.MalformedSoap");
    expect_fault(SOAP_NO_FIELD, REFUSAL_SNAKE, "client.missing_header_field");
    expect_fault(BAD_METHOD, REFUSAL_PASCAL, "Client.InvalidHttpMethod");
    expect_fault(SOAP_NOT_CARRIED, REFUSAL_PASCAL, "Server.ServerProxy.ServiceType");
    expect_fault(DRAINING, REFUSAL_PASCAL, "Server.ClientProxy.InternalError");
    expect_fault(SOAP_VERSION, REFUSAL_PASCAL, "SOAP-ENV:VersionMismatch");
}

SUITE(soap, TEST(test_a_list_of_methods_is_asked_for),
      TEST(test_another_service_is_read_and_not_taken_for_a_list),
      TEST(test_what_is_no_xml_or_forbidden_is_malformed), TEST(test_each_part_has_its_place),
      TEST(test_fields_are_there_once_and_are_texts),
      TEST(test_depth_number_and_length_are_bounded),
      TEST(test_a_list_repeats_the_header_and_is_empty), TEST(test_a_fault_has_its_parts_in_order))
