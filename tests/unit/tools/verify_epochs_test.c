// SPDX-License-Identifier: MIT
/* A log in two epochs: what the record between them must say, and what it must not hide. */
#include "tests/unit/tools/forge.h"

#define LEFT 4 /* entries of the first epoch */

/* An epoch of one exchange between a start and a stop, with its checkpoint. */
static struct forge *first_epoch(struct epoch_closed *closed)
{
    struct forge *self = forge_new(PROVIDER);
    forge_own(self, HEADER_STARTED);
    forge_exchange(self);
    forge_own(self, HEADER_STOPPED);
    forge_checkpoint(self);
    CU_ASSERT_EQUAL_FATAL(self->head.size, LEFT);
    *closed = (struct epoch_closed){
        .epoch = 1, .size = self->head.size, .root = self->head.root, .asked = 1, .answered = 1};
    return self;
}

static void begin_second(struct forge *self, const struct epoch_closed *closed)
{
    forge_open(self, 2);
    struct header header = forge_header(self, PROVIDER, HEADER_INCIDENT);
    header.closed = closed;
    forge_append(self, PROVIDER, &header, header.time_ms);
    forge_own(self, HEADER_STARTED);
}

static void test_an_epoch_closed_without_loss_is_clean(void)
{
    struct epoch_closed closed;
    OWNED(forge) self = first_epoch(&closed);
    struct epoch_head head = {forge_server[CALLER], 1, closed.size, closed.root};
    closed.heads = 1;
    closed.head = &head;
    begin_second(self, &closed);
    forge_exchange(self);
    forge_finds(self, "", 0, -1);
}

static void test_a_larger_head_that_somebody_holds_is_a_lost_tail(void)
{
    struct epoch_closed closed;
    OWNED(forge) self = first_epoch(&closed);
    struct epoch_head head = {forge_server[CALLER], 1, closed.size + 3, {{9}}};
    closed.heads = 1;
    closed.head = &head;
    begin_second(self, &closed);
    forge_finds(self, "lost tail", 1, -1);
}

static void test_a_named_head_with_another_root_is_a_fork(void)
{
    struct epoch_closed closed;
    OWNED(forge) self = first_epoch(&closed);
    struct epoch_head head = {forge_server[CALLER], 1, closed.size - 1, {{9}}};
    closed.heads = 1;
    closed.head = &head;
    begin_second(self, &closed);
    forge_finds(self, "one history", 1, 0);
}

static void test_an_epoch_that_begins_in_silence_is_found(void)
{
    struct epoch_closed closed;
    OWNED(forge) self = first_epoch(&closed);
    forge_open(self, 2);
    forge_own(self, HEADER_STARTED);
    forge_finds(self, "epoch", 1, 0);
}

static void test_more_is_gone_than_when_it_was_closed(void)
{
    struct epoch_closed closed;
    OWNED(forge) self = first_epoch(&closed);
    closed.size++;
    begin_second(self, &closed);
    forge_finds(self, "epoch", 1, -1);
}

static void test_another_root_than_when_it_was_closed(void)
{
    struct epoch_closed closed;
    OWNED(forge) self = first_epoch(&closed);
    closed.root.at[5] ^= 1;
    begin_second(self, &closed);
    forge_finds(self, "epoch", 1, -1);
}

/* What was put back after the closing fits, and harms nobody. */
static void test_entries_that_were_found_again_are_a_remark(void)
{
    struct epoch_closed closed;
    OWNED(forge) self = first_epoch(&closed);
    struct epoch_head head = {forge_server[CALLER], 1, closed.size, closed.root};
    closed.heads = 1;
    closed.head = &head;
    /* the record says that one entry is left: the first, whose leaf is the whole tree */
    OWNED(bytes) leaf = NULL;
    OWNED(bytes) blob = NULL;
    MUST(audit_log_read(self->log, audit_place(1, 0), &leaf, &blob));
    closed.size = 1;
    closed.root = merkle_leaf_hash(bytes_span(leaf));
    begin_second(self, &closed);
    forge_finds(self, "", 0, -1);
}

/* ... but only as far as somebody held a head of them: what lies beyond may be of yesterday. */
static void test_entries_beyond_every_head_of_a_closed_epoch_are_found(void)
{
    struct epoch_closed closed;
    OWNED(forge) self = first_epoch(&closed);
    OWNED(bytes) leaf = NULL;
    OWNED(bytes) blob = NULL;
    MUST(audit_log_read(self->log, audit_place(1, 0), &leaf, &blob));
    closed.size = 1;
    closed.root = merkle_leaf_hash(bytes_span(leaf));
    begin_second(self, &closed);
    forge_finds(self, "epoch", 1, 1);
}

