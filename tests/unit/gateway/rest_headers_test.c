// SPDX-License-Identifier: MIT
#include "gateway/rest_headers.h"

#include "tests/unit/unit.h"

static struct rest_fields fields;
static struct http_head head;

static void add(const char *name, const char *value)
{
    head.field[head.fields++] = (struct http_field){span_of_text(name), span_of_text(value)};
}

static void begin(void)
{
    head.fields = 0;
}

/* "Name:value|Name:value|" of what travels. */
static const char *listed(const struct rest_fields *list)
{
    static char text[4096];
    size_t at = 0;
    text[0] = '\0';
    for (size_t i = 0; i < list->count; i++)
        at +=
            (size_t)snprintf(text + at, sizeof text - at, "%.*s:%.*s|",
                             (int)list->field[i].name.size, (const char *)list->field[i].name.at,
                             (int)list->field[i].value.size, (const char *)list->field[i].value.at);
    return text;
}

static const char *request_travels(void)
{
    rest_headers_of_request(&head, &fields);
    return listed(&fields);
}

static const char *response_travels(void)
{
    rest_headers_of_response(head.field, head.fields, &fields);
    return listed(&fields);
}

static void test_fields_between_neighbours_do_not_travel(void)
{
    static const char *const removed[] = {"Transfer-Encoding",
                                          "Keep-Alive",
                                          "Proxy-Authenticate",
                                          "Proxy-Authorization",
                                          "TE",
                                          "Trailer",
                                          "Upgrade",
                                          "Connection",
                                          "User-Agent",
                                          "Host",
                                          "Content-Length",
                                          "Server",
                                          "Expect",
                                          "cONNECTION",
                                          "hOsT"};
    begin();
    for (size_t i = 0; i < sizeof removed / sizeof removed[0]; i++) {
        CU_ASSERT(rest_headers_removed(span_of_text(removed[i])));
        add(removed[i], "x");
    }
    CU_ASSERT_STRING_EQUAL(request_travels(), "");
    CU_ASSERT_STRING_EQUAL(response_travels(), "");
    CU_ASSERT(!rest_headers_removed(span_of_text("Hosts")));
    CU_ASSERT(!rest_headers_removed(span_of_text("")));
}

static void test_the_rest_travels_in_order_with_case_and_doubles(void)
{
    begin();
    add("Accept", "a");
    add("Cookie", "c");
    add("X-Own", "1");
    add("x-own", "2");
    add("Authorization", "b");
    CU_ASSERT_STRING_EQUAL(request_travels(), "Accept:a|Cookie:c|X-Own:1|x-own:2|Authorization:b|");
}

static void test_our_own_request_fields_cannot_be_sent(void)
{
    begin();
    add("X-Road-Request-Id", "forged");
    add("x-road-request-hash", "forged");
    add("X-Road-Id", "mine");
    CU_ASSERT_STRING_EQUAL(request_travels(), "X-Road-Id:mine|");
}

static void test_only_the_last_client_counts_and_travels(void)
{
    struct rest_want want;
    begin();
    add("X-Road-Client", "CO/GOV/1/VICTIM");
    add("Accept", "a");
    add("x-road-client", "CO/GOV/2/ME");
    CU_ASSERT_STRING_EQUAL(request_travels(), "Accept:a|x-road-client:CO/GOV/2/ME|");
    MUST(rest_headers_read_want(&fields, 1000, &want));
    CU_ASSERT_STRING_EQUAL(want.client.part[3], "ME");
}

static void test_a_service_cannot_speak_in_our_name(void)
{
    begin();
    add("X-Road-Service", "evil");
    add("x-road-id", "evil");
    add("x-road-client", "evil");
    add("x-road-request-id", "evil");
    add("x-road-request-hash", "evil");
    add("Chaski-Receipt", "evil");
    add("Content-Type", "text/plain");
    add("Set-Cookie", "a=b");
    add("Set-Cookie", "c=d");
    CU_ASSERT_STRING_EQUAL(response_travels(),
                           "Content-Type:text/plain|Set-Cookie:a=b|Set-Cookie:c=d|");
}

