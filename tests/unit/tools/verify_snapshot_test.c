// SPDX-License-Identifier: MIT
#include "tests/unit/tools/forge.h"

#include "lib/bus/directory_snapshot.h"

#define RULE "directory snapshot"

/* A log whose directory holds a snapshot for which the authority vouched: of its acts, or of these
 * and one that is in no log. */
static struct forge *with_snapshot(bool lie, size_t *size)
{
    struct forge *self = forge_new(PROVIDER);
    struct book *book = self->book;
    OWNED(directory) state = NULL;
    OWNED(bytes) snapshot = NULL;
    char name[64], path[400];
    if (lie)
        book_member(book, "CO/GOV/666", true);
    MUST(book_fold(book, &state));
    if (lie) {
        bytes_free(&book->act[--book->count]);
        book->time_ms -= 1000;
    }
    *size = book->count;
    MUST(directory_snapshot(state, book->count, &snapshot));
    struct sha256 digest = SHA256_OF(bytes_span(snapshot));
    BOOK_ACT(book, PUBLISHED, published, CHASKI__PUBLISHED__INIT,
             it->valid_until_ms = (uint64_t)(book->time_ms + BOOK_DAY_MS),
             it->snapshot_sha256 = (ProtobufCBinaryData){sizeof digest.at, digest.at});
    forge_own(self, HEADER_STARTED);
    forge_checkpoint(self);
    forge_publish(self);
    snprintf(path, sizeof path, "%s/directory/snapshot", self->folder);
    MUST(file_make_folders(path, 0755));
    snprintf(name, sizeof name, "directory/snapshot/%zu", *size);
    forge_file(self, name, bytes_span(snapshot));
    return self;
}

static size_t remarks(const json_t *said)
{
    size_t index, count = 0;
    json_t *remark;
    json_array_foreach(json_object_get(said, "remarks"), index, remark) count +=
        strstr(json_string_value(json_object_get(remark, "what")), "directory/snapshot") != NULL;
    return count;
}

static void says(struct forge *self, size_t findings, size_t remarked)
{
    json_t *said = forge_verify(self);
    CU_ASSERT_EQUAL(forge_count(said, RULE, NULL), findings);
    CU_ASSERT_EQUAL(json_array_size(json_object_get(said, "findings")), findings);
    CU_ASSERT_EQUAL(remarks(said), remarked);
    json_decref(said);
}

static void test_an_honest_snapshot_is_worth_no_word(void)
{
    size_t size = 0;
    OWNED(forge) self = with_snapshot(false, &size);
    says(self, 0, 0);
}

static void test_a_snapshot_of_other_acts_is_found(void)
{
    size_t size = 0;
    OWNED(forge) self = with_snapshot(true, &size);
    json_t *said = forge_verify(self);
    CU_ASSERT_EQUAL(forge_count(said, RULE, "not what these acts lead to"), 1);
    json_decref(said);
    says(self, 1, 0);
}

/* A node that found it out itself has renamed it. */
static void test_what_a_node_set_aside_is_found_too(void)
{
    char from[400], to[400];
    size_t size = 0;
    OWNED(forge) self = with_snapshot(true, &size);
    snprintf(from, sizeof from, "%s/directory/snapshot/%zu", self->folder, size);
    snprintf(to, sizeof to, "%s/directory/snapshot/%zu.lied", self->folder, size);
    CU_ASSERT_EQUAL(rename(from, to), 0);
    says(self, 1, 0);
}

static void test_what_nobody_vouched_for_accuses_nobody(void)
{
    char name[64];
    size_t size = 0;
    OWNED(forge) self = with_snapshot(false, &size);
    snprintf(name, sizeof name, "directory/snapshot/%zu", size);
    forge_file(self, name, span_of_text("of somebody"));
    snprintf(name, sizeof name, "directory/snapshot/%zu", size - 1);
    forge_file(self, name, span_of_text("of somebody else"));
    says(self, 0, 2);
}

SUITE(verify_snapshot, TEST(test_an_honest_snapshot_is_worth_no_word),
      TEST(test_a_snapshot_of_other_acts_is_found), TEST(test_what_a_node_set_aside_is_found_too),
      TEST(test_what_nobody_vouched_for_accuses_nobody))
