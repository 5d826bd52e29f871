// SPDX-License-Identifier: MIT
#include "tests/unit/tools/forge.h"

#define LIMIT_MS WITNESS_ALARM_MS_DEFAULT

/* A log that began an hour after its witness was assigned. */
static struct forge *witnessed(void)
{
    struct forge *self = forge_new(PROVIDER);
    forge_assign(self, self->time_ms - 60 * FORGE_MINUTE_MS);
    forge_own(self, HEADER_STARTED);
    forge_exchange(self);
    return self;
}

static const char *rule_of(json_t *said, size_t at)
{
    json_t *finding = json_array_get(json_object_get(said, "findings"), at);
    return json_string_value(json_object_get(finding, "rule"));
}

static size_t remarks_with(json_t *said, const char *words)
{
    size_t index, count = 0;
    json_t *remark;
    json_array_foreach(json_object_get(said, "remarks"), index, remark) count +=
        strstr(json_string_value(json_object_get(remark, "what")), words) != NULL;
    return count;
}

static json_int_t quorate(json_t *said)
{
    json_t *log = json_array_get(json_object_get(said, "audited"), 0);
    return json_integer_value(json_object_get(log, "confirmed_by_quorum"));
}

/* What remains to be written is; then: so many findings, all of this rule, and remarks. */
static void ends(struct forge *self, size_t count, size_t waiting)
{
    forge_checkpoint(self);
    forge_publish(self);
    json_t *said = forge_verify(self);
    CU_ASSERT_EQUAL(json_array_size(json_object_get(said, "findings")), count);
    for (size_t i = 0; i < count; i++)
        CU_ASSERT_STRING_EQUAL(rule_of(said, i), "cosignature");
    CU_ASSERT_EQUAL(remarks_with(said, "not confirmed by a quorum"), waiting);
    json_decref(said);
}

static void is_confirmed_by(const char *file)
{
    OWNED(forge) self = witnessed();
    forge_cosigned(self, file);
    forge_checkpoint(self);
    forge_publish(self);
    json_t *said = forge_verify(self);
    CU_ASSERT_TRUE(json_is_true(json_object_get(said, "clean")));
    CU_ASSERT_EQUAL(quorate(said), 3);
    CU_ASSERT_EQUAL(remarks_with(said, "not confirmed by a quorum"), 0);
    json_decref(said);
}

static void test_a_head_of_the_history_confirms(void)
{
    is_confirmed_by("log/1/cp/3");
}

static void test_what_witnesses_signed_last_confirms(void)
{
    is_confirmed_by("log/1/cosigned");
}

static void test_what_outside_witnesses_signed_last_confirms(void)
{
    is_confirmed_by("log/1/outside");
}

/* However short it is: it may have been all that there was. */
static void test_a_log_of_which_no_witness_confirmed_anything_is_found(void)
{
    OWNED(forge) self = witnessed();
    forge_own(self, HEADER_STOPPED);
    ends(self, 1, 0);
}

static void test_a_head_without_the_witnesss_line_confirms_nothing(void)
{
    OWNED(forge) self = witnessed();
    struct checkpoint head;
    OWNED(bytes) note = forge_note(self, &head);
    forge_file(self, "log/1/cosigned", bytes_span(note));
    forge_file(self, "log/1/cp/3", bytes_span(note));
    ends(self, 1, 0);
}

static void test_what_was_written_last_waits(void)
{
    OWNED(forge) self = witnessed();
    forge_cosigned(self, "log/1/cosigned");
    forge_exchange(self);
    self->time_ms += LIMIT_MS - FORGE_MINUTE_MS;
    forge_own(self, HEADER_STOPPED);
    ends(self, 0, 1);
}

static void test_what_a_node_left_behind_that_ran_on_is_found(void)
{
    OWNED(forge) self = witnessed();
    forge_cosigned(self, "log/1/cosigned");
    forge_exchange(self);
    self->time_ms += LIMIT_MS + FORGE_MINUTE_MS;
    forge_own(self, HEADER_STOPPED);
    ends(self, 1, 0);
}

static void test_while_a_node_is_stopped_nothing_is_due(void)
{
    OWNED(forge) self = witnessed();
    forge_cosigned(self, "log/1/cosigned");
    forge_exchange(self);
    forge_own(self, HEADER_STOPPED);
    self->time_ms += BOOK_DAY_MS;
    forge_own(self, HEADER_STARTED);
    ends(self, 0, 1);
}