static void test_a_record_that_closes_another_epoch_is_found(void)
{
    struct epoch_closed closed;
    OWNED(forge) self = first_epoch(&closed);
    closed.epoch = 3;
    forge_open(self, 2);
    struct header header = forge_header(self, PROVIDER, HEADER_INCIDENT);
    header.closed = &closed;
    header.log_epoch = 4;
    forge_append(self, PROVIDER, &header, header.time_ms);
    forge_own(self, HEADER_STOPPED);
    forge_checkpoint(self);
    forge_publish(self);
    json_t *said = forge_verify(self);
    CU_ASSERT_EQUAL(forge_count(said, "epoch", "it closes epoch 3"), 1);
    json_decref(said);
}

/* An answer in the second epoch to a request of the first: it is there, and it runs once. */
static void test_an_answer_finds_its_request_in_the_epoch_before(void)
{
    struct epoch_closed closed;
    OWNED(forge) self = forge_new(PROVIDER);
    forge_own(self, HEADER_STARTED);
    struct header request = forge_header(self, CALLER, HEADER_REQUEST);
    struct sha256 asked = forge_append(self, CALLER, &request, request.time_ms);
    forge_checkpoint(self);
    closed = (struct epoch_closed){.epoch = 1, .size = self->head.size, .root = self->head.root};
    begin_second(self, &closed);
    struct header response = forge_header(self, PROVIDER, HEADER_RESPONSE);
    memcpy(response.exchange_id, request.exchange_id, EXCHANGE_ID_BYTES);
    response.has_reply_to = true;
    response.reply_to = asked;
    forge_append(self, PROVIDER, &response, response.time_ms);
    struct header again = forge_header(self, PROVIDER, HEADER_RESPONSE);
    memcpy(again.exchange_id, request.exchange_id, EXCHANGE_ID_BYTES);
    again.has_reply_to = true;
    again.reply_to = asked;
    forge_append(self, PROVIDER, &again, again.time_ms);
    forge_finds(self, "nothing runs twice", 1, 3);
}

static void test_an_entry_of_another_epoch_does_not_fit(void)
{
    struct epoch_closed closed;
    OWNED(forge) self = first_epoch(&closed);
    begin_second(self, &closed);
    struct header header = forge_header(self, PROVIDER, HEADER_INCIDENT);
    header.log_epoch = 3;
    forge_append(self, PROVIDER, &header, header.time_ms);
    forge_finds(self, "append only", 1, 2);
}

/* The folder itself says that there was more. */
static void test_a_marker_beyond_the_newest_epoch_is_found(void)
{
    struct epoch_closed closed;
    OWNED(forge) self = first_epoch(&closed);
    begin_second(self, &closed);
    forge_file(self, "log/epoch", span_of_text("2\n"));
    forge_finds(self, "", 0, -1);
    forge_file(self, "log/epoch", span_of_text("3\n"));
    json_t *said = forge_verify(self);
    CU_ASSERT_EQUAL(json_integer_value(json_object_get(said, "count")), 1);
    CU_ASSERT_EQUAL(forge_count(said, "epoch", "the newest epoch is 3"), 1);
    json_decref(said);
    forge_file(self, "log/epoch", span_of_text("x\n"));
    said = forge_verify(self);
    CU_ASSERT_EQUAL(json_integer_value(json_object_get(said, "count")), 1);
    CU_ASSERT_EQUAL(forge_count(said, "epoch", "no number"), 1);
    json_decref(said);
}

SUITE(verify_epochs, TEST(test_an_epoch_closed_without_loss_is_clean),
      TEST(test_a_larger_head_that_somebody_holds_is_a_lost_tail),
      TEST(test_a_named_head_with_another_root_is_a_fork),
      TEST(test_an_epoch_that_begins_in_silence_is_found),
      TEST(test_more_is_gone_than_when_it_was_closed),
      TEST(test_another_root_than_when_it_was_closed),
      TEST(test_entries_that_were_found_again_are_a_remark),
      TEST(test_entries_beyond_every_head_of_a_closed_epoch_are_found),
      TEST(test_a_record_that_closes_another_epoch_is_found),
      TEST(test_an_answer_finds_its_request_in_the_epoch_before),
      TEST(test_an_entry_of_another_epoch_does_not_fit),
      TEST(test_a_marker_beyond_the_newest_epoch_is_found))