static void test_a_name_spelt_with_underscores_does_not_travel(void)
{
    begin();
    add("X_Road_Client", "CO/GOV/1/VICTIM");
    add("X-Road-Client", "CO/GOV/2/ME");
    add("x-road_client", "CO/GOV/1/VICTIM");
    add("X.Road.Client", "CO/GOV/1/VICTIM");
    add("CHASKI_PURPOSE", "forged");
    add("X_Road_Request_Id", "forged");
    add("Content_Length", "5");
    add("x_own", "1");
    CU_ASSERT_STRING_EQUAL(request_travels(), "X-Road-Client:CO/GOV/2/ME|x_own:1|");
    begin();
    add("X_Road_Error", "forged");
    add("chaski_receipt", "forged");
    add("x_own", "1");
    CU_ASSERT_STRING_EQUAL(response_travels(), "x_own:1|");
}

static void test_a_service_can_send_none_of_our_fields(void)
{
    begin();
    add("X-Road-Error", "forged");
    add("X-Road-Security-Server", "forged");
    add("X-Road-Represented-Party", "forged");
    add("X-Road-Whatever", "forged");
    add("Chaski-Total", "forged");
    add("Chaski-Whatever", "forged");
    add("X-Roadside", "own");
    CU_ASSERT_STRING_EQUAL(response_travels(), "X-Roadside:own|");
}

static void test_of_our_fields_only_those_of_tables_come_with_an_answer(void)
{
    static struct rest_fields given;
    fields.count = 0;
    rest_headers_add(&fields, "Chaski-Total", span_of_text("1"));
    rest_headers_add(&fields, "Chaski-Total", span_of_text("2"));
    rest_headers_add(&fields, "Chaski_Total", span_of_text("3"));
    rest_headers_add(&fields, "Chaski-Receipt", span_of_text("forged"));
    rest_headers_add(&fields, "X-Road-Error", span_of_text("forged"));
    rest_headers_add(&fields, "Chaski-Withheld", span_of_text("a;rule=\"r\""));
    rest_headers_of_answer(&fields, &given);
    CU_ASSERT_STRING_EQUAL(listed(&given), "Chaski-Total:2|Chaski-Withheld:a;rule=\"r\"|");
}

static void test_what_connection_names_is_for_the_neighbour(void)
{
    begin();
    add("X-Hop", "1");
    add("Connection", "close, x-hop ,X-Other");
    add("x-other", "2");
    add("Connection", "X-Road-Client");
    add("X-Road-Client", "CO/GOV/2/ME");
    add("X-Stays", "3");
    CU_ASSERT_STRING_EQUAL(request_travels(), "X-Road-Client:CO/GOV/2/ME|X-Stays:3|");
    CU_ASSERT_STRING_EQUAL(response_travels(), "X-Stays:3|");
}

static void test_there_is_one_date(void)
{
    begin();
    add("Date", "one");
    add("date", "two");
    CU_ASSERT_STRING_EQUAL(response_travels(), "Date:one|");
}

static fault want_of(struct rest_want *out)
{
    rest_headers_of_request(&head, &fields);
    return rest_headers_read_want(&fields, 60000, out);
}

static void test_what_is_wanted_is_read(void)
{
    struct rest_want want;
    begin();
    add("X-Road-Client", "CO/MUN/890905211/TR%C3%81MITES");
    add("X-Road-Security-Server", "CO/GOV/1/SS1");
    add("X-Road-Represented-Party", "GOV/1");
    add("Chaski-Purpose", "p");
    add("Chaski-Procedure", "q");
    add("Chaski-Legal-Basis", "Ley 1712 de 2014, artículo 4");
    add("Chaski-Case", "c-1");
    add("Chaski-Deadline-Ms", "50");
    MUST(want_of(&want));
    CU_ASSERT_STRING_EQUAL(want.client.part[3], "TRÁMITES");
    CU_ASSERT_STRING_EQUAL(want.security_server, "CO/GOV/1/SS1");
    CU_ASSERT_STRING_EQUAL(want.purpose, "p");
    CU_ASSERT_STRING_EQUAL(want.procedure, "q");
    CU_ASSERT_STRING_EQUAL(want.legal_basis, "Ley 1712 de 2014, artículo 4");
    CU_ASSERT_STRING_EQUAL(want.case_ref, "c-1");
    CU_ASSERT_EQUAL(want.wait_ms, 50);
    CU_ASSERT_PTR_NULL(want.message_id.at);
}

