// SPDX-License-Identifier: MIT
/* A later epoch whose beginning was pruned must not silence what became of the one before; a folder
 * that says impossible things of its beginning must not silence the others. */
#include "tests/unit/tools/forge.h"

#define LOST 300
#define SEGMENT_BYTES 65536 /* about a hundred entries */
#define ENTRIES 300
#define BEFORE 250

/* Epoch 1 lost its end, as its own promise says; whoever closed it names `heads` heads. */
static struct forge *two_epochs(size_t heads)
{
    struct forge *self = forge_new(PROVIDER);
    forge_own(self, HEADER_STARTED);
    forge_exchange(self);
    forge_own(self, HEADER_STOPPED);
    struct audit_head real = self->head;
    self->head.size += LOST;
    memset(&self->head.root, 7, sizeof self->head.root);
    forge_checkpoint(self);
    self->head = real;
    struct epoch_head head = {forge_server[CALLER], 1, real.size + LOST, {{9}}};
    struct epoch_closed closed = {
        .epoch = 1, .size = real.size, .root = real.root, .heads = heads, .head = &head};
    self->segment_bytes = SEGMENT_BYTES;
    forge_open(self, 2);
    struct header header = forge_header(self, PROVIDER, HEADER_INCIDENT);
    header.closed = &closed;
    forge_append(self, PROVIDER, &header, header.time_ms);
    forge_own(self, HEADER_STARTED);
    return self;
}

/* As the node does it; the record stands in the log. */
static void prune(struct forge *self)
{
    while (self->head.size < ENTRIES)
        forge_own(self, HEADER_STARTED);
    forge_tiles(self);
    struct audit_pruning work = {.before = BEFORE, .oldest_ms = INT64_MAX};
    do
        MUST(audit_log_plan_prune(self->log, &work));
    while (work.more);
    struct header_pruned what = {work.before, work.root};
    struct header act = forge_header(self, PROVIDER, HEADER_PRUNED);
    act.pruned = &what;
    work.act = self->head.size;
    forge_append(self, PROVIDER, &act, act.time_ms);
    do
        MUST(audit_log_prune(self->log, &work));
    while (work.more);
    forge_own(self, HEADER_STOPPED);
    forge_checkpoint(self);
    forge_publish(self);
    CU_ASSERT(audit_log_first(self->log) > 0);
}

static void finds(const struct forge *self, size_t lost_tails, size_t epochs, size_t pruned)
{
    json_t *said = forge_verify(self);
    CU_ASSERT_EQUAL(forge_count(said, "lost tail", NULL), lost_tails);
    CU_ASSERT_EQUAL(forge_count(said, "epoch", NULL), epochs);
    CU_ASSERT_EQUAL(forge_count(said, "pruned", NULL), pruned);
    CU_ASSERT_EQUAL(json_integer_value(json_object_get(said, "count")),
                    (json_int_t)(lost_tails + epochs + pruned));
    json_decref(said);
}

static void test_a_prune_of_a_later_epoch_keeps_what_became_of_the_one_before(void)
{
    OWNED(forge) self = two_epochs(1);
    prune(self);
    json_t *said = forge_verify(self);
    CU_ASSERT_EQUAL(json_integer_value(json_object_get(said, "count")), 1);
    CU_ASSERT_EQUAL(forge_count(said, "lost tail", forge_server[CALLER]), 1);
    json_decref(said);
}

/* A second prune goes on from the first, and keeps it too. */
static void test_a_second_prune_keeps_it_too(void)
{
    char path[400];
    OWNED(forge) self = two_epochs(1);
    OWNED(bytes) first = NULL;
    OWNED(bytes) again = NULL;
    MUST(audit_log_read(self->log, audit_place(2, 0), &first, &again));
    bytes_free(&again);
    prune(self);
    uint64_t begins = audit_log_first(self->log);
    while (self->head.size < begins + ENTRIES)
        forge_own(self, HEADER_STARTED);
    struct audit_head head = self->head;
    struct audit_pruning work = {.before = head.size - 1, .oldest_ms = INT64_MAX};
    snprintf(path, sizeof path, "%s/log/2", self->folder);
    OWNED(tile_writer) tiles = NULL;
    struct checkpoint reached;
    OWNED(bytes) note = NULL;
    OWNED(bytes) old = NULL;
    struct note_key key = forge_key(self);
    snprintf(path, sizeof path, "%s/log/2/checkpoint", self->folder);
    MUST(file_read(path, NOTE_BYTES_MAX, &old));
    MUST(checkpoint_open(bytes_span(old), &key, &reached));
    snprintf(path, sizeof path, "%s/log/2", self->folder);
    MUST(tile_writer_open(path, reached.size, &reached.root, &tiles));
    for (uint64_t i = reached.size; i < head.size; i++) {
        OWNED(bytes) leaf = NULL;
        OWNED(bytes) blob = NULL;
        MUST(audit_log_read(self->log, audit_place(2, i), &leaf, &blob));
        MUST(tile_writer_add(tiles, bytes_span(leaf)));
    }
    MUST(tile_writer_flush(tiles));
    note = forge_note(self, &reached);
    forge_file(self, "log/2/checkpoint", bytes_span(note));
    do
        MUST(audit_log_plan_prune(self->log, &work));
    while (work.more);
    struct header_pruned what = {work.before, work.root};
    struct header act = forge_header(self, PROVIDER, HEADER_PRUNED);
    act.pruned = &what;
    work.act = self->head.size;
    forge_append(self, PROVIDER, &act, act.time_ms);
    do
        MUST(audit_log_prune(self->log, &work));
    while (work.more);
    CU_ASSERT(audit_log_first(self->log) > begins);
    MUST(pruned_first_read(self->folder, 2, &again));
    CU_ASSERT(span_equal(bytes_span(again), bytes_span(first)));
    forge_own(self, HEADER_STOPPED);
    forge_checkpoint(self);
    forge_publish(self);
    finds(self, 1, 0, 0);
}

