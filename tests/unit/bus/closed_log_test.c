// SPDX-License-Identifier: MIT
#include "lib/bus/closed_log.h"

#include "lib/base/file.h"
#include "lib/bus/log_epoch.h"
#include "tests/unit/bus/store_keys.h"
#include "tests/unit/unit.h"

#include <unistd.h>

#define NOW_MS 1795000000000

static struct note_key log_key(void)
{
    static const uint8_t public_key[ED25519_PUBLIC_BYTES] = {7};
    struct note_key key;
    MUST(note_key_make("log.example/1", NOTE_LOG, public_key, &key));
    return key;
}

static struct audit_log *open_epoch(const char *folder, unsigned epoch)
{
    struct note_key registered = log_key(), key;
    MUST(log_epoch_key(&registered, epoch, &key));
    struct audit_log_options options = {.folder = folder,
                                        .epoch = epoch,
                                        .segment_bytes = 1 << 16,
                                        .key = &key,
                                        .holder = *a_holder()};
    struct audit_recovery recovery;
    struct audit_log *log = NULL;
    MUST(audit_log_open(&options, NULL, NULL, &log, &recovery));
    return log;
}

static void append(struct audit_log *log, const char *leaf, const char *payload)
{
    struct audit_record record = {.leaf = span_of_text(leaf), .blob = span_of_text(payload)};
    MUST(audit_log_append(log, &record, 1, NOW_MS));
}

static void make_first(const char *folder)
{
    struct audit_log *log = open_epoch(folder, 1);
    append(log, "one", "0123456789abcdef0123456789abcdef of one");
    append(log, "two", "0123456789abcdef0123456789abcdef of two");
    append(log, "three", "0123456789abcdef0123456789abcdef of three");
    audit_log_free(&log);
}

static fault count(void *owner, uint64_t index, struct span leaf, const struct sha256 *hash)
{
    (void)leaf;
    (void)hash;
    *(uint64_t *)owner = index + 1;
    return DONE;
}

static void test_epochs_are_read_side_by_side(void)
{
    const char *folder = unit_folder();
    struct closed_log *closed = NULL;
    uint64_t seen = 0;
    make_first(folder);
    MUST(closed_log_open(folder, 1, a_holder(), count, &seen, &closed));
    CU_ASSERT_EQUAL(seen, 3);
    CU_ASSERT_EQUAL(closed_log_head(closed).size, 3);
    OWNED(audit_log) log = open_epoch(folder, 2);
    audit_log_add_closed(log, &closed);
    append(log, "new one", "0123456789abcdef0123456789abcdef of the second epoch");
    static const struct {
        unsigned epoch;
        uint64_t index;
        const char *leaf, *blob;
    } rows[] = {{1, 0, "one", "0123456789abcdef0123456789abcdef of one"},
                {1, 2, "three", "0123456789abcdef0123456789abcdef of three"},
                {2, 0, "new one", "0123456789abcdef0123456789abcdef of the second epoch"}};
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        OWNED(bytes) leaf = NULL;
        OWNED(bytes) blob = NULL;
        MUST(audit_log_read(log, audit_place(rows[i].epoch, rows[i].index), &leaf, &blob));
        CU_ASSERT(span_is_text(bytes_span(leaf), rows[i].leaf));
        CU_ASSERT_PTR_NOT_NULL_FATAL(blob);
        CU_ASSERT(span_is_text(bytes_span(blob), rows[i].blob));
    }
    struct bytes *none = NULL, *nothing = NULL;
    MUST_FAIL(NOT_FOUND, audit_log_read(log, audit_place(1, 3), &none, &nothing));
    MUST_FAIL(NOT_FOUND, audit_log_read(log, audit_place(3, 0), &none, &nothing));
}

/* What the damage hides is lost; what stands before it is not. */
static void test_a_damaged_epoch_is_read_up_to_the_damage(void)
{
    const char *folder = unit_folder();
    OWNED(closed_log) closed = NULL;
    OWNED(bytes) segment = NULL;
    OWNED(bytes) after = NULL;
    char path[600];
    uint64_t seen = 0;
    make_first(folder);
    audit_log_path(folder, 1, "wal/00000000000000000000.seg", path, sizeof path);
    MUST(file_read(path, 1 << 16, &segment));
    segment->data[16 + 3 + 16] ^= 1; /* the body of entry 1 */
    MUST(file_replace(path, bytes_span(segment), 0600));
    MUST(closed_log_open(folder, 1, a_holder(), count, &seen, &closed));
    CU_ASSERT_EQUAL(seen, 1);
    CU_ASSERT_EQUAL(closed_log_head(closed).size, 1);
    struct sha256 hash = merkle_leaf_hash(span_of_text("one"));
    struct sha256 root = closed_log_head(closed).root;
    CU_ASSERT(sha256_equal(&root, &hash));
    MUST(file_read(path, 1 << 16, &after));
    CU_ASSERT(span_equal(bytes_span(after), bytes_span(segment)));
}

static void test_an_epoch_that_is_gone_is_empty(void)
{
    OWNED(closed_log) closed = NULL;
    MUST(closed_log_open(unit_folder(), 4, a_holder(), NULL, NULL, &closed));
    CU_ASSERT_EQUAL(closed_log_head(closed).size, 0);
    CU_ASSERT_EQUAL(closed_log_epoch(closed), 4);
}

static fault broken(void *owner, uint64_t index, struct span leaf, const struct sha256 *hash)
{
    (void)leaf;
    (void)hash;
    *(uint64_t *)owner = index + 1;
    return RAISE(LOG_BROKEN, "no leaf");
}

static void test_a_leaf_that_is_none_keeps_no_epoch_from_being_read(void)
{
    const char *folder = unit_folder();
    OWNED(closed_log) closed = NULL;
    uint64_t seen = 0;
    make_first(folder);
    MUST(closed_log_open(folder, 1, a_holder(), broken, &seen, &closed));
    CU_ASSERT_EQUAL(seen, 3);
}

static void test_an_epoch_that_another_process_writes_is_not_closed(void)
{
    const char *folder = unit_folder();
    struct closed_log *closed = NULL;
    OWNED(audit_log) log = open_epoch(folder, 1);
    append(log, "one", "0123456789abcdef0123456789abcdef of one");
    MUST_FAIL(REFUSED, closed_log_open(folder, 1, a_holder(), NULL, NULL, &closed));
}

SUITE(closed_log, TEST(test_epochs_are_read_side_by_side),
      TEST(test_a_damaged_epoch_is_read_up_to_the_damage),
      TEST(test_an_epoch_that_is_gone_is_empty),
      TEST(test_a_leaf_that_is_none_keeps_no_epoch_from_being_read),
      TEST(test_an_epoch_that_another_process_writes_is_not_closed))
