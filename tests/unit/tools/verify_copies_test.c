// SPDX-License-Identifier: MIT
/* Copies of one log: older ones, and such as were never of one history. */
#include "tests/unit/tools/forge.h"

#define COMMON 3 /* entries of both */

static struct forge *begun(void)
{
    struct forge *self = forge_new(PROVIDER);
    forge_own(self, HEADER_STARTED);
    forge_exchange(self);
    CU_ASSERT_EQUAL_FATAL(self->head.size, COMMON);
    return self;
}

/* It is one of the copies that the auditor gets; what goes on is another. */
static void end_copy(struct forge *self)
{
    forge_checkpoint(self);
    forge_publish(self);
    snprintf(self->other, sizeof self->other, "%s", self->folder);
}

static size_t remarks(const json_t *said, const char *words)
{
    size_t index, count = 0;
    json_t *remark;
    json_array_foreach(json_object_get(said, "remarks"), index, remark) count +=
        strstr(json_string_value(json_object_get(remark, "what")), words) != NULL;
    return count;
}

/* Both orders; the object of the second one. */
static json_t *verified(const struct forge *self, size_t findings)
{
    const char *const orders[][2] = {{self->other, self->folder}, {self->folder, self->other}};
    json_t *said = NULL;
    for (size_t i = 0; i < 2; i++) {
        json_decref(said);
        said = forge_verify_all(self, orders[i], 2);
        CU_ASSERT_EQUAL(json_integer_value(json_object_get(said, "count")), (json_int_t)findings);
    }
    return said;
}

static void test_an_older_copy_of_a_log_is_clean_beside_a_newer_one(void)
{
    OWNED(forge) self = begun();
    end_copy(self);
    forge_branch(self, "newer", COMMON);
    forge_exchange(self);
    forge_own(self, HEADER_STOPPED);
    forge_checkpoint(self);
    forge_publish(self);
    json_t *said = verified(self, 0);
    CU_ASSERT_EQUAL(remarks(said, "goes on where this ends, after 3 entries"), 1);
    json_decref(said);
}

/* What each copy is by itself is clean. */
static void test_two_ends_of_one_log_are_two_histories(void)
{
    OWNED(forge) self = begun();
    forge_own(self, HEADER_STOPPED);
    end_copy(self);
    forge_branch(self, "second", COMMON);
    forge_own(self, HEADER_STARTED);
    forge_checkpoint(self);
    forge_publish(self);
    json_t *said = verified(self, 3);
    CU_ASSERT_EQUAL(forge_count(said, "one history", NULL), 3);
    CU_ASSERT_EQUAL(forge_count(said, "one history", "has another entry 3"), 1);
    CU_ASSERT_EQUAL(forge_count(said, "one history", "log/1/promise (4 entries)"), 2);
    json_t *finding = json_array_get(json_object_get(said, "findings"), 0);
    CU_ASSERT_PTR_NOT_NULL_FATAL(finding);
    CU_ASSERT_EQUAL(json_integer_value(json_object_get(finding, "entry")), COMMON);
    json_t *evidence = json_object_get(finding, "evidence");
    CU_ASSERT_STRING_EQUAL(json_string_value(json_array_get(evidence, 0)),
                           "log/1/wal/00000000000000000000.seg");
    json_decref(said);
}

static void test_two_ends_of_different_lengths_are_two_histories(void)
{
    OWNED(forge) self = begun();
    forge_own(self, HEADER_STOPPED);
    end_copy(self);
    forge_branch(self, "second", COMMON);
    forge_exchange(self);
    forge_own(self, HEADER_STOPPED);
    forge_checkpoint(self);
    forge_publish(self);
    /* the longer one's own head says nothing of the first 4 entries */
    json_t *said = verified(self, 2);
    CU_ASSERT_EQUAL(forge_count(said, "one history", "has another entry 3"), 1);
    CU_ASSERT_EQUAL(forge_count(said, "one history", "log/1/promise (4 entries)"), 1);
    json_decref(said);
}

/* The entries were cut back to what both have; one head of the other history is left. */
static void convicts(const char *name)
{
    OWNED(forge) self = begun();
    struct checkpoint head;
    char file[64], words[100];
    forge_exchange(self);
    OWNED(bytes) note = forge_note(self, &head);
    forge_branch(self, "second", COMMON);
    forge_exchange(self);
    end_copy(self);
    forge_branch(self, "third", COMMON);
    forge_checkpoint(self);
    forge_publish(self);
    snprintf(file, sizeof file, "log/1/%s", name);
    forge_file(self, file, bytes_span(note));
    json_t *said = verified(self, 2);
    snprintf(words, sizeof words, "%s (5 entries)", file);
    CU_ASSERT_EQUAL(forge_count(said, "one history", words), 1);
    CU_ASSERT_EQUAL(forge_count(said, "checkpoint", NULL), 1); /* it is beyond that copy's end */
    json_decref(said);
}

static void test_each_signed_head_of_a_copy_is_held_against_the_other(void)
{
    convicts("promise");
    convicts("checkpoint");
    convicts("cosigned");
    convicts("outside");
    convicts("cp/5");
}

/* The newer one closed the epoch with less than the older one has. */
static void test_what_a_copy_holds_beyond_a_closed_epoch_is_its_lost_tail(void)
{
    OWNED(forge) self = begun();
    struct epoch_closed closed = {
        .epoch = 1, .size = self->head.size, .root = self->head.root, .asked = 1, .answered = 1};
    forge_exchange(self);
    end_copy(self);
    forge_branch(self, "newer", COMMON);
    forge_checkpoint(self);
    forge_open(self, 2);
    struct header header = forge_header(self, PROVIDER, HEADER_INCIDENT);
    header.closed = &closed;
    forge_append(self, PROVIDER, &header, header.time_ms);
    forge_own(self, HEADER_STARTED);
    forge_checkpoint(self);
    forge_publish(self);
    json_t *said = verified(self, 1);
    CU_ASSERT_EQUAL(forge_count(said, "lost tail", "5 entries of this epoch"), 1);
    json_decref(said);
}

SUITE(verify_copies, TEST(test_an_older_copy_of_a_log_is_clean_beside_a_newer_one),
      TEST(test_two_ends_of_one_log_are_two_histories),
      TEST(test_two_ends_of_different_lengths_are_two_histories),
      TEST(test_each_signed_head_of_a_copy_is_held_against_the_other),
      TEST(test_what_a_copy_holds_beyond_a_closed_epoch_is_its_lost_tail))
