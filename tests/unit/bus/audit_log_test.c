// SPDX-License-Identifier: MIT
#include "lib/bus/audit_log.h"

#include "lib/base/file.h"
#include "tests/unit/bus/store_keys.h"
#include "tests/unit/unit.h"

#include <stdio.h>
#include <unistd.h>

#define NOW_MS 1795000000000

static const struct note_key *log_key(struct keypair **signer)
{
    static struct note_key key;
    static struct keypair *kept;
    if (kept == NULL) {
        OWNED(bytes) public_key = NULL;
        MUST(keypair_make(KEY_ED25519, &kept));
        MUST(keypair_public(kept, &public_key));
        MUST(note_key_make("log.example/a", NOTE_LOG, public_key->data, &key));
    }
    *signer = kept;
    return &key;
}

static struct audit_log_options options_for(const char *folder)
{
    struct keypair *signer = NULL;
    return (struct audit_log_options){.folder = folder,
                                      .epoch = 1,
                                      .segment_bytes = 1 << 20,
                                      .key = log_key(&signer),
                                      .holder = *a_holder()};
}

static fault open_log(const char *folder, struct audit_log **out, struct audit_recovery *recovery)
{
    struct audit_log_options options = options_for(folder);
    return audit_log_open(&options, NULL, NULL, out, recovery);
}

static void append(struct audit_log *log, const char *const *texts, size_t count)
{
    struct audit_record records[8] = {0};
    for (size_t i = 0; i < count; i++) {
        records[i].leaf = span_of_text(texts[i]);
        records[i].blob = span_of("0123456789abcdef0123456789abcdefpayload", 39);
    }
    MUST(audit_log_append(log, records, count, NOW_MS));
}

static void keep_checkpoint(struct audit_log *log)
{
    struct keypair *signer = NULL;
    const struct note_key *key = log_key(&signer);
    struct audit_head head = audit_log_head(log);
    struct checkpoint checkpoint = {
        .origin = "log.example/a", .size = head.size, .root = head.root};
    char body[CHECKPOINT_BODY_ROOM];
    uint8_t signature[ED25519_SIGNATURE_BYTES];
    OWNED(bytes) note = NULL;
    size_t size = checkpoint_body(&checkpoint, body, sizeof body);
    MUST(keypair_sign_message(signer, span_of(body, size), signature));
    MUST(checkpoint_note(&checkpoint, key, signature, &note));
    MUST(audit_log_keep_checkpoint(log, bytes_span(note)));
}

static const char *const five[] = {"a", "b", "c", "d", "e"};

static void test_the_root_is_the_one_of_the_worked_example(void)
{
    OWNED(audit_log) log = NULL;
    struct audit_recovery recovery;
    MUST(open_log(unit_folder(), &log, &recovery));
    append(log, five, 3);
    append(log, five + 3, 2);
    static const uint8_t root5[4] = {0xfe, 0x14, 0xa5, 0x42};
    struct audit_head head = audit_log_head(log);
    CU_ASSERT_EQUAL(head.size, 5);
    CU_ASSERT_EQUAL(memcmp(head.root.at, root5, sizeof root5), 0);
}

static void test_records_come_back_with_their_payloads_after_a_restart(void)
{
    const char *folder = unit_folder();
    struct audit_recovery recovery;
    struct audit_log *log = NULL;
    MUST(open_log(folder, &log, &recovery));
    append(log, five, 5);
    keep_checkpoint(log);
    audit_log_free(&log);
    MUST(open_log(folder, &log, &recovery));
    CU_ASSERT_EQUAL(recovery.size, 5);
    CU_ASSERT_EQUAL(recovery.promised_size, 5);
    OWNED(bytes) leaf = NULL;
    OWNED(bytes) blob = NULL;
    MUST(audit_log_read(log, 3, &leaf, &blob));
    CU_ASSERT(span_is_text(bytes_span(leaf), "d"));
    CU_ASSERT_EQUAL(blob->size, 39);
    audit_log_free(&log);
}

static void test_a_log_shorter_than_its_checkpoint_does_not_open(void)
{
    const char *folder = unit_folder();
    char path[600];
    struct audit_recovery recovery;
    struct audit_log *log = NULL;
    MUST(open_log(folder, &log, &recovery));
    append(log, five, 5);
    keep_checkpoint(log);
    audit_log_free(&log);
    audit_log_path(folder, 1, "wal/00000000000000000000.seg", path, sizeof path);
    CU_ASSERT_EQUAL(truncate(path, 3 * (WAL_FRAME_BYTES + 1)), 0); /* three of five frames */
    MUST_FAIL(LOG_SHRUNK, open_log(folder, &log, &recovery));
}

