// SPDX-License-Identifier: MIT
#include "lib/crypto/merkle.h"
#include "tests/unit/tools/forge.h"

/* A request of the caller that is in no log. */
static struct bytes *lost_leaf(struct forge *self, struct header *out)
{
    OWNED(bytes) encoded = NULL;
    *out = forge_header(self, CALLER, HEADER_REQUEST);
    self->time_ms += 10;
    MUST(header_encode(out, &encoded));
    return book_sign(self->sign[CALLER], self->certificate[CALLER], encoded, out->time_ms);
}

static struct late_receipt receipt_of(const struct bytes *leaf, const struct header *header)
{
    return (struct late_receipt){merkle_leaf_hash(bytes_span(leaf)), header->time_ms, header->kind,
                                 false};
}

/* What the provider says of it. */
static void take_in(struct forge *self, const struct bytes *leaf, const struct header *lost,
                    const struct late_receipt *receipt)
{
    struct header header = forge_header(self, PROVIDER, HEADER_LATE);
    memcpy(header.exchange_id, lost->exchange_id, EXCHANGE_ID_BYTES);
    header.receiver_server = span_of_text(forge_server[CALLER]);
    header.service = lost->service;
    header.late = receipt;
    forge_append_with(self, PROVIDER, &header, header.time_ms, bytes_span(leaf));
}

static struct forge *provider_with_an_exchange(void)
{
    struct forge *self = forge_new(PROVIDER);
    forge_own(self, HEADER_STARTED);
    forge_exchange(self);
    return self;
}

static void test_a_leaf_that_came_late_is_no_finding_and_is_told(void)
{
    OWNED(forge) self = provider_with_an_exchange();
    struct header lost;
    OWNED(bytes) leaf = lost_leaf(self, &lost);
    struct late_receipt receipt = receipt_of(leaf, &lost);
    take_in(self, leaf, &lost, &receipt);
    forge_finds(self, "", 0, -1);
    json_t *said = forge_verify(self), *remark;
    size_t index, told = 0;
    json_array_foreach(json_object_get(said, "remarks"), index, remark) told +=
        strstr(json_string_value(json_object_get(remark, "what")), "1 leaf came late") != NULL;
    CU_ASSERT_EQUAL(told, 1);
    json_decref(said);
}

static void test_a_leaf_that_came_late_twice_is_found(void)
{
    OWNED(forge) self = provider_with_an_exchange();
    struct header lost;
    OWNED(bytes) leaf = lost_leaf(self, &lost);
    struct late_receipt receipt = receipt_of(leaf, &lost);
    take_in(self, leaf, &lost, &receipt);
    take_in(self, leaf, &lost, &receipt);
    forge_finds(self, "late receipts", 1, 4);
}

static void test_a_receipt_for_a_leaf_that_was_there_is_found(void)
{
    OWNED(forge) self = forge_new(PROVIDER);
    forge_own(self, HEADER_STARTED);
    struct header request = forge_header(self, CALLER, HEADER_REQUEST), lost;
    struct sha256 there = forge_append(self, CALLER, &request, request.time_ms);
    OWNED(bytes) leaf = lost_leaf(self, &lost);
    struct late_receipt receipt = receipt_of(leaf, &lost);
    receipt.leaf_hash = there;
    take_in(self, leaf, &lost, &receipt); /* whose payload is another leaf: found too */
    forge_finds(self, "late receipts", 2, 2);
}

static void test_a_receipt_that_says_otherwise_than_its_leaf_is_found(void)
{
    for (int what = 0; what < 4; what++) {
        OWNED(forge) self = provider_with_an_exchange();
        struct header lost;
        OWNED(bytes) leaf = lost_leaf(self, &lost);
        struct late_receipt receipt = receipt_of(leaf, &lost);
        receipt.leaf_hash.at[7] ^= what == 0;
        receipt.time_ms += what == 1;
        receipt.kind = what == 2 ? HEADER_FAULT : receipt.kind;
        lost.exchange_id[0] ^= what == 3;
        take_in(self, leaf, &lost, &receipt);
        forge_finds(self, "late receipts", 1, 3);
    }
}

