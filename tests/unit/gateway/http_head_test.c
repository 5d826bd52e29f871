// SPDX-License-Identifier: MIT
#include "gateway/http_head.h"

#include "tests/unit/unit.h"

#include <stdlib.h>

static struct http_head head;

/* Measures and parses what must be one whole head; nothing may be left over. */
static fault read_bytes(enum http_role role, struct span bytes)
{
    size_t seen = 0, size = 0;
    TRY(http_head_measure(bytes, &seen, &size));
    if (size != bytes.size)
        return RAISE(INTERNAL, "%zu of %zu bytes", size, bytes.size);
    return http_head_parse(role, bytes, &head);
}

static fault request(const char *text)
{
    return read_bytes(HTTP_IS_REQUEST, span_of_text(text));
}

static fault response(const char *text)
{
    return read_bytes(HTTP_IS_RESPONSE, span_of_text(text));
}

#define WITH(fields) "GET / HTTP/1.1\r\nHost: x\r\n" fields "\r\n"

static void test_a_request_is_read(void)
{
    MUST(request("POST /a?b HTTP/1.1\r\nHost: x\r\nContent-Length:  12 \r\nA:\t b c \t\r\n"
                 "Empty:\r\n\r\n"));
    CU_ASSERT(span_is_text(head.method, "POST"));
    CU_ASSERT(span_is_text(head.target, "/a?b"));
    CU_ASSERT_EQUAL(head.minor, 1);
    CU_ASSERT_EQUAL(head.fields, 4);
    CU_ASSERT(head.keep_alive);
    CU_ASSERT(head.has_length);
    CU_ASSERT_EQUAL(head.length, 12);
    CU_ASSERT(!head.chunked);
    CU_ASSERT(span_is_text(http_head_get(&head, "a"), "b c"));
    CU_ASSERT(span_is_text(http_head_get(&head, "empty"), ""));
    CU_ASSERT_PTR_NULL(http_head_get(&head, "none").at);
}

static void test_a_response_is_read(void)
{
    MUST(response("HTTP/1.1 404 Not Here At All\r\nTransfer-Encoding: chunked\r\n\r\n"));
    CU_ASSERT_EQUAL(head.status, 404);
    CU_ASSERT(head.chunked);
    MUST(response("HTTP/1.1 200\r\nContent-Length: 0\r\n\r\n"));
    CU_ASSERT_EQUAL(head.status, 200);
    MUST(response("HTTP/1.1 204 No Content\r\n\r\n"));
    MUST(response("HTTP/1.1 304 Not Modified\r\nContent-Length: 5\r\n\r\n"));
    CU_ASSERT_EQUAL(head.length, 5);
}

static void test_keep_alive_follows_version_and_connection(void)
{
    MUST(request(WITH("Connection: close\r\n")));
    CU_ASSERT(!head.keep_alive);
    MUST(request(WITH("Connection: x, Close\r\n")));
    CU_ASSERT(!head.keep_alive);
    MUST(request("GET / HTTP/1.0\r\n\r\n"));
    CU_ASSERT(!head.keep_alive);
    CU_ASSERT_EQUAL(head.minor, 0);
    MUST(request("GET / HTTP/1.0\r\nConnection: Keep-Alive\r\n\r\n"));
    CU_ASSERT(head.keep_alive);
}

static void test_expect_is_known(void)
{
    MUST(request(WITH("Expect: 100-Continue\r\n")));
    CU_ASSERT(head.expects_continue);
    MUST(request("GET / HTTP/1.0\r\nExpect: 100-continue\r\n\r\n"));
    CU_ASSERT(!head.expects_continue);
}

static void test_a_length_beside_a_coding_is_refused(void)
{
    MUST_FAIL(BAD_REQUEST, request(WITH("Content-Length: 5\r\nTransfer-Encoding: chunked\r\n")));
    MUST_FAIL(BAD_REQUEST, request(WITH("Transfer-Encoding: chunked\r\nContent-Length: 5\r\n")));
    MUST_FAIL(BAD_REQUEST, response("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n"
                                    "Transfer-Encoding: chunked\r\n\r\n"));
}

