// SPDX-License-Identifier: MIT
/*
 * A stranger's bytes as a stream of requests. Reading them in one piece or byte by byte must come
 * to the same; a chunked body that llhttp takes too must have the same bytes and the same end. (It
 * refuses some chunk extensions that we drop.)
 */
#include "gateway/http_body.h"
#include "gateway/rest_headers.h"
#include "gateway/rest_target.h"
#include "gateway/write.h"

#include <llhttp/llhttp.h>

#include <assert.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_head(const struct http_head *head)
{
    struct rest_fields fields;
    struct rest_target target;
    struct rest_want want;
    assert(!(head->chunked && head->has_length));
    rest_headers_of_request(head, &fields);
    ignore(rest_headers_check(&fields));
    ignore(rest_headers_read_want(&fields, 1000, &want));
    ignore(rest_target_parse(rest_target_origin(head->target), &target));
}

static int gather(llhttp_t *parser, const char *at, size_t size)
{
    write_span(parser->data, span_of(at, size));
    return 0;
}

static int stop(llhttp_t *parser)
{
    (void)parser;
    return HPE_PAUSED;
}

/* `whole`: the head and its complete chunked body, as we read it. */
static void check_against_llhttp(struct span whole, struct span body)
{
    llhttp_settings_t settings;
    llhttp_t parser;
    OWNED(bytes) theirs = bytes_empty(64);
    llhttp_settings_init(&settings);
    settings.on_body = gather;
    settings.on_message_complete = stop;
    llhttp_init(&parser, HTTP_REQUEST, &settings);
    parser.data = theirs;
    llhttp_errno_t error = llhttp_execute(&parser, (const char *)whole.at, whole.size);
    assert(error != HPE_OK); /* it would wait for more */
    if (error != HPE_PAUSED)
        return;
    assert(span_equal(bytes_span(theirs), body));
    assert(llhttp_get_error_pos(&parser) == (const char *)whole.at + whole.size);
}

static bool take_body(struct http_body *body, struct span *in, size_t step, struct bytes *out)
{
    while (in->size > 0 && !body->done) {
        size_t size = in->size < step ? in->size : step;
        struct span now = span_of(in->at, size), piece;
        if (failed(http_body_take(body, &now, &piece)))
            return false;
        write_span(out, piece);
        size_t used = size - now.size;
        *in = span_of(in->at + used, in->size - used);
    }
    return body->done;
}

/* False when the stream cannot go on. */
static bool take_message(struct span *in)
{
    static struct http_head head;
    size_t seen = 0, size = 0, dripped_seen = 0, dripped = 0;
    struct span whole = *in;
    fault f = http_head_measure(*in, &seen, &size), drip = DONE;
    for (size_t i = 0; i <= in->size && dripped == 0 && !failed(drip); i++)
        drip = http_head_measure(span_of(in->at, i), &dripped_seen, &dripped);
    assert(f.code == drip.code && (failed(f) || size == dripped));
    if (failed(f) || size == 0 ||
        failed(http_head_parse(HTTP_IS_REQUEST, span_of(in->at, size), &head)))
        return false;
    check_head(&head);
    struct http_body body = http_body_of_request(&head), slow = body;
    bool chunked = body.kind == BODY_CHUNKED;
    OWNED(bytes) out = bytes_empty(64);
    OWNED(bytes) slow_out = bytes_empty(64);
    *in = span_of(in->at + size, in->size - size);
    struct span again = *in;
    bool done = take_body(&body, in, SIZE_MAX, out);
    assert(take_body(&slow, &again, 1, slow_out) == done);
    assert(!done || span_equal(bytes_span(out), bytes_span(slow_out)));
    if (done && chunked)
        check_against_llhttp(span_of(whole.at, whole.size - in->size), bytes_span(out));
    return done;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct span in = span_of(data, size);
    for (int i = 0; i < 8 && in.size > 0; i++)
        if (!take_message(&in))
            break;
    return 0;
}
