// SPDX-License-Identifier: MIT
/* Two leaves for one act; and a log that is full of them. */
#include "tests/unit/tools/forge.h"

#define FEW 400

/* `count` requests of one exchange. */
static struct forge *many(size_t count)
{
    struct forge *self = forge_new(PROVIDER);
    uint8_t id[EXCHANGE_ID_BYTES] = {7};
    forge_own(self, HEADER_STARTED);
    for (size_t i = 0; i < count; i++) {
        struct header header = forge_header(self, CALLER, HEADER_REQUEST);
        memcpy(header.exchange_id, id, sizeof id);
        forge_append(self, CALLER, &header, header.time_ms);
    }
    return self;
}

static void test_each_further_request_of_one_exchange_is_found(void)
{
    OWNED(forge) self = many(3);
    forge_finds(self, "one record for one act", 2, -1);
}

static void test_two_signatures_under_one_header_are_told_apart_from_two_headers(void)
{
    OWNED(forge) self = many(1);
    struct header header = forge_header(self, CALLER, HEADER_REQUEST);
    OWNED(bytes) blob = NULL;
    OWNED(bytes) encoded = NULL;
    MUST(letter_blob(span_of_text("content"), &blob));
    header.payload_sha256 = letter_commitment(bytes_span(blob));
    header.payload_bytes = blob->size - SALT_BYTES;
    MUST(header_encode(&header, &encoded));
    for (int i = 0; i < 2; i++) {
        OWNED(bytes)
        leaf = book_sign(self->sign[CALLER], self->certificate[CALLER], encoded, header.time_ms);
        struct audit_record record = {.leaf = bytes_span(leaf), .blob = bytes_span(blob)};
        MUST(audit_log_append(self->log, &record, 1, self->time_ms));
    }
    self->head = audit_log_head(self->log);
    forge_own(self, HEADER_STOPPED);
    forge_checkpoint(self);
    forge_publish(self);
    json_t *said = forge_verify(self);
    CU_ASSERT_EQUAL(forge_count(said, "one record for one act", "type 6"), 1);
    CU_ASSERT_EQUAL(json_integer_value(json_object_get(said, "count")), 1);
    json_decref(said);
}

static int64_t time_of(size_t count)
{
    OWNED(forge) self = many(count);
    forge_own(self, HEADER_STOPPED);
    forge_checkpoint(self);
    forge_publish(self);
    return forge_verify_ms(self);
}

/* Reading the log again for each of them would make it sixteen times. */
static void test_four_times_as_many_take_four_times_as_long(void)
{
    int64_t few_ms = time_of(FEW), many_ms = time_of(4 * FEW);
    if (many_ms >= 9 * (few_ms + 1))
        fprintf(stderr, "  %d in %lld ms, %d in %lld ms\n", FEW, (long long)few_ms, 4 * FEW,
                (long long)many_ms);
    CU_ASSERT(many_ms < 9 * (few_ms + 1));
}

SUITE(verify_twins, TEST(test_each_further_request_of_one_exchange_is_found),
      TEST(test_two_signatures_under_one_header_are_told_apart_from_two_headers),
      TEST(test_four_times_as_many_take_four_times_as_long))