static void test_two_lengths_are_refused_even_when_equal(void)
{
    MUST_FAIL(BAD_REQUEST, request(WITH("Content-Length: 5\r\nContent-Length: 6\r\n")));
    MUST_FAIL(BAD_REQUEST, request(WITH("Content-Length: 5\r\nContent-Length: 5\r\n")));
    MUST_FAIL(BAD_REQUEST, request(WITH("Content-Length: 5, 5\r\n")));
}

static void test_lengths_are_plain_numbers(void)
{
    static const char *const bad[] = {"+5", "-5", "0x5", "5 5",
                                      "",   "5.", "٥",   "99999999999999999999"};
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        char text[200];
        snprintf(text, sizeof text, WITH("Content-Length: %s\r\n"), bad[i]);
        MUST_FAIL(BAD_REQUEST, request(text));
    }
}

static void test_only_chunked_is_a_coding(void)
{
    MUST_FAIL(BAD_REQUEST, request(WITH("Transfer-Encoding: xchunked\r\n")));
    MUST_FAIL(BAD_REQUEST, request(WITH("Transfer-Encoding: gzip, chunked\r\n")));
    MUST_FAIL(BAD_REQUEST, request(WITH("Transfer-Encoding: identity\r\n")));
    MUST_FAIL(BAD_REQUEST,
              request(WITH("Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n")));
    MUST_FAIL(BAD_REQUEST, request("GET / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n"));
    MUST(request(WITH("Transfer-Encoding: Chunked\r\n")));
}

static void test_blanks_before_the_colon_are_refused(void)
{
    MUST_FAIL(BAD_REQUEST, request(WITH("Transfer-Encoding : chunked\r\n")));
    MUST_FAIL(BAD_REQUEST, request(WITH("A\t: b\r\n")));
    MUST_FAIL(BAD_REQUEST, request(WITH(": b\r\n")));
    MUST_FAIL(BAD_REQUEST, request(WITH("no colon\r\n")));
}

static void test_folded_lines_are_refused(void)
{
    MUST_FAIL(BAD_REQUEST, request(WITH("A: b\r\n c\r\n")));
    MUST_FAIL(BAD_REQUEST, request(WITH("A: b\r\n\tc\r\n")));
    MUST_FAIL(BAD_REQUEST, request(WITH("Content-Length:\r\n 5\r\n"))); /* CVE-2024-27982 */
    MUST_FAIL(BAD_REQUEST, request("GET / HTTP/1.1\r\n Host: x\r\n\r\n"));
}

static void test_bare_line_ends_are_refused(void)
{
    MUST_FAIL(BAD_REQUEST, request(WITH("A: b\rTransfer-Encoding: chunked\r\n")));
    MUST_FAIL(BAD_REQUEST, request("GET / HTTP/1.1\nHost: x\n\n"));
    MUST_FAIL(BAD_REQUEST, request("GET / HTTP/1.1\r\nHost: x\nA: b\r\n\r\n"));
    MUST_FAIL(BAD_REQUEST, request("GET / HTTP/1.1\r\nHost: x\r\n\r\r\n\r\n"));
}

static void test_control_bytes_are_refused(void)
{
    static const char nul[] = "GET / HTTP/1.1\r\nHost: x\r\nA: b\0c\r\n\r\n";
    MUST_FAIL(BAD_REQUEST, read_bytes(HTTP_IS_REQUEST, span_of(nul, sizeof nul - 1)));
    MUST_FAIL(BAD_REQUEST, request(WITH("A: b\x01\r\n")));
    MUST_FAIL(BAD_REQUEST, request(WITH("A: b\x7f\r\n")));
    MUST_FAIL(BAD_REQUEST, request("\x16\x03\x01 hello TLS\r\n\r\n"));
    MUST(request(WITH("A: b\tc\r\n")));
    MUST(request(WITH("A: \xc3\xb1 \xff\r\n")));
}