static void test_without_that_record_it_is_found_and_so_is_the_lost_end(void)
{
    char path[400];
    OWNED(forge) self = two_epochs(1);
    prune(self);
    snprintf(path, sizeof path, "%s/log/2/first.leaf", self->folder);
    CU_ASSERT_EQUAL_FATAL(unlink(path), 0);
    finds(self, 1, 1, 0);
}

static void test_another_record_in_its_place_is_found(void)
{
    OWNED(forge) self = two_epochs(1);
    OWNED(bytes) other = NULL;
    OWNED(bytes) blob = NULL;
    MUST(audit_log_read(self->log, audit_place(2, 1), &other, &blob));
    prune(self);
    forge_file(self, "log/2/first.leaf", bytes_span(other));
    finds(self, 1, 1, 1);
}

/* Without a prune too: what the folder itself holds is not forgotten by whoever closes an epoch. */
static void test_a_promise_that_the_record_does_not_name_is_a_lost_tail(void)
{
    OWNED(forge) self = two_epochs(0);
    forge_own(self, HEADER_STOPPED);
    forge_checkpoint(self);
    forge_publish(self);
    finds(self, 1, 0, 0);
}

// --- folders made to end the auditor ------------------------------------------------------------

/* `pruned` of a beginning of 2^60 entries, over which the log's own key has signed. */
static void claim_a_beginning(struct forge *self, bool signs)
{
    struct audit_head real = self->head;
    struct checkpoint head;
    struct pruned pruned = {.first = (uint64_t)1 << 60, .act = ((uint64_t)1 << 60) + 2};
    if (signs)
        self->head.size = (uint64_t)1 << 61;
    OWNED(bytes) note = forge_note(self, &head);
    forge_file(self, "log/1/checkpoint", bytes_span(note));
    MUST(pruned_write(self->folder, 1, &pruned));
    self->head = real;
}

static void check_others(bool signs)
{
    OWNED(forge) self = forge_new(PROVIDER);
    char bad[256];
    forge_own(self, HEADER_STARTED);
    forge_own(self, HEADER_STOPPED);
    forge_checkpoint(self);
    claim_a_beginning(self, signs);
    forge_publish(self);
    snprintf(bad, sizeof bad, "%s", self->folder);
    forge_turn(self);
    forge_own(self, HEADER_STARTED);
    forge_exchange(self);
    forge_own(self, HEADER_STARTED);
    struct audit_head real = self->head;
    self->head.root.at[0] ^= 1; /* a finding that must be made */
    forge_own(self, HEADER_STOPPED);
    self->head = (struct audit_head){real.size + 1, audit_log_head(self->log).root};
    forge_checkpoint(self);
    forge_publish(self);
    const char *folders[] = {bad, self->folder};
    json_t *said = forge_verify_all(self, folders, 2);
    CU_ASSERT_EQUAL(forge_count(said, "whole log", "can be proved by tile/0 only"), 1);
    CU_ASSERT_EQUAL(forge_count(said, "append only", NULL), 1);
    CU_ASSERT_EQUAL(json_integer_value(json_object_get(said, "count")), 2);
    json_decref(said);
}

static void test_a_made_up_beginning_is_a_finding_and_the_other_logs_are_checked(void)
{
    check_others(false);
    check_others(true);
}

static void test_a_folder_without_anchors_is_a_finding_and_the_other_logs_are_checked(void)
{
    char bad[300];
    OWNED(forge) self = forge_new(PROVIDER);
    forge_own(self, HEADER_STARTED);
    forge_own(self, HEADER_STOPPED);
    forge_checkpoint(self);
    forge_publish(self);
    snprintf(bad, sizeof bad, "%s-bad", self->folder);
    MUST(file_make_folders(bad, 0700));
    const char *folders[] = {bad, self->folder};
    json_t *said = forge_verify_all(self, folders, 2);
    CU_ASSERT_EQUAL(forge_count(said, "whole log", NULL), 1);
    CU_ASSERT_EQUAL(json_array_size(json_object_get(said, "audited")), 1);
    json_decref(said);
}

SUITE(verify_prune, TEST(test_a_prune_of_a_later_epoch_keeps_what_became_of_the_one_before),
      TEST(test_a_second_prune_keeps_it_too),
      TEST(test_without_that_record_it_is_found_and_so_is_the_lost_end),
      TEST(test_another_record_in_its_place_is_found),
      TEST(test_a_promise_that_the_record_does_not_name_is_a_lost_tail),
      TEST(test_a_made_up_beginning_is_a_finding_and_the_other_logs_are_checked),
      TEST(test_a_folder_without_anchors_is_a_finding_and_the_other_logs_are_checked))