static void test_many_short_runs_are_a_long_one(void)
{
    OWNED(forge) self = witnessed();
    forge_cosigned(self, "log/1/cosigned");
    for (int i = 0; i < 3; i++) {
        forge_own(self, HEADER_STARTED);
        self->time_ms += LIMIT_MS / 2;
        forge_own(self, HEADER_STOPPED);
        self->time_ms += BOOK_DAY_MS;
    }
    ends(self, 1, 0);
}

/* An idle node's record of its own last stamp is left to the next hour. */
static void test_the_record_of_a_stamp_waits_for_more(void)
{
    OWNED(forge) self = witnessed();
    forge_cosigned(self, "log/1/cosigned");
    forge_own(self, HEADER_INCIDENT);
    forge_cosigned(self, "log/1/cosigned");
    struct header logged = forge_header(self, self->whose, HEADER_STAMPED);
    forge_append(self, self->whose, &logged, logged.time_ms);
    forge_file(self, "log/1/cp/4.tst", span_of_text("x"));
    self->time_ms += 2 * LIMIT_MS;
    forge_own(self, HEADER_STOPPED);
    forge_checkpoint(self);
    forge_publish(self);
    json_t *said = forge_verify(self);
    CU_ASSERT_EQUAL(remarks_with(said, "1 own entry at the end: not confirmed by a quorum"), 1);
    json_decref(said);
}

static void test_what_was_written_before_anybody_was_assigned_was_not_due(void)
{
    OWNED(forge) self = forge_new(PROVIDER);
    forge_own(self, HEADER_STARTED);
    forge_exchange(self);
    self->time_ms += BOOK_DAY_MS;
    forge_assign(self, self->time_ms);
    self->time_ms += LIMIT_MS / 2;
    forge_own(self, HEADER_STOPPED);
    ends(self, 0, 1);
}

static void test_from_then_on_it_is(void)
{
    OWNED(forge) self = forge_new(PROVIDER);
    forge_own(self, HEADER_STARTED);
    forge_exchange(self);
    self->time_ms += BOOK_DAY_MS;
    forge_assign(self, self->time_ms);
    self->time_ms += 2 * LIMIT_MS;
    forge_own(self, HEADER_STOPPED);
    ends(self, 1, 0);
}

static void test_that_nobody_is_assigned_is_said(void)
{
    OWNED(forge) self = forge_new(PROVIDER);
    forge_own(self, HEADER_STARTED);
    forge_own(self, HEADER_STOPPED);
    forge_checkpoint(self);
    forge_publish(self);
    json_t *said = forge_verify(self);
    CU_ASSERT_TRUE(json_is_true(json_object_get(said, "clean")));
    CU_ASSERT_EQUAL(remarks_with(said, "assigns no witnesses"), 1);
    CU_ASSERT_EQUAL(remarks_with(said, "names no time stamp authority"), 1);
    json_decref(said);
}

/* The same for time stamps: nothing was stamped. */
static void test_a_log_without_any_time_stamp_is_found(void)
{
    OWNED(forge) self = forge_new(PROVIDER);
    self->book->time_ms = self->time_ms - 60 * FORGE_MINUTE_MS;
    BOOK_ACT(self->book, STAMP_AUTHORITY_SET, stamp_authority_set,
             CHASKI__STAMP_AUTHORITY_SET__INIT, it->name = book_text("NACIONAL"),
             it->url = book_text("http://[::1]:1/tsa"), it->order = 1);
    forge_own(self, HEADER_STARTED);
    forge_finds(self, "time stamp", 1, -1);
}

static void test_a_stamp_that_was_taken_in_and_is_gone_is_found(void)
{
    OWNED(forge) self = forge_new(PROVIDER);
    forge_own(self, HEADER_STARTED);
    forge_own(self, HEADER_STAMPED);
    forge_finds(self, "time stamp", 1, 1);
}

SUITE(verify_cover, TEST(test_a_head_of_the_history_confirms),
      TEST(test_what_witnesses_signed_last_confirms),
      TEST(test_what_outside_witnesses_signed_last_confirms),
      TEST(test_a_log_of_which_no_witness_confirmed_anything_is_found),
      TEST(test_a_head_without_the_witnesss_line_confirms_nothing),
      TEST(test_what_was_written_last_waits),
      TEST(test_what_a_node_left_behind_that_ran_on_is_found),
      TEST(test_while_a_node_is_stopped_nothing_is_due), TEST(test_many_short_runs_are_a_long_one),
      TEST(test_the_record_of_a_stamp_waits_for_more),
      TEST(test_what_was_written_before_anybody_was_assigned_was_not_due),
      TEST(test_from_then_on_it_is), TEST(test_that_nobody_is_assigned_is_said),
      TEST(test_a_log_without_any_time_stamp_is_found),
      TEST(test_a_stamp_that_was_taken_in_and_is_gone_is_found))