static void with_one(enum fault_code code, const char *name, const char *value)
{
    struct rest_want want;
    begin();
    if (strcmp(name, "X-Road-Client") != 0)
        add("X-Road-Client", "CO/MUN/890905211/TRAMITES");
    add(name, value);
    fault f = want_of(&want);
    if (f.code != code)
        fprintf(stderr, "  %s: %s gave %s\n", name, value, fault_name(f.code));
    CU_ASSERT_EQUAL(f.code, code);
}

static void test_a_bad_client_is_refused(void)
{
    begin();
    struct rest_want want;
    MUST_FAIL(BAD_CLIENT, want_of(&want));
    with_one(BAD_CLIENT, "X-Road-Client", "");
    with_one(BAD_CLIENT, "X-Road-Client", "CO/MUN");
    with_one(BAD_CLIENT, "X-Road-Client", "CO/MUN/1/A/B");
    with_one(BAD_CLIENT, "X-Road-Client", "CO/MUN//A");
    with_one(BAD_CLIENT, "X-Road-Client", "CO/MUN/1/%ff");
    with_one(OK, "X-Road-Client", "CO/MUN/1");
}

static void test_other_bad_words_are_refused(void)
{
    char long_word[300];
    memset(long_word, 'x', sizeof long_word);
    long_word[256] = '\0';
    with_one(BAD_REQUEST, "X-Road-Security-Server", "CO/GOV/1");
    with_one(BAD_REQUEST, "X-Road-Security-Server", "CO/GOV/1/S/x");
    with_one(BAD_REQUEST, "X-Road-Represented-Party", "a/b/c");
    with_one(OK, "X-Road-Represented-Party", "b");
    with_one(BAD_REQUEST, "Chaski-Purpose", "\xff");
    with_one(BAD_REQUEST, "Chaski-Purpose", "a\tb");
    with_one(BAD_REQUEST, "Chaski-Procedure", long_word);
    long_word[255] = '\0';
    with_one(OK, "Chaski-Procedure", long_word);
}

static void test_deadlines_outside_the_bounds_are_refused(void)
{
    with_one(DEADLINE_BAD, "Chaski-Deadline-Ms", "49");
    with_one(DEADLINE_BAD, "Chaski-Deadline-Ms", "600001");
    with_one(DEADLINE_BAD, "Chaski-Deadline-Ms", "soon");
    with_one(DEADLINE_BAD, "Chaski-Deadline-Ms", "");
    with_one(DEADLINE_BAD, "Chaski-Deadline-Ms", "-1");
    with_one(OK, "Chaski-Deadline-Ms", "600000");
}

static fault check_one(struct span name, struct span value)
{
    fields.count = 0;
    fields.field[fields.count++] = (struct http_field){name, value};
    return rest_headers_check(&fields);
}

#define EXCHANGE "0b7d9a52-0000-4000-8000-000000000001"

static struct rest_fields told;

/* A call by CO/GOV/2/ME for P-1, with one field more than an honest gateway sends. */
static fault call_with(const char *name, const char *value)
{
    static const struct rest_facts facts = {"CO/GOV/2/ME", EXCHANGE, "P-1"};
    fields.count = 0;
    rest_headers_add(&fields, "X-Road-Client", span_of_text("CO/GOV/2/ME"));
    rest_headers_add(&fields, "X-Road-Id", span_of_text("id"));
    rest_headers_add(&fields, "x-road-request-id", span_of_text(EXCHANGE));
    if (name != NULL)
        rest_headers_add(&fields, name, span_of_text(value));
    return rest_headers_of_call(&fields, &facts, &told);
}

static void test_a_service_is_told_the_signed_facts(void)
{
    static const char facts[] =
        "X-Road-Client:CO/GOV/2/ME|X-Road-Request-Id:" EXCHANGE "|Chaski-Purpose:P-1|";
    char wanted[200];
    snprintf(wanted, sizeof wanted, "X-Road-Id:id|%s", facts);
    MUST(call_with(NULL, NULL));
    CU_ASSERT_STRING_EQUAL(listed(&told), wanted);
    snprintf(wanted, sizeof wanted, "X-Road-Id:id|X-Road-Represented-Party:GOV/1|%s", facts);
    MUST(call_with("X-Road-Represented-Party", "GOV/1"));
    CU_ASSERT_STRING_EQUAL(listed(&told), wanted);
    MUST(call_with("Chaski-Purpose", ""));
    MUST(call_with("Chaski-Purpose", "P-1"));
}

