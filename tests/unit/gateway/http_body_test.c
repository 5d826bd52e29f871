// SPDX-License-Identifier: MIT
#include "gateway/http_body.h"

#include "gateway/write.h"
#include "tests/unit/unit.h"

/* Feeds `text` in steps of `step` bytes; returns what was left when the body ended. */
static fault feed(struct http_body *body, const char *text, size_t step, struct bytes *out,
                  size_t *left)
{
    size_t length = strlen(text);
    for (size_t at = 0; at < length && !body->done;) {
        size_t size = length - at < step ? length - at : step;
        struct span in = span_of(text + at, size);
        while (in.size > 0 && !body->done) {
            struct span piece;
            TRY(http_body_take(body, &in, &piece));
            write_span(out, piece);
        }
        at += size - in.size;
        *left = length - at;
    }
    return DONE;
}

static void expect_chunked(const char *text, const char *wanted, size_t wanted_left)
{
    for (size_t step = 1; step <= strlen(text); step++) {
        struct http_body body = {.kind = BODY_CHUNKED};
        OWNED(bytes) out = bytes_empty(64);
        size_t left = 0;
        MUST(feed(&body, text, step, out, &left));
        CU_ASSERT(body.done);
        CU_ASSERT(span_is_text(bytes_span(out), wanted));
        CU_ASSERT_EQUAL(left, wanted_left);
    }
}

static void refuse_chunked(const char *text)
{
    for (size_t step = 1; step <= strlen(text); step++) {
        struct http_body body = {.kind = BODY_CHUNKED};
        OWNED(bytes) out = bytes_empty(64);
        size_t left = 0;
        MUST_FAIL(BAD_REQUEST, feed(&body, text, step, out, &left));
        CU_ASSERT(!body.done);
    }
}

static void test_chunks_are_joined_at_every_split(void)
{
    expect_chunked("5\r\nhello\r\n6\r\n world\r\n0\r\n\r\n", "hello world", 0);
    expect_chunked("0\r\n\r\n", "", 0);
    expect_chunked("A\r\n0123456789\r\n0\r\n\r\nGET /next", "0123456789", 9);
    expect_chunked("00000a\r\n0123456789\r\n000\r\n\r\n", "0123456789", 0);
}

static void test_extensions_and_trailers_are_dropped(void)
{
    expect_chunked("3;a=b;c=\"d\"\r\nabc\r\n0;x\r\nTrailer: t\r\nOther: u\r\n\r\nX", "abc", 1);
}

static void test_broken_chunks_are_refused(void)
{
    refuse_chunked("\r\n");
    refuse_chunked("x\r\n");
    refuse_chunked("-1\r\n");
    refuse_chunked("+3\r\nabc\r\n");
    refuse_chunked("0x3\r\nabc\r\n");
    refuse_chunked(" 3\r\nabc\r\n");
    refuse_chunked("3 \r\nabc\r\n");
    refuse_chunked("3\nabc\r\n");
    refuse_chunked("3\r\nabcd\r\n");
    refuse_chunked("3\r\nabc\n0\r\n");
    refuse_chunked("3\r\nabc\r0\r\n");
    refuse_chunked("3;a\nb\r\nabc\r\n");
    refuse_chunked("3\rx\r\n");
    refuse_chunked("123456789\r\n");
    refuse_chunked("0\r\nA: b\nC: d\r\n\r\n");
    refuse_chunked("0\r\n folded\r\n\r\n");
    refuse_chunked("0\r\n\rx");
    refuse_chunked("0\r\nno colon\r\n\r\n");
    refuse_chunked("0\r\n: no name\r\n\r\n");
}

static void test_long_chunk_lines_and_trailers_are_refused(void)
{
    static char text[TRAILER_BYTES_MAX + 100];
    memset(text, 'x', sizeof text - 1);
    struct http_body body = {.kind = BODY_CHUNKED};
    OWNED(bytes) out = bytes_empty(64);
    size_t left = 0;
    memcpy(text, "0\r\n", 3);
    MUST_FAIL(BAD_REQUEST, feed(&body, text, 4096, out, &left));
    memcpy(text, "0;x", 3);
    body = (struct http_body){.kind = BODY_CHUNKED};
    MUST_FAIL(BAD_REQUEST, feed(&body, text, 4096, out, &left));
}

static void test_a_sized_body_ends_by_count(void)
{
    struct http_body body = {.kind = BODY_SIZED, .left = 5};
    OWNED(bytes) out = bytes_empty(64);
    size_t left = 0;
    MUST(feed(&body, "helloGET", 3, out, &left));
    CU_ASSERT(body.done);
    CU_ASSERT(span_is_text(bytes_span(out), "hello"));
    CU_ASSERT_EQUAL(left, 3);
}

static void test_who_has_a_body(void)
{
    struct http_head head = {.has_length = true, .length = 0};
    CU_ASSERT(http_body_of_request(&head).done);
    head.length = 1;
    CU_ASSERT_EQUAL(http_body_of_request(&head).kind, BODY_SIZED);
    head = (struct http_head){.fields = 0};
    CU_ASSERT(http_body_of_request(&head).done);
    head.status = 200;
    CU_ASSERT_EQUAL(http_body_of_response(&head, false).kind, BODY_UNTIL_CLOSE);
    head.has_length = true;
    head.length = 7;
    CU_ASSERT_EQUAL(http_body_of_response(&head, false).kind, BODY_SIZED);
    CU_ASSERT(http_body_of_response(&head, true).done);
    head.status = 304;
    CU_ASSERT(http_body_of_response(&head, false).done);
    head.status = 204;
    CU_ASSERT(http_body_of_response(&head, false).done);
    head = (struct http_head){.status = 200, .chunked = true};
    CU_ASSERT_EQUAL(http_body_of_response(&head, false).kind, BODY_CHUNKED);
}

SUITE(http_body, TEST(test_chunks_are_joined_at_every_split),
      TEST(test_extensions_and_trailers_are_dropped), TEST(test_broken_chunks_are_refused),
      TEST(test_long_chunk_lines_and_trailers_are_refused), TEST(test_a_sized_body_ends_by_count),
      TEST(test_who_has_a_body))