/* Whoever keeps the log has made it up. */
static void test_a_late_leaf_without_its_signature_is_found(void)
{
    OWNED(forge) self = provider_with_an_exchange();
    OWNED(bytes) encoded = NULL;
    struct header lost = forge_header(self, CALLER, HEADER_REQUEST);
    MUST(header_encode(&lost, &encoded));
    OWNED(bytes)
    leaf = book_sign(self->sign[PROVIDER], self->certificate[CALLER], encoded, lost.time_ms);
    struct late_receipt receipt = receipt_of(leaf, &lost);
    take_in(self, leaf, &lost, &receipt);
    forge_finds(self, "late receipts", 1, 3);
}

static void test_a_server_that_had_lost_its_own_act_is_found(void)
{
    OWNED(forge) self = provider_with_an_exchange();
    OWNED(bytes) encoded = NULL;
    struct header lost = forge_header(self, PROVIDER, HEADER_RESPONSE);
    MUST(header_encode(&lost, &encoded));
    OWNED(bytes)
    leaf = book_sign(self->sign[PROVIDER], self->certificate[PROVIDER], encoded, lost.time_ms);
    struct late_receipt receipt = receipt_of(leaf, &lost);
    receipt.own = true;
    take_in(self, leaf, &lost, &receipt);
    forge_finds(self, "both sides hold the same leaves", 1, 3);
}

// --- acts ---------------------------------------------------------------------------------------

static void test_two_requests_under_one_number_are_found(void)
{
    OWNED(forge) self = provider_with_an_exchange();
    struct header one = forge_header(self, CALLER, HEADER_REQUEST);
    forge_append(self, CALLER, &one, one.time_ms);
    struct header other = forge_header(self, CALLER, HEADER_REQUEST);
    memcpy(other.exchange_id, one.exchange_id, EXCHANGE_ID_BYTES);
    forge_append(self, CALLER, &other, other.time_ms);
    forge_finds(self, "one record for one act", 1, 4);
}

static void test_an_answer_from_before_its_request_stood_in_the_log_is_found(void)
{
    OWNED(forge) self = provider_with_an_exchange();
    struct audit_head before = self->head;
    struct header request = forge_header(self, CALLER, HEADER_REQUEST);
    struct sha256 asked = forge_append(self, CALLER, &request, request.time_ms);
    struct header response = forge_header(self, PROVIDER, HEADER_RESPONSE);
    memcpy(response.exchange_id, request.exchange_id, EXCHANGE_ID_BYTES);
    response.has_reply_to = true;
    response.reply_to = asked;
    response.log_size = before.size;
    response.log_root = before.root;
    forge_append(self, PROVIDER, &response, response.time_ms);
    forge_finds(self, "request precedes answer", 1, 4);
}

static void test_an_answer_dated_long_before_its_request_is_found(void)
{
    OWNED(forge) self = provider_with_an_exchange();
    struct header request = forge_header(self, CALLER, HEADER_REQUEST);
    struct sha256 asked = forge_append(self, CALLER, &request, request.time_ms);
    struct header response = forge_header(self, PROVIDER, HEADER_RESPONSE);
    response.has_reply_to = true;
    response.reply_to = asked;
    response.time_ms = request.time_ms - FRESH_FUTURE_MS - 1;
    forge_append(self, PROVIDER, &response, response.time_ms);
    forge_finds(self, "time", 1, 4);
}

SUITE(verify_late, TEST(test_a_leaf_that_came_late_is_no_finding_and_is_told),
      TEST(test_a_leaf_that_came_late_twice_is_found),
      TEST(test_a_receipt_for_a_leaf_that_was_there_is_found),
      TEST(test_a_receipt_that_says_otherwise_than_its_leaf_is_found),
      TEST(test_a_late_leaf_without_its_signature_is_found),
      TEST(test_a_server_that_had_lost_its_own_act_is_found),
      TEST(test_two_requests_under_one_number_are_found),
      TEST(test_an_answer_from_before_its_request_stood_in_the_log_is_found),
      TEST(test_an_answer_dated_long_before_its_request_is_found))
