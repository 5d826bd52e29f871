// SPDX-License-Identifier: MIT
/* A power cut after the journal was flushed and before the files were: each file keeps what it had,
 * or all, and the journal brings the rest back. */
#include "lib/base/cursor.h"
#include "lib/base/file.h"
#include "lib/base/text.h"
#include "lib/bus/audit_log.h"
#include "lib/bus/closed_log.h"
#include "lib/bus/header.h"
#include "lib/bus/limits.h"
#include "lib/bus/slab.h"
#include "lib/crypto/random.h"
#include "tests/unit/bus/book.h"
#include "tests/unit/bus/store_keys.h"
#include "tests/unit/unit.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#define DAY "20261118"
#define DAY_MS INT64_C(86400000)
#define NOON_MS (INT64_C(1795000000000) / DAY_MS * DAY_MS + DAY_MS / 2)
#define SECTOR 512
#define FILE_MOST (64u << 20)

enum { LEAVES, PAYLOADS, SLOTS, JOURNAL, FILES };
static const char *const names[FILES] = {"log/1/wal/00000000000000000000.seg",
                                         "payload/" DAY ".seg", "keys/" DAY ".slab",
                                         "keys/journal"};

struct scene {
    const char *folder;
    struct bytes *before[FILES]; /* two entries, all of them durable */
    struct bytes *after[FILES];  /* four; what came to the files may be lost */
};

static void path_of(const struct scene *self, int file, char out[600])
{
    CU_ASSERT_FATAL(text_format(out, 600, "%s/%s", self->folder, names[file]));
}

static struct bytes *load(const struct scene *self, int file)
{
    char path[600];
    struct bytes *out = NULL;
    path_of(self, file, path);
    MUST(file_read(path, FILE_MOST, &out));
    return out;
}

static void put(const struct scene *self, int file, const struct bytes *bytes)
{
    char path[600];
    path_of(self, file, path);
    int fd = open(path, O_WRONLY | O_CLOEXEC | O_TRUNC);
    CU_ASSERT_FATAL(fd >= 0);
    MUST(file_write_at(fd, bytes_span(bytes), 0)); /* a flush of each would take a minute */
    close(fd);
}

/* The files of this mask as they were before; the others, and the journal, as they were after. */
static void cut_power(const struct scene *self, unsigned lost)
{
    for (int file = LEAVES; file < FILES; file++)
        put(self, file, lost >> file & 1 ? self->before[file] : self->after[file]);
}

static struct audit_log_options options_of(const char *folder)
{
    static struct note_key key;
    static const uint8_t any[ED25519_PUBLIC_BYTES];
    MUST(note_key_make("log.example/1", NOTE_LOG, any, &key));
    return (struct audit_log_options){
        .folder = folder, .epoch = 1, .segment_bytes = 1 << 20, .key = &key, .holder = *a_holder()};
}

static fault open_log(const char *folder, struct audit_log **out)
{
    struct audit_log_options options = options_of(folder);
    struct audit_recovery recovery;
    return audit_log_open(&options, NULL, NULL, out, &recovery);
}

static struct span blob_of(uint64_t i, size_t size)
{
    static uint8_t room[512 << 10];
    memset(room, 'a' + (int)(i % 23), size);
    return span_of(room, size);
}

static fault append(struct audit_log *log, struct span leaf, size_t size)
{
    struct audit_record record = {.leaf = leaf, .blob = blob_of(audit_log_head(log).size, size)};
    return audit_log_append(log, &record, 1, NOON_MS);
}

static fault append_text(struct audit_log *log, size_t size)
{
    char text[32];
    snprintf(text, sizeof text, "leaf %d", (int)audit_log_head(log).size);
    return append(log, span_of_text(text), size);
}

/* In a process of its own, which ends without closing anything. */
static void append_and_stop(const char *folder, size_t groups, size_t size)
{
    pid_t child = fork();
    int status = 0;
    CU_ASSERT_FATAL(child >= 0);
    if (child == 0) {
        struct audit_log *log = NULL;
        bool fine = !failed(open_log(folder, &log));
        for (size_t i = 0; i < groups; i++)
            fine = fine && !failed(append_text(log, size));
        _exit(fine ? 0 : 1);
    }
    CU_ASSERT_EQUAL(waitpid(child, &status, 0), child);
    CU_ASSERT(WIFEXITED(status) && WEXITSTATUS(status) == 0);
}

