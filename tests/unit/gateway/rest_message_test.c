// SPDX-License-Identifier: MIT
#include "gateway/rest_message.h"

#include "gateway/rest_headers.h"
#include "gateway/write.h"
#include "tests/unit/unit.h"

#include "rest.pb-c.h"

static struct bytes *our_request(const char *body)
{
    struct rest_fields header = {.count = 0};
    struct bytes *out = bytes_empty(64);
    rest_headers_add(&header, "Accept", span_of_text("a"));
    rest_headers_add(&header, "Empty", span_of_text(""));
    rest_headers_add(&header, "Raw", span_of_text("\xff\xfe"));
    rest_request_write(span_of_text("GET"), span_of_text("/r1/a?b"), &header, out);
    rest_body_begin(strlen(body), out);
    write_text(out, body);
    return out;
}

static void test_the_generated_code_reads_what_we_write(void)
{
    OWNED(bytes) ours = our_request("body");
    Chaski__RestRequest *theirs = chaski__rest_request__unpack(NULL, ours->size, ours->data);
    CU_ASSERT_PTR_NOT_NULL_FATAL(theirs);
    CU_ASSERT_STRING_EQUAL(theirs->method, "GET");
    CU_ASSERT_STRING_EQUAL(theirs->target, "/r1/a?b");
    CU_ASSERT_EQUAL_FATAL(theirs->n_header, 3);
    CU_ASSERT_STRING_EQUAL(theirs->header[0]->name, "Accept");
    CU_ASSERT_EQUAL(theirs->header[1]->value.len, 0);
    CU_ASSERT_EQUAL(theirs->header[2]->value.data[1], 0xfe);
    CU_ASSERT_EQUAL(theirs->body.len, 4);
    chaski__rest_request__free_unpacked(theirs, NULL);
}

static void test_we_write_the_same_bytes_as_the_generated_code(void)
{
    static const char *const bodies[] = {"", "x", "body"};
    for (size_t i = 0; i < 3; i++) {
        OWNED(bytes) ours = our_request(bodies[i]);
        Chaski__RestRequest *theirs = chaski__rest_request__unpack(NULL, ours->size, ours->data);
        uint8_t again[512];
        CU_ASSERT_EQUAL(chaski__rest_request__get_packed_size(theirs), ours->size);
        chaski__rest_request__pack(theirs, again);
        CU_ASSERT_EQUAL(memcmp(again, ours->data, ours->size), 0);
        chaski__rest_request__free_unpacked(theirs, NULL);
    }
}

static void test_we_read_what_we_write(void)
{
    OWNED(bytes) ours = our_request("body");
    struct rest_request read;
    MUST(rest_request_read(bytes_span(ours), &read));
    CU_ASSERT(span_is_text(read.method, "GET"));
    CU_ASSERT(span_is_text(read.target, "/r1/a?b"));
    CU_ASSERT_EQUAL(read.header.count, 3);
    CU_ASSERT(span_is_text(read.header.field[2].value, "\xff\xfe"));
    CU_ASSERT(span_is_text(read.body, "body"));
}

static void test_responses_agree_with_the_generated_code(void)
{
    Chaski__RestResponse theirs = CHASKI__REST_RESPONSE__INIT;
    Chaski__Field field = CHASKI__FIELD__INIT, *fields[] = {&field};
    uint8_t hash[64] = {1, 2, 3}, packed[512], body[300] = {7};
    field.name = (char[]){"Content-Type"};
    field.value = (ProtobufCBinaryData){3, body};
    theirs.status = 404;
    theirs.n_header = 1;
    theirs.header = fields;
    theirs.request_hash = (ProtobufCBinaryData){sizeof hash, hash};
    theirs.body = (ProtobufCBinaryData){sizeof body, body};
    size_t size = chaski__rest_response__pack(&theirs, packed);
    struct rest_response read;
    MUST(rest_response_read(span_of(packed, size), &read));
    CU_ASSERT_EQUAL(read.status, 404);
    CU_ASSERT(span_equal(read.request_hash, span_of(hash, sizeof hash)));
    CU_ASSERT_EQUAL(read.header.count, 1);
    CU_ASSERT(span_equal(read.body, span_of(body, sizeof body)));
    OWNED(bytes) ours = bytes_empty(64);
    rest_response_write(404, &read.header, read.request_hash, ours);
    rest_body_begin(read.body.size, ours);
    write_span(ours, read.body);
    CU_ASSERT(span_equal(bytes_span(ours), span_of(packed, size)));
}

static void test_a_cut_message_is_refused_or_shorter(void)
{
    OWNED(bytes) ours = our_request("body");
    size_t refused = 0;
    for (size_t size = 0; size < ours->size; size++) {
        struct rest_request read;
        fault f = rest_request_read(span_of(ours->data, size), &read);
        CU_ASSERT(!failed(f) || f.code == BAD_FRAME);
        CU_ASSERT(failed(f) || read.body.size == 0);
        refused += failed(f);
    }
    CU_ASSERT(refused > ours->size / 2);
}

static void test_too_many_fields_are_refused(void)
{
    OWNED(bytes) out = bytes_empty(64);
    struct rest_fields header = {.count = 0};
    struct rest_request read;
    for (int i = 0; i < REST_FIELDS_MAX; i++)
        rest_headers_add(&header, "a", span_of_text("b"));
    rest_request_write(span_of_text("GET"), span_of_text("/"), &header, out);
    MUST(rest_request_read(bytes_span(out), &read));
    header.count = 1;
    rest_request_write(span_of_text(""), span_of_text(""), &header, out);
    MUST_FAIL(BAD_FRAME, rest_request_read(bytes_span(out), &read));
}

SUITE(rest_message, TEST(test_the_generated_code_reads_what_we_write),
      TEST(test_we_write_the_same_bytes_as_the_generated_code), TEST(test_we_read_what_we_write),
      TEST(test_responses_agree_with_the_generated_code),
      TEST(test_a_cut_message_is_refused_or_shorter), TEST(test_too_many_fields_are_refused))
