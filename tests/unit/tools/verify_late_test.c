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

/* Else the look would be in nobody's view, or in somebody else's. */
static void test_a_receipt_that_tells_of_another_person_is_found(void)
{
    static const uint8_t pseudonym[32] = {7};
    OWNED(forge) self = provider_with_an_exchange();
    struct header lost;
    OWNED(bytes) leaf = lost_leaf(self, &lost);
    struct late_receipt receipt = receipt_of(leaf, &lost);
    struct header header = forge_header(self, PROVIDER, HEADER_LATE);
    memcpy(header.exchange_id, lost.exchange_id, EXCHANGE_ID_BYTES);
    header.receiver_server = span_of_text(forge_server[CALLER]);
    header.service = lost.service;
    header.subject = span_of(pseudonym, sizeof pseudonym);
    header.subject_year = 2026;
    header.late = &receipt;
    forge_append_with(self, PROVIDER, &header, header.time_ms, bytes_span(leaf));
    forge_finds(self, "late receipts", 1, 3);
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

// --- two logs -----------------------------------------------------------------------------------

/* The caller's log has the request and the answer; the provider's has the request only. */
static struct forge *provider_who_suppressed(struct bytes **answer)
{
    struct merkle none = {0};
    struct forge *self = forge_new(CALLER);
    OWNED(bytes) leaf = NULL;
    OWNED(bytes) blob = NULL;
    OWNED(bytes) answer_blob = NULL;
    forge_own(self, HEADER_STARTED);
    struct header request = forge_header(self, CALLER, HEADER_REQUEST);
    struct header response = forge_header(self, PROVIDER, HEADER_RESPONSE);
    response.has_reply_to = true;
    response.reply_to = forge_append(self, CALLER, &request, request.time_ms);
    memcpy(response.exchange_id, request.exchange_id, EXCHANGE_ID_BYTES);
    response.time_ms = self->time_ms;
    response.log_root = merkle_root(&none);
    forge_append(self, PROVIDER, &response, response.time_ms);
    MUST(audit_log_read(self->log, audit_place(1, 1), &leaf, &blob));
    MUST(audit_log_read(self->log, audit_place(1, 2), answer, &answer_blob));
    forge_other_side(self);
    self->sealed = true;
    forge_own(self, HEADER_STARTED);
    struct audit_record record = {.leaf = bytes_span(leaf), .blob = bytes_span(blob)};
    MUST(audit_log_append(self->log, &record, 1, self->time_ms));
    self->head = audit_log_head(self->log);
    return self;
}

/* ... and says that it came late, with one thing changed. */
static void excuse(struct forge *self, const struct bytes *answer, int what)
{
    struct cades_parts parts;
    OWNED(header_read) read = NULL;
    MUST(cades_parse(bytes_span(answer), &parts));
    MUST(header_decode(parts.content, &read));
    struct header lost = *header_of(read);
    struct late_receipt receipt = receipt_of(answer, &lost);
    struct header header = forge_header(self, PROVIDER, HEADER_LATE);
    receipt.own = what != 0;
    receipt.kind = what == 1 ? HEADER_FAULT : receipt.kind;
    receipt.time_ms += what == 2;
    memcpy(header.exchange_id, lost.exchange_id, EXCHANGE_ID_BYTES);
    header.exchange_id[3] ^= what == 3;
    header.service = what == 4 ? span_of_text(DANE "/DIVIPOLA/otro") : lost.service;
    header.receiver_server = span_of_text(what == 5 ? DANE "/SS2" : forge_server[CALLER]);
    header.late = &receipt;
    forge_append_with(self, PROVIDER, &header, header.time_ms, bytes_span(answer));
}

static size_t findings_of(const json_t *said, const char *rule, const char *with)
{
    size_t index, count = 0;
    json_t *finding;
    json_array_foreach(json_object_get(said, "findings"), index, finding)
    {
        const char *found = json_string_value(json_object_get(finding, "rule"));
        const char *what = json_string_value(json_object_get(finding, "what"));
        count += strcmp(found, rule) == 0 && strstr(what, with) != NULL;
    }
    return count;
}

static json_t *verdict_on(struct forge *self)
{
    forge_own(self, HEADER_STOPPED);
    forge_checkpoint(self);
    forge_publish(self);
    return forge_verify(self);
}

static void test_a_suppressed_answer_is_found_and_a_receipt_tells_that_it_came_back(void)
{
    for (int receipt = 0; receipt < 2; receipt++) {
        OWNED(bytes) answer = NULL;
        OWNED(forge) self = provider_who_suppressed(&answer);
        if (receipt)
            excuse(self, answer, 6);
        json_t *said = verdict_on(self);
        CU_ASSERT_EQUAL(json_array_size(json_object_get(said, "findings")), 1);
        CU_ASSERT_EQUAL(findings_of(said, "both sides hold the same leaves",
                                    receipt ? "(healed)" : "is not in its own log (type 4"),
                        1);
        json_decref(said);
    }
}

/* Sealed, the receipt is known by its own words only: the other log has the leaf. */
static void test_a_receipt_that_lies_about_a_suppressed_leaf_excuses_nothing(void)
{
    static const char *const words[] = {"who signed it", "its kind",    "its time",
                                        "its exchange",  "its service", "the other server"};
    for (int what = 0; what < 6; what++) {
        OWNED(bytes) answer = NULL;
        OWNED(forge) self = provider_who_suppressed(&answer);
        excuse(self, answer, what);
        json_t *said = verdict_on(self);
        CU_ASSERT_EQUAL(findings_of(said, "late receipts", words[what]), 1);
        CU_ASSERT_EQUAL(
            findings_of(said, "both sides hold the same leaves", "is not in its own log (type 4"),
            1);
        CU_ASSERT_EQUAL(json_array_size(json_object_get(said, "findings")),
                        what == 0 ? 2 : 3); /* one that says whose it was is found by itself */
        json_decref(said);
    }
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
      TEST(test_a_receipt_that_tells_of_another_person_is_found),
      TEST(test_a_leaf_that_came_late_twice_is_found),
      TEST(test_a_receipt_for_a_leaf_that_was_there_is_found),
      TEST(test_a_receipt_that_says_otherwise_than_its_leaf_is_found),
      TEST(test_a_late_leaf_without_its_signature_is_found),
      TEST(test_a_server_that_had_lost_its_own_act_is_found),
      TEST(test_a_suppressed_answer_is_found_and_a_receipt_tells_that_it_came_back),
      TEST(test_a_receipt_that_lies_about_a_suppressed_leaf_excuses_nothing),
      TEST(test_two_requests_under_one_number_are_found),
      TEST(test_an_answer_from_before_its_request_stood_in_the_log_is_found),
      TEST(test_an_answer_dated_long_before_its_request_is_found))
