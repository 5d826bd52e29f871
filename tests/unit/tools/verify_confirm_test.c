// SPDX-License-Identifier: MIT
/* What others confirmed, beside a log that was written anew since. */
#include "tests/unit/tools/forge.h"

// --- heads of another history -------------------------------------------------------------------

/* A witness signs a head; then all is written anew with the log's own key, and that file is kept.
 */
static void is_found_in(const char *name)
{
    OWNED(forge) self = forge_new(PROVIDER);
    OWNED(bytes) note = NULL;
    char file[64], path[400], words[100];
    snprintf(file, sizeof file, "log/1/%s", name);
    forge_assign(self, self->time_ms - 60 * FORGE_MINUTE_MS);
    forge_own(self, HEADER_STARTED);
    forge_exchange(self);
    forge_cosigned(self, file);
    snprintf(path, sizeof path, "%s/%s", self->folder, file);
    MUST(file_read(path, NOTE_BYTES_MAX, &note));
    forge_branch(self, "anew", 1);
    forge_exchange(self);
    forge_own(self, HEADER_STOPPED);
    forge_checkpoint(self);
    forge_file(self, file, bytes_span(note));
    forge_publish(self);
    json_t *said = forge_verify(self);
    snprintf(words, sizeof words, "%s has another root than the first 3 entries", name);
    CU_ASSERT_EQUAL(forge_count(said, "checkpoint", words), 1);
    CU_ASSERT_EQUAL(forge_count(said, "checkpoint", NULL), 1);
    CU_ASSERT_EQUAL(forge_count(said, "cosignature", "nothing of it was confirmed"), 1);
    CU_ASSERT_EQUAL(json_integer_value(json_object_get(said, "count")), 2);
    json_decref(said);
}

static void test_a_kept_checkpoint_of_another_history_is_found(void)
{
    is_found_in("cp/3");
}

static void test_a_published_checkpoint_of_another_history_is_found(void)
{
    is_found_in("checkpoint");
}

static void test_a_cosigned_head_of_another_history_is_found(void)
{
    is_found_in("cosigned");
}

static void test_a_head_of_another_history_from_outside_witnesses_is_found(void)
{
    is_found_in("outside");
}

// --- the order of stamps ------------------------------------------------------------------------

static void keep_stamped(struct forge *self, int64_t at_ms)
{
    struct checkpoint head;
    char file[64];
    OWNED(bytes) note = forge_note(self, &head);
    snprintf(file, sizeof file, "log/1/cp/%u", (unsigned)head.size);
    forge_file(self, file, bytes_span(note));
    forge_stamp(self, file, at_ms);
}

/* The second stamp is so much later than the first. */
static void are_stamped(int64_t later_ms, size_t findings)
{
    OWNED(forge) self = forge_new(PROVIDER);
    int64_t at_ms = self->time_ms + FORGE_MINUTE_MS / 2;
    forge_own(self, HEADER_STARTED);
    keep_stamped(self, at_ms);
    forge_exchange(self);
    keep_stamped(self, at_ms + later_ms);
    forge_finds(self, "time stamp", findings, -1);
}

static void test_stamps_in_the_order_of_their_heads_are_clean(void)
{
    are_stamped(10000, 0);
    are_stamped(-STAMP_ACCURACY_S * 1000, 0);
}

static void test_a_longer_log_that_was_stamped_before_a_shorter_one_is_found(void)
{
    are_stamped(-STAMP_ACCURACY_S * 1000 - 1, 1);
}

SUITE(verify_confirm, TEST(test_a_kept_checkpoint_of_another_history_is_found),
      TEST(test_a_published_checkpoint_of_another_history_is_found),
      TEST(test_a_cosigned_head_of_another_history_is_found),
      TEST(test_a_head_of_another_history_from_outside_witnesses_is_found),
      TEST(test_stamps_in_the_order_of_their_heads_are_clean),
      TEST(test_a_longer_log_that_was_stamped_before_a_shorter_one_is_found))