static void test_one_host_is_needed(void)
{
    MUST_FAIL(BAD_REQUEST, request("GET / HTTP/1.1\r\n\r\n"));
    MUST_FAIL(BAD_REQUEST, request("GET / HTTP/1.1\r\nHost: x\r\nhost: x\r\n\r\n"));
    MUST_FAIL(BAD_REQUEST, request("GET / HTTP/1.0\r\nHost: x\r\nHost: y\r\n\r\n"));
    MUST(request("GET / HTTP/1.0\r\n\r\n"));
}

static void test_other_versions_and_methods_are_refused(void)
{
    MUST_FAIL(BAD_REQUEST, request("GET / HTTP/2.0\r\nHost: x\r\n\r\n"));
    MUST_FAIL(BAD_REQUEST, request("GET / HTTP/1.2\r\nHost: x\r\n\r\n"));
    MUST_FAIL(BAD_REQUEST, request("GET / HTTP/0.9\r\nHost: x\r\n\r\n"));
    MUST_FAIL(BAD_REQUEST, request("GET /\r\n\r\n"));
    MUST_FAIL(BAD_METHOD, request("FROB / HTTP/1.1\r\nHost: x\r\n\r\n"));
    MUST_FAIL(BAD_METHOD, request("get / HTTP/1.1\r\nHost: x\r\n\r\n"));
    MUST_FAIL(BAD_REQUEST, response("HTTP/1.1 20 OK\r\n\r\n"));
    MUST_FAIL(BAD_REQUEST, response("hello\r\n\r\n"));
}

static void test_raw_bytes_in_the_target_are_refused_or_passed_whole(void)
{
    fault f = request("GET /\xc3\xb1 HTTP/1.1\r\nHost: x\r\n\r\n");
    CU_ASSERT(f.code == BAD_REQUEST || span_is_text(head.target, "/\xc3\xb1"));
    MUST_FAIL(BAD_REQUEST, request("GET /a b HTTP/1.1\r\nHost: x\r\n\r\n"));
}

static void test_too_many_fields_are_refused(void)
{
    char text[8192] = "GET / HTTP/1.1\r\nHost: x\r\n";
    for (int i = 1; i < HTTP_FIELDS_MAX; i++)
        strcat(text, "A: b\r\n");
    size_t length = strlen(text);
    strcpy(text + length, "\r\n");
    MUST(request(text));
    CU_ASSERT_EQUAL(head.fields, HTTP_FIELDS_MAX);
    strcpy(text + length, "A: b\r\n\r\n");
    MUST_FAIL(HEAD_TOO_LARGE, request(text));
}

static void test_a_head_that_is_too_long_is_refused(void)
{
    static char text[HTTP_HEAD_BYTES_MAX * 4];
    size_t seen = 0, size = 0;
    memset(text, 'x', sizeof text);
    memcpy(text, "GET / HTTP/1.1\r\nA: ", 19);
    struct span whole = span_of(text, sizeof text);
    MUST_FAIL(HEAD_TOO_LARGE, http_head_measure(whole, &seen, &size));
    seen = 0;
    whole.size = HTTP_HEAD_BYTES_MAX - 1;
    MUST(http_head_measure(whole, &seen, &size));
    CU_ASSERT_EQUAL(size, 0);
}

static void test_the_end_is_found_at_every_split(void)
{
    static const char text[] = "GET /a HTTP/1.1\r\nHost: x\r\nA: b\r\n\r\nGET /next";
    size_t whole = sizeof text - 1 - strlen("GET /next");
    for (size_t first = 0; first < whole; first++) {
        for (size_t second = first; second < whole; second++) {
            size_t seen = 0, size = 0;
            MUST(http_head_measure(span_of(text, first), &seen, &size));
            CU_ASSERT_EQUAL(size, 0);
            MUST(http_head_measure(span_of(text, second), &seen, &size));
            CU_ASSERT_EQUAL(size, 0);
            MUST(http_head_measure(span_of(text, sizeof text - 1), &seen, &size));
            CU_ASSERT_EQUAL(size, whole);
        }
    }
}