static void test_a_peer_cannot_tell_a_service_otherwise(void)
{
    MUST_FAIL(BAD_REQUEST, call_with("X-Road-Client", "CO/GOV/2/ME"));
    MUST_FAIL(BAD_REQUEST, call_with("X-ROAD-CLIENT", "CO/GOV/1/VICTIM"));
    MUST_FAIL(BAD_REQUEST, call_with("X_Road_Client", "CO/GOV/1/VICTIM"));
    MUST_FAIL(BAD_REQUEST, call_with("X-Road-Id", "id"));
    MUST_FAIL(BAD_REQUEST, call_with("X-Road-Request-Id", EXCHANGE));
    MUST_FAIL(BAD_REQUEST, call_with("X-Road-Request-Hash", "x"));
    MUST_FAIL(BAD_REQUEST, call_with("X-Road-Represented-Party", "a/b/c"));
    MUST_FAIL(BAD_REQUEST, call_with("Chaski-Purpose", "P-2"));
    MUST_FAIL(BAD_FRAME, call_with("Host", "x"));
    MUST_FAIL(BAD_FRAME, call_with("Transfer_Encoding", "chunked"));
    fields.field[2].value = span_of_text("another exchange");
    static const struct rest_facts facts = {"CO/GOV/2/ME", EXCHANGE, "P-1"};
    fields.count = 3;
    MUST_FAIL(BAD_REQUEST, rest_headers_of_call(&fields, &facts, &told));
    fields.count = 0;
    MUST_FAIL(BAD_REQUEST, rest_headers_of_call(&fields, &facts, &told));
}

static void test_a_peer_cannot_send_more_fields_than_a_caller_can(void)
{
    static const struct rest_facts facts = {"CO/GOV/2/ME", EXCHANGE, "P-1"};
    fields.count = 0;
    rest_headers_add(&fields, "X-Road-Client", span_of_text("CO/GOV/2/ME"));
    while (fields.count < REST_FIELDS_MAX)
        rest_headers_add(&fields, "A", span_of_text("b"));
    MUST_FAIL(BAD_REQUEST, rest_headers_of_call(&fields, &facts, &told));
    fields.count = HTTP_FIELDS_MAX + 2;
    MUST(rest_headers_of_call(&fields, &facts, &told));
}

static void test_a_peer_cannot_split_our_messages(void)
{
    struct span fine = span_of_text("fine");
    CU_ASSERT(!failed(check_one(fine, fine)));
    MUST_FAIL(BAD_FRAME, check_one(fine, span_of_text("a\r\nX-Road-Client: b")));
    MUST_FAIL(BAD_FRAME, check_one(fine, span_of("a\0b", 3)));
    MUST_FAIL(BAD_FRAME, check_one(span_of_text("a b"), fine));
    MUST_FAIL(BAD_FRAME, check_one(span_of_text("a:"), fine));
    MUST_FAIL(BAD_FRAME, check_one(span_of_text(""), fine));
    MUST_FAIL(BAD_FRAME, check_one(span_of("a\0", 2), fine));
    MUST_FAIL(BAD_FRAME, check_one(span_of_text("Content-Length"), span_of_text("5")));
    MUST_FAIL(BAD_FRAME, check_one(span_of_text("host"), span_of_text("x")));
}

SUITE(rest_headers, TEST(test_fields_between_neighbours_do_not_travel),
      TEST(test_the_rest_travels_in_order_with_case_and_doubles),
      TEST(test_our_own_request_fields_cannot_be_sent),
      TEST(test_only_the_last_client_counts_and_travels),
      TEST(test_a_service_cannot_speak_in_our_name), TEST(test_there_is_one_date),
      TEST(test_a_name_spelt_with_underscores_does_not_travel),
      TEST(test_a_service_can_send_none_of_our_fields),
      TEST(test_of_our_fields_only_those_of_tables_come_with_an_answer),
      TEST(test_what_connection_names_is_for_the_neighbour),
      TEST(test_a_service_is_told_the_signed_facts),
      TEST(test_a_peer_cannot_tell_a_service_otherwise),
      TEST(test_a_peer_cannot_send_more_fields_than_a_caller_can),
      TEST(test_what_is_wanted_is_read), TEST(test_a_bad_client_is_refused),
      TEST(test_other_bad_words_are_refused), TEST(test_deadlines_outside_the_bounds_are_refused),
      TEST(test_a_peer_cannot_split_our_messages))