static void test_a_log_with_other_entries_than_the_checkpoint_does_not_open(void)
{
    const char *folder = unit_folder();
    const char *other = unit_folder();
    char from[600], to[600];
    struct audit_recovery recovery;
    struct audit_log *log = NULL;
    static const char *const changed[] = {"a", "b", "X", "d", "e"};
    OWNED(bytes) note = NULL;
    MUST(open_log(folder, &log, &recovery));
    append(log, five, 5);
    keep_checkpoint(log);
    audit_log_free(&log);
    MUST(open_log(other, &log, &recovery));
    append(log, changed, 5);
    audit_log_free(&log);
    audit_log_path(folder, 1, "promise", from, sizeof from);
    audit_log_path(other, 1, "promise", to, sizeof to);
    MUST(file_read(from, 4096, &note));
    MUST(file_replace(to, bytes_span(note), 0644));
    MUST_FAIL(LOG_SHRUNK, open_log(other, &log, &recovery));
}

static void test_a_checkpoint_of_another_key_does_not_open(void)
{
    const char *folder = unit_folder();
    char path[600];
    struct audit_recovery recovery;
    struct audit_log *log = NULL;
    MUST(open_log(folder, &log, &recovery));
    append(log, five, 5);
    audit_log_free(&log);
    audit_log_path(folder, 1, "promise", path, sizeof path);
    MUST(file_replace(path, span_of_text("log.example/a\n1\nAAAA\n\n"), 0644));
    MUST_FAIL(LOG_BROKEN, open_log(folder, &log, &recovery));
}

static void test_a_payload_is_bound_to_its_leaf(void)
{
    const char *folder = unit_folder();
    struct audit_recovery recovery;
    OWNED(audit_log) log = NULL;
    OWNED(bytes) blob = NULL;
    enum payload_state state;
    MUST(open_log(folder, &log, &recovery));
    append(log, five, 2);
    struct sha256 right = merkle_leaf_hash(span_of_text("b")),
                  wrong = merkle_leaf_hash(span_of_text("a"));
    MUST_FAIL(LOG_BROKEN, payload_store_read(folder, a_ring(), 1, &wrong, &state, &blob));
    MUST(payload_store_read(folder, a_ring(), 1, &right, &state, &blob));
    CU_ASSERT_EQUAL(state, PAYLOAD_HELD);
}

static void test_payloads_beyond_any_group_betray_a_log_that_was_cut(void)
{
    const char *folder = unit_folder();
    char path[600];
    struct audit_recovery recovery;
    struct audit_log *log = NULL;
    MUST(open_log(folder, &log, &recovery));
    append(log, five, 5);
    audit_log_free(&log);
    audit_log_path(folder, 1, "wal/00000000000000000000.seg", path, sizeof path);
    OWNED(bytes) whole = NULL;
    MUST(file_read(path, 2 << 20, &whole));
    CU_ASSERT_EQUAL(truncate(path, 4 * (WAL_FRAME_BYTES + 1)), 0);
    MUST(open_log(folder, &log, &recovery)); /* one record: a group that was not committed */
    CU_ASSERT_EQUAL(recovery.ahead, 1);
    audit_log_free(&log);
    CU_ASSERT_EQUAL(truncate(path, 0), 0); /* all of it: five are more than the first group */
    MUST_FAIL(LOG_SHRUNK, open_log(folder, &log, &recovery));
    MUST(file_replace(path, bytes_span(whole), 0600));
    MUST(open_log(folder, &log, &recovery));
    CU_ASSERT_EQUAL(recovery.size, 5);
    audit_log_free(&log);
}

SUITE(audit_log, TEST(test_payloads_beyond_any_group_betray_a_log_that_was_cut),
      TEST(test_the_root_is_the_one_of_the_worked_example),
      TEST(test_records_come_back_with_their_payloads_after_a_restart),
      TEST(test_a_log_shorter_than_its_checkpoint_does_not_open),
      TEST(test_a_log_with_other_entries_than_the_checkpoint_does_not_open),
      TEST(test_a_checkpoint_of_another_key_does_not_open),
      TEST(test_a_payload_is_bound_to_its_leaf))