static void test_what_is_refused_is_refused_at_every_split(void)
{
    static const char *const bad[] = {"GET / HTTP/1.1\r\nHost: x\r\nA: b\r\n c\r\n\r\n",
                                      "GET / HTTP/1.1\r\nHost: x\r\nA: b\rc\r\n\r\n",
                                      "GET / HTTP/1.1\nHost: x\n\n",
                                      "GET / HTTP/1.1\r\nHost: \x01\r\n\r\n"};
    for (size_t b = 0; b < sizeof bad / sizeof bad[0]; b++) {
        size_t length = strlen(bad[b]);
        for (size_t split = 0; split <= length; split++) {
            size_t seen = 0, size = 0;
            fault f = http_head_measure(span_of(bad[b], split), &seen, &size);
            if (!failed(f))
                f = http_head_measure(span_of(bad[b], length), &seen, &size);
            CU_ASSERT_EQUAL(f.code, BAD_REQUEST);
        }
    }
}

static void test_pipelined_heads_are_found_one_after_another(void)
{
    static const char text[] =
        "GET /1 HTTP/1.1\r\nHost: x\r\n\r\nGET /2 HTTP/1.1\r\nHost: x\r\n\r\n"
        "GET /3 HTTP/1.1\r\nHost: x\r\n\r\n";
    struct span left = span_of_text(text);
    for (char wanted = '1'; wanted <= '3'; wanted++) {
        size_t seen = 0, size = 0;
        MUST(http_head_measure(left, &seen, &size));
        MUST(http_head_parse(HTTP_IS_REQUEST, span_of(left.at, size), &head));
        CU_ASSERT_EQUAL(head.target.at[1], wanted);
        left = span_of(left.at + size, left.size - size);
    }
    CU_ASSERT_EQUAL(left.size, 0);
}

static void test_fields_are_found_in_a_head_that_cannot_be_read(void)
{
    static struct http_head broken;
    http_head_scan(span_of_text("FOO : / HTTP/1.1\r\nHost: x\r\nno colon\r\nbad name: y\r\n"
                                "accept:  text/xml \r\nEmpty:\r\n\r\n"),
                   &broken);
    CU_ASSERT_EQUAL(broken.fields, 3);
    CU_ASSERT(span_is_text(http_head_get(&broken, "Accept"), "text/xml"));
    CU_ASSERT(span_is_text(http_head_get(&broken, "empty"), ""));
    http_head_scan(span_of_text(""), &broken);
    CU_ASSERT_EQUAL(broken.fields, 0);
}

SUITE(http_head, TEST(test_fields_are_found_in_a_head_that_cannot_be_read),
      TEST(test_a_request_is_read), TEST(test_a_response_is_read),
      TEST(test_keep_alive_follows_version_and_connection), TEST(test_expect_is_known),
      TEST(test_a_length_beside_a_coding_is_refused),
      TEST(test_two_lengths_are_refused_even_when_equal), TEST(test_lengths_are_plain_numbers),
      TEST(test_only_chunked_is_a_coding), TEST(test_blanks_before_the_colon_are_refused),
      TEST(test_folded_lines_are_refused), TEST(test_bare_line_ends_are_refused),
      TEST(test_control_bytes_are_refused), TEST(test_one_host_is_needed),
      TEST(test_other_versions_and_methods_are_refused),
      TEST(test_raw_bytes_in_the_target_are_refused_or_passed_whole),
      TEST(test_too_many_fields_are_refused), TEST(test_a_head_that_is_too_long_is_refused),
      TEST(test_the_end_is_found_at_every_split),
      TEST(test_what_is_refused_is_refused_at_every_split),
      TEST(test_pipelined_heads_are_found_one_after_another))