static void scene_free(struct scene **self)
{
    if (*self == NULL)
        return;
    for (int file = LEAVES; file < FILES; file++) {
        bytes_free(&(*self)->before[file]);
        bytes_free(&(*self)->after[file]);
    }
    free(*self);
    *self = NULL;
}

static struct scene *scene_new(size_t size)
{
    struct scene *self = owned_new(sizeof *self);
    struct audit_log *log = NULL;
    self->folder = unit_folder();
    MUST(open_log(self->folder, &log));
    MUST(append_text(log, size));
    MUST(append_text(log, size));
    audit_log_free(&log);
    for (int file = LEAVES; file < FILES; file++)
        self->before[file] = load(self, file);
    append_and_stop(self->folder, 2, size);
    for (int file = LEAVES; file < FILES; file++)
        self->after[file] = load(self, file);
    return self;
}

/* So many entries, each with its payload, and it goes on. */
static void check_whole(const struct scene *self, uint64_t entries, size_t size)
{
    OWNED(audit_log) log = NULL;
    MUST(open_log(self->folder, &log));
    CU_ASSERT_EQUAL(audit_log_head(log).size, entries);
    MUST(append_text(log, size));
    for (uint64_t i = 0; i <= entries; i++) {
        OWNED(bytes) leaf = NULL;
        OWNED(bytes) blob = NULL;
        MUST(audit_log_read(log, i, &leaf, &blob));
        CU_ASSERT(span_equal(bytes_span(blob), blob_of(i, size)));
    }
}

// --- what was lost ------------------------------------------------------------------------------

static void test_whatever_files_lose_the_journal_brings_back(void)
{
    OWNED(scene) self = scene_new(2000);
    for (unsigned lost = 0; lost < 1u << JOURNAL; lost++) {
        cut_power(self, lost);
        check_whole(self, 4, 2000);
    }
}

static void test_files_that_were_still_growing_are_brought_back_too(void)
{
    char path[600];
    OWNED(scene) self = scene_new(2000);
    cut_power(self, 7);
    path_of(self, PAYLOADS, path);
    CU_ASSERT_EQUAL(truncate(path, 2 * (16 + 2000 + 16)), 0);
    path_of(self, SLOTS, path);
    CU_ASSERT_EQUAL(truncate(path, SLAB_HEAD_BYTES + 2 * SLOT_BYTES), 0);
    check_whole(self, 4, 2000);
}

/* Where the second of the two records begins, and where it ends. */
static void second_record(const struct bytes *journal, size_t *from, size_t *to)
{
    *to = (span_used(bytes_span(journal)) + SECTOR - 1) / SECTOR * SECTOR;
    *from = SECTOR + (*to - SECTOR) / 2;
}

/* The order in which sectors come to the disk is nobody's promise. */
static void test_a_group_is_there_whole_or_not_at_all(void)
{
    OWNED(scene) self = scene_new(2000);
    size_t from, to;
    second_record(self->after[JOURNAL], &from, &to);
    CU_ASSERT_FATAL(to - from >= 4 * SECTOR);
    for (size_t at = from; at < to; at += SECTOR)
        for (int one = 0; one < 2; one++) {
            OWNED(bytes) torn = NULL;
            MUST(bytes_copy(bytes_span(self->after[JOURNAL]), &torn));
            memset(torn->data + at, 0, one ? SECTOR : to - at);
            cut_power(self, 7);
            put(self, JOURNAL, torn);
            check_whole(self, 3, 2000);
        }
}

/* It was acknowledged: a later one stands after it. Refused as often as it is tried. */
static void test_a_damaged_group_among_whole_ones_is_missed(void)
{
    OWNED(scene) self = scene_new(2000);
    size_t end = SECTOR + 40 + get_u32(self->after[JOURNAL]->data + SECTOR + 28);
    for (size_t at = SECTOR; at < end; at += 197) {
        struct audit_log *log = NULL;
        OWNED(bytes) damaged = NULL;
        MUST(bytes_copy(bytes_span(self->after[JOURNAL]), &damaged));
        damaged->data[at] ^= 4;
        cut_power(self, 7);
        put(self, JOURNAL, damaged);
        MUST_FAIL(LOG_SHRUNK, open_log(self->folder, &log));
        MUST_FAIL(LOG_SHRUNK, open_log(self->folder, &log));
        cut_power(self, 0);
        put(self, JOURNAL, damaged);
        check_whole(self, 4, 2000); /* the files have it */
    }
}

