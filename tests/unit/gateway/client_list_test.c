// SPDX-License-Identifier: MIT
#include "gateway/client_list.h"

#include "tests/unit/unit.h"

#include <jansson.h>

#define XML_START                                                     \
    "<?xml version=\"1.0\" encoding=\"UTF-8\" standalone=\"yes\"?>\n" \
    "<ns2:clientList xmlns:ns1=\"http://x-road.eu/xsd/identifiers\""  \
    " xmlns:ns2=\"http://x-road.eu/xsd/xroad.xsd\">"

static void test_both_forms_are_as_x_road_has_them(void)
{
    struct client_list list = {0};
    client_list_begin(&list, 7, 2);
    MUST(client_list_add(&list, &(struct front_client){"CO/GOV/1", "Agency A", ""}));
    MUST(client_list_add(&list, &(struct front_client){"CO/GOV/1/S", "Agency A", "Sub"}));
    MUST(client_list_end(&list));
    CU_ASSERT(span_is_text(
        bytes_span(list.json),
        "{\"member\":[{\"id\":{\"object_type\":\"MEMBER\",\"xroad_instance\":\"CO\",\"member_"
        "class\":\"GOV\",\"member_code\":\"1\"},\"name\":\"Agency A\"},{\"id\":{\"object_type\":"
        "\"SUBSYSTEM\",\"xroad_instance\":\"CO\",\"member_class\":\"GOV\",\"member_code\":\"1\","
        "\"subsystem_code\":\"S\"},\"name\":\"Agency A\",\"subsystem_name\":\"Sub\"}]}"));
    CU_ASSERT(
        span_is_text(bytes_span(list.xml), XML_START
                     "<ns2:member><ns2:id ns1:objectType=\"MEMBER\"><ns1:xRoadInstance>CO</"
                     "ns1:xRoadInstance><ns1:memberClass>GOV</ns1:memberClass><ns1:memberCode>1</"
                     "ns1:memberCode></ns2:id><ns2:name>Agency A</ns2:name></ns2:member>"
                     "<ns2:member><ns2:id ns1:objectType=\"SUBSYSTEM\"><ns1:xRoadInstance>CO</"
                     "ns1:xRoadInstance><ns1:memberClass>GOV</ns1:memberClass><ns1:memberCode>1</"
                     "ns1:memberCode><ns1:subsystemCode>S</ns1:subsystemCode></ns2:id><ns2:name>"
                     "Agency A</ns2:name><ns2:subsystemName>Sub</ns2:subsystemName></ns2:member>"
                     "</ns2:clientList>"));
    client_list_clear(&list);
}

static void test_names_are_escaped_for_each_form(void)
{
    struct client_list list = {0};
    client_list_begin(&list, 7, 1);
    MUST(client_list_add(
        &list, &(struct front_client){"CO/GOV/%3C1%3E%20&", "a<b>&\"'\xc3\xb1\xef\xbf\xbe", ""}));
    MUST(client_list_end(&list));
    json_t *root = json_loadb((const char *)list.json->data, list.json->size, 0, NULL);
    json_t *member = json_array_get(json_object_get(root, "member"), 0);
    CU_ASSERT_STRING_EQUAL(
        json_string_value(json_object_get(json_object_get(member, "id"), "member_code")), "<1> &");
    CU_ASSERT_STRING_EQUAL(json_string_value(json_object_get(member, "name")),
                           "a<b>&\"'\xc3\xb1\xef\xbf\xbe");
    json_decref(root);
    static const char name[] = "<ns2:name>a&lt;b&gt;&amp;\"'\xc3\xb1\xef\xbf\xbd</ns2:name>";
    static const char code[] = "<ns1:memberCode>&lt;1&gt; &amp;</ns1:memberCode>";
    CU_ASSERT_PTR_NOT_NULL(memmem(list.xml->data, list.xml->size, name, sizeof name - 1));
    CU_ASSERT_PTR_NOT_NULL(memmem(list.xml->data, list.xml->size, code, sizeof code - 1));
    client_list_clear(&list);
}

static void test_nobody_is_a_list_too(void)
{
    struct client_list list = {0};
    client_list_begin(&list, 1, 0);
    MUST(client_list_end(&list));
    CU_ASSERT(span_is_text(bytes_span(list.json), "{\"member\":[]}"));
    CU_ASSERT(span_is_text(bytes_span(list.xml), XML_START "</ns2:clientList>"));
    client_list_clear(&list);
}

static void test_what_is_no_identifier_or_not_whole_is_refused(void)
{
    struct client_list list = {0};
    client_list_begin(&list, 1, 2);
    MUST_FAIL(BAD_FRAME, client_list_add(&list, &(struct front_client){"CO/GOV", "x", ""}));
    MUST_FAIL(BAD_FRAME, client_list_add(&list, &(struct front_client){"CO/GOV/1/2/3", "x", ""}));
    MUST_FAIL(BAD_FRAME, client_list_add(&list, &(struct front_client){"", "x", ""}));
    MUST(client_list_add(&list, &(struct front_client){"CO/GOV/1", "x", ""}));
    MUST_FAIL(BAD_FRAME, client_list_end(&list));
    MUST(client_list_add(&list, &(struct front_client){"CO/GOV/2", "x", ""}));
    MUST_FAIL(BAD_FRAME, client_list_add(&list, &(struct front_client){"CO/GOV/3", "x", ""}));
    client_list_clear(&list);
}

SUITE(client_list, TEST(test_both_forms_are_as_x_road_has_them),
      TEST(test_names_are_escaped_for_each_form), TEST(test_nobody_is_a_list_too),
      TEST(test_what_is_no_identifier_or_not_whole_is_refused))