static void test_a_journal_with_a_damaged_head_is_not_passed_over(void)
{
    OWNED(scene) self = scene_new(100);
    for (size_t at = 0; at < 28; at++) {
        struct audit_log *log = NULL;
        OWNED(bytes) damaged = NULL;
        MUST(bytes_copy(bytes_span(self->after[JOURNAL]), &damaged));
        damaged->data[at] ^= 1;
        cut_power(self, 7);
        put(self, JOURNAL, damaged);
        MUST_FAIL(LOG_BROKEN, open_log(self->folder, &log));
    }
    cut_power(self, 7);
    check_whole(self, 4, 100);
}

static void test_an_older_log_under_a_newer_journal_is_refused(void)
{
    char path[600];
    struct audit_log *log = NULL;
    OWNED(scene) self = scene_new(100);
    cut_power(self, 7);
    path_of(self, LEAVES, path);
    CU_ASSERT_EQUAL(truncate(path, 0), 0);
    MUST_FAIL(LOG_SHRUNK, open_log(self->folder, &log));
    put(self, LEAVES, self->before[LEAVES]);
    check_whole(self, 4, 100);
}

static void test_payloads_too_large_for_the_journal_are_flushed_before_it(void)
{
    OWNED(scene) self = scene_new(JOURNAL_BLOBS_BYTES + 1);
    CU_ASSERT(span_used(bytes_span(self->after[JOURNAL])) < 8 * SECTOR);
    cut_power(self, 1u << LEAVES);
    check_whole(self, 4, JOURNAL_BLOBS_BYTES + 1);
}

static void test_a_journal_goes_round_and_older_laps_do_no_harm(void)
{
    enum { SIZE = 200 << 10, GROUPS = 2 * JOURNAL_LAP_BYTES / SIZE };
    struct scene self = {.folder = unit_folder()};
    append_and_stop(self.folder, 1, SIZE);
    append_and_stop(self.folder, GROUPS, SIZE);
    OWNED(bytes) journal = load(&self, JOURNAL);
    CU_ASSERT(journal->size <= JOURNAL_BYTES_MAX);
    CU_ASSERT(span_used(bytes_span(journal)) > JOURNAL_LAP_BYTES / 2);
    check_whole(&self, 1 + GROUPS, SIZE);
}

static fault count_leaf(void *owner, uint64_t index, struct span leaf, const struct sha256 *hash)
{
    (void)index, (void)leaf, (void)hash;
    (*(uint64_t *)owner)++;
    return DONE;
}

static void test_a_log_that_is_closed_at_once_has_what_its_journal_holds(void)
{
    OWNED(scene) self = scene_new(100);
    OWNED(closed_log) closed = NULL;
    uint64_t seen = 0;
    cut_power(self, 7);
    MUST(closed_log_open(self->folder, 1, a_holder(), count_leaf, &seen, &closed));
    CU_ASSERT_EQUAL(seen, 4);
    OWNED(bytes) journal = load(self, JOURNAL);
    CU_ASSERT(span_used(bytes_span(journal)) < SECTOR);
}

// --- what must not come back --------------------------------------------------------------------

static void test_a_log_closed_in_peace_leaves_a_blank_journal(void)
{
    OWNED(scene) self = scene_new(100);
    CU_ASSERT(span_used(bytes_span(self->before[JOURNAL])) < SECTOR);
    CU_ASSERT(span_used(bytes_span(self->after[JOURNAL])) > SECTOR);
}

/* Two signed records, so that an erasure can tell what it covers. */
static void append_signed(struct audit_log *log)
{
    struct book *book = book_new();
    struct keypair *key = NULL;
    struct certificate *signer = book_issue(book, DANE, "SS1", &key);
    for (int i = 0; i < 2; i++) {
        struct header header = {.kind = i == 0 ? HEADER_STARTED : HEADER_REQUEST,
                                .time_ms = NOON_MS};
        OWNED(bytes) encoded = NULL;
        random_fill(header.exchange_id, sizeof header.exchange_id);
        header.sender_server = span_of_text(DANE "/SS1");
        header.sender = span_of_text(i == 0 ? DANE : DANE "/DIVIPOLA");
        MUST(header_encode(&header, &encoded));
        OWNED(bytes) leaf = book_sign(key, signer, encoded, header.time_ms);
        MUST(append(log, bytes_span(leaf), 100));
    }
    keypair_free(&key);
    certificate_free(&signer);
    book_free(&book);
}

static bool stands_in(const struct bytes *bytes, const uint8_t key[KEY_WRAPPED_BYTES])
{
    return memmem(bytes->data, bytes->size, key, KEY_WRAPPED_BYTES) != NULL;
}

static struct slot slot_of(const struct scene *self, uint64_t index)
{
    struct slot slot = {0};
    OWNED(bytes) slab = load(self, SLOTS);
    MUST(slot_get(slab->data + slot_place(0, index), index, &slot));
    return slot;
}

static void erase(struct audit_log *log, uint64_t entry)
{
    const struct erasure what = {.first = entry, .last = entry, .day = "", .of = ""};
    struct audit_erasing work = {.what = &what, .epoch = 1, .next = entry};
    while (work.next <= entry)
        MUST(audit_log_erase(log, &work));
    CU_ASSERT_EQUAL(work.found, 1);
}

static void test_an_erasure_leaves_no_copy_in_the_journal(void)
{
    struct scene self = {.folder = unit_folder()};
    OWNED(audit_log) log = NULL;
    MUST(open_log(self.folder, &log));
    append_signed(log);
    struct slot slot = slot_of(&self, 1);
    OWNED(bytes) held = load(&self, JOURNAL);
    CU_ASSERT(stands_in(held, slot.wrapped));
    erase(log, 1);
    OWNED(bytes) left = load(&self, JOURNAL);
    CU_ASSERT(!stands_in(left, slot.wrapped));
    CU_ASSERT(span_used(bytes_span(left)) < SECTOR);
    CU_ASSERT_EQUAL(slot_of(&self, 1).state, SLOT_ERASED);
}

/* A day of which something was erased changes its key at the next start; a journal of before, put
 * back from a copy, has its slots under the old one. */
static void test_an_older_journal_spoils_no_slab_that_changed_its_key(void)
{
    struct scene self = {.folder = unit_folder()};
    struct audit_log *log = NULL;
    MUST(open_log(self.folder, &log));
    append_signed(log);
    MUST(append_text(log, 100));
    struct slot old = slot_of(&self, 1);
    OWNED(bytes) stale = load(&self, JOURNAL);
    erase(log, 1);
    audit_log_free(&log);
    MUST(open_log(self.folder, &log));
    audit_log_free(&log);
    put(&self, JOURNAL, stale);
    MUST(open_log(self.folder, &log));
    CU_ASSERT_EQUAL(slot_of(&self, 1).state, SLOT_ERASED);
    CU_ASSERT(memcmp(slot_of(&self, 1).wrapped, old.wrapped, KEY_WRAPPED_BYTES) != 0);
    OWNED(bytes) leaf = NULL;
    OWNED(bytes) blob = NULL;
    MUST(audit_log_read(log, 2, &leaf, &blob));
    CU_ASSERT(span_equal(bytes_span(blob), blob_of(2, 100)));
    audit_log_free(&log);
}

SUITE(audit_commit, TEST(test_whatever_files_lose_the_journal_brings_back),
      TEST(test_files_that_were_still_growing_are_brought_back_too),
      TEST(test_a_group_is_there_whole_or_not_at_all),
      TEST(test_a_damaged_group_among_whole_ones_is_missed),
      TEST(test_a_journal_with_a_damaged_head_is_not_passed_over),
      TEST(test_an_older_log_under_a_newer_journal_is_refused),
      TEST(test_payloads_too_large_for_the_journal_are_flushed_before_it),
      TEST(test_a_journal_goes_round_and_older_laps_do_no_harm),
      TEST(test_a_log_that_is_closed_at_once_has_what_its_journal_holds),
      TEST(test_a_log_closed_in_peace_leaves_a_blank_journal),
      TEST(test_an_erasure_leaves_no_copy_in_the_journal),
      TEST(test_an_older_journal_spoils_no_slab_that_changed_its_key))
