// SPDX-License-Identifier: MIT
#include "lib/bus/subject_index.h"

#include "lib/base/file.h"
#include "lib/base/text.h"
#include "lib/bus/audit_log.h"
#include "tests/unit/bus/book.h"

#include <stdio.h>
#include <time.h>

#define SERVER DANE "/SS1"
#define NOW_MS (BOOK_START_MS + 100 * BOOK_DAY_MS)
#define SEGMENT_BYTES 65536

struct log {
    const char *folder;
    struct book *book;
    struct keypair *key;
    struct certificate *certificate;
    struct wal *wal;
    uint64_t size;
};

static struct log log_new(void)
{
    struct log self = {.folder = unit_folder(), .book = book_new()};
    char path[600];
    struct wal_end end;
    self.certificate = book_issue(self.book, DANE, "SS1", &self.key);
    audit_log_path(self.folder, 1, "wal", path, sizeof path);
    MUST(file_make_folders(path, 0700));
    MUST(wal_open(path, SEGMENT_BYTES, NULL, NULL, &self.wal, &end));
    return self;
}

static void log_free(struct log *self)
{
    wal_free(&self->wal);
    keypair_free(&self->key);
    certificate_free(&self->certificate);
    book_free(&self->book);
}

struct entry {
    enum header_kind kind;
    uint8_t exchange, person; /* 0: nobody */
    int64_t after_ms, sealed_until_ms;
};

static void append_header(struct log *self, const struct header *header)
{
    OWNED(bytes) content = NULL;
    MUST(header_encode(header, &content));
    OWNED(bytes) leaf = book_sign(self->key, self->certificate, content, header->time_ms);
    struct span leaves[1] = {bytes_span(leaf)};
    struct wal_place place;
    MUST(wal_stage(self->wal, self->size++, leaves, 1, &place));
    wal_put(self->wal);
    wal_sync(self->wal);
}

/* view: of a person, and not of any service. sent: by this server to the other. */
static void append_as(struct log *self, const struct entry *entry, bool view, bool sent)
{
    uint8_t pseudonym[32] = {entry->person, 7};
    struct header header = {.kind = entry->kind,
                            .time_ms = BOOK_START_MS + entry->after_ms,
                            .sealed_until_ms = entry->sealed_until_ms};
    bool asked = (entry->kind == HEADER_REQUEST) != sent;
    header.exchange_id[0] = entry->exchange;
    header.sender = span_of_text(asked ? MEDELLIN "/TRAMITES" : DANE "/DIVIPOLA");
    header.receiver = span_of_text(asked ? DANE "/DIVIPOLA" : MEDELLIN "/TRAMITES");
    header.service =
        span_of_text(view ? DANE "/DIVIPOLA/subjectAccesses" : DANE "/DIVIPOLA/municipios");
    header.sender_server = span_of_text(asked ? MEDELLIN "/SS1" : SERVER);
    header.receiver_server = span_of_text(asked ? SERVER : MEDELLIN "/SS1");
    header.status = entry->kind == HEADER_REQUEST ? 0 : 200;
    header.sealing = span_of_text(entry->sealed_until_ms == 0 ? "" : "S-1");
    if (entry->person != 0) {
        header.subject = span_of(pseudonym, sizeof pseudonym);
        header.subject_year = 2026;
    }
    append_header(self, &header);
}

/* A leaf of the other server that was missing here, as its receipt tells of it. */
static void append_late(struct log *self, const struct entry *entry)
{
    uint8_t pseudonym[32] = {entry->person, 7};
    struct late_receipt late = {.leaf_hash = {{entry->exchange}},
                                .time_ms = BOOK_START_MS + entry->after_ms,
                                .kind = entry->kind};
    struct header header = {.kind = HEADER_LATE,
                            .time_ms = late.time_ms + 40 * BOOK_DAY_MS,
                            .sender = span_of_text(DANE),
                            .sender_server = span_of_text(SERVER),
                            .receiver_server = span_of_text(MEDELLIN "/SS1"),
                            .service = span_of_text(DANE "/DIVIPOLA/municipios"),
                            .subject = span_of(pseudonym, sizeof pseudonym),
                            .subject_year = 2026,
                            .sealed_until_ms = entry->sealed_until_ms,
                            .sealing = span_of_text(entry->sealed_until_ms == 0 ? "" : "S-1"),
                            .status = entry->kind == HEADER_REQUEST ? 0 : 200,
                            .late = &late};
    header.exchange_id[0] = entry->exchange;
    append_header(self, &header);
}

static void append(struct log *self, const struct entry *entry)
{
    append_as(self, entry, false, false);
}

static void follow(struct log *self)
{
    OWNED(subject_index) index = NULL;
    bool more = true;
    MUST(subject_index_open(self->folder, SERVER, 1, &index));
    while (more)
        MUST(subject_index_follow(index, self->size, &more));
    MUST(subject_index_keep(index));
}

static struct subject_search search_for(struct log *self, uint8_t person, uint64_t after,
                                        size_t most, struct subject_found *found)
{
    struct subject_search search = {.pseudonym = {{person, 7}},
                                    .year = 2026,
                                    .now_ms = NOW_MS,
                                    .until_ms = INT64_MAX,
                                    .after = after,
                                    .most = most,
                                    .found = found};
    MUST(subject_index_find(self->folder, &search));
    return search;
}

static const struct entry entries[] = {
    {HEADER_REQUEST, 1, 1, 0, 0},
    {HEADER_REQUEST, 2, 2, 1, 0},
    {HEADER_RESPONSE, 2, 2, 2, 0},
    {HEADER_REQUEST, 3, 0, 3, 0},
    {HEADER_RESPONSE, 1, 1, 4, 0},
    {HEADER_REQUEST, 4, 1, 40 * BOOK_DAY_MS, 0},
    {HEADER_FAULT, 5, 1, 41 * BOOK_DAY_MS, 0},
};

static struct log filled(void)
{
    struct log self = log_new();
    for (size_t i = 0; i < sizeof entries / sizeof entries[0]; i++)
        append(&self, &entries[i]);
    follow(&self);
    return self;
}

static void test_the_entries_about_a_person_are_found_and_no_others(void)
{
    struct log log = filled();
    struct subject_found found[10];
    struct subject_search search = search_for(&log, 1, 0, 10, found);
    CU_ASSERT_EQUAL_FATAL(search.count, 3);
    CU_ASSERT_EQUAL(search.next, 0);
    CU_ASSERT_EQUAL(found[0].exchange_id[0], 1);
    CU_ASSERT(found[0].has_request && found[0].has_outcome);
    CU_ASSERT_EQUAL(found[0].request.index, 0);
    CU_ASSERT_EQUAL(found[0].outcome.index, 4);
    CU_ASSERT_EQUAL(found[0].outcome.status, 200);
    CU_ASSERT(found[0].outcome.own && !found[0].request.own);
    CU_ASSERT(found[1].has_request && !found[1].has_outcome);
    CU_ASSERT(!found[2].has_request && found[2].has_outcome);
    CU_ASSERT_EQUAL(search_for(&log, 2, 0, 10, found).count, 1);
    CU_ASSERT_EQUAL(search_for(&log, 9, 0, 10, found).count, 0);
    search = (struct subject_search){
        .pseudonym = {{1, 7}}, .year = 2025, .until_ms = INT64_MAX, .most = 10, .found = found};
    MUST(subject_index_find(log.folder, &search));
    CU_ASSERT_EQUAL(search.count, 0); /* another year's key */
    log_free(&log);
}

/* Else who asks a country of two thousand would have four thousand records of each view. */
static void test_of_views_the_questions_that_came_are_kept_and_nothing_else(void)
{
    static const struct {
        struct entry entry;
        bool view, sent;
    } views[] = {
        {{HEADER_REQUEST, 1, 1, 0, 0}, true, false}, {{HEADER_RESPONSE, 1, 1, 1, 0}, true, false},
        {{HEADER_REQUEST, 2, 1, 2, 0}, true, true},  {{HEADER_RESPONSE, 2, 1, 3, 0}, true, true},
        {{HEADER_FAULT, 3, 1, 4, 0}, true, false},   {{HEADER_REQUEST, 4, 1, 5, 0}, false, true}};
    struct log log = log_new();
    struct subject_found found[10];
    for (size_t i = 0; i < sizeof views / sizeof views[0]; i++)
        append_as(&log, &views[i].entry, views[i].view, views[i].sent);
    follow(&log);
    CU_ASSERT_EQUAL_FATAL(search_for(&log, 1, 0, 10, found).count, 2);
    CU_ASSERT_EQUAL(found[0].exchange_id[0], 1);
    CU_ASSERT(!found[0].has_outcome);
    CU_ASSERT_EQUAL(found[1].exchange_id[0], 4);
    log_free(&log);
}

/* An exchange whose answer came weeks later is no open one, and one that came whole is there. */
static void test_what_came_late_counts_as_of_its_own_time(void)
{
    struct log log = log_new();
    struct subject_found found[4];
    append(&log, &(struct entry){HEADER_REQUEST, 1, 1, 0, 0});
    append_late(&log, &(struct entry){HEADER_RESPONSE, 1, 1, 5, 0});
    append_late(&log, &(struct entry){HEADER_REQUEST, 2, 1, 6, 0});
    append_late(&log, &(struct entry){HEADER_RESPONSE, 3, 1, 7, NOW_MS + 1}); /* sealed */
    follow(&log);
    CU_ASSERT_EQUAL_FATAL(search_for(&log, 1, 0, 4, found).count, 2);
    CU_ASSERT(found[0].has_request && found[0].has_outcome);
    CU_ASSERT_EQUAL(found[0].outcome.index, 1);           /* the receipt's place */
    CU_ASSERT_EQUAL(found[0].outcome.leaf_hash.at[0], 1); /* of the leaf that came */
    CU_ASSERT_EQUAL(found[0].outcome.kind, HEADER_RESPONSE);
    CU_ASSERT_EQUAL(found[0].outcome.time_ms, BOOK_START_MS + 5);
    CU_ASSERT_EQUAL(found[0].outcome.status, 200);
    CU_ASSERT_FALSE(found[0].outcome.own);
    CU_ASSERT(found[1].has_request && !found[1].has_outcome);
    CU_ASSERT_EQUAL(found[1].request.time_ms, BOOK_START_MS + 6);
    log_free(&log);
}

/* What an earlier form left there is made anew. */
static void test_another_form_is_made_anew(void)
{
    struct log log = filled();
    struct subject_found found[10];
    book_write_file(log.folder, "subjects/next", span_of_text("1 7\n"));
    book_write_file(log.folder, "subjects/202609/01", span_of_text(""));
    follow(&log);
    CU_ASSERT_EQUAL(search_for(&log, 1, 0, 10, found).count, 3);
    log_free(&log);
}

static void test_pages_follow_one_another(void)
{
    struct log log = filled();
    struct subject_found found[1];
    uint8_t seen[4] = {0};
    uint64_t after = 0;
    for (size_t i = 0; i < 3; i++) {
        struct subject_search search = search_for(&log, 1, after, 1, found);
        CU_ASSERT_EQUAL_FATAL(search.count, 1);
        CU_ASSERT_EQUAL(search.next != 0, i < 2);
        seen[i] = found[0].exchange_id[0];
        after = search.next;
    }
    CU_ASSERT(memcmp(seen, (const uint8_t[]){1, 4, 5}, 3) == 0);
    log_free(&log);
}

static void test_what_is_sealed_appears_on_its_day(void)
{
    struct log log = log_new();
    struct subject_found found[4];
    append(&log, &(struct entry){HEADER_REQUEST, 1, 1, 0, NOW_MS});
    append(&log, &(struct entry){HEADER_RESPONSE, 1, 1, 1, NOW_MS});
    append(&log, &(struct entry){HEADER_REQUEST, 2, 1, 2, NOW_MS + 1});
    follow(&log);
    struct subject_search search = search_for(&log, 1, 0, 4, found);
    CU_ASSERT_EQUAL_FATAL(search.count, 1);
    CU_ASSERT_EQUAL(found[0].exchange_id[0], 1);
    CU_ASSERT_EQUAL(found[0].sealed_until_ms, NOW_MS);
    search.now_ms = NOW_MS - 1;
    MUST(subject_index_find(log.folder, &search));
    CU_ASSERT_EQUAL(search.count, 0);
    search.now_ms = NOW_MS + 1;
    MUST(subject_index_find(log.folder, &search));
    CU_ASSERT_EQUAL(search.count, 2);
    log_free(&log);
}

static void test_a_crash_repeats_and_counts_once(void)
{
    struct log log = filled();
    struct subject_found found[10];
    char path[600];
    text_format(path, sizeof path, "%s/subjects/next", log.folder);
    MUST(file_replace(path, span_of_text("1 0\n"), 0600)); /* as if nothing had been noted */
    follow(&log);
    CU_ASSERT_EQUAL(search_for(&log, 1, 0, 10, found).count, 3);
    log_free(&log);
}

static void test_a_torn_record_is_passed_over_and_overwritten(void)
{
    struct log log = filled();
    struct subject_found found[10];
    char path[600];
    OWNED(bytes) file = NULL;
    char month[8];
    time_t seconds = BOOK_START_MS / 1000;
    struct tm parts;
    gmtime_r(&seconds, &parts);
    strftime(month, sizeof month, "%Y%m", &parts);
    text_format(path, sizeof path, "%s/subjects/%s/01", log.folder, month);
    MUST(file_read(path, 100000, &file));
    CU_ASSERT_EQUAL_FATAL(file->size, 256);
    MUST(file_replace(path, span_of(file->data, 256 - 60), 0600));
    CU_ASSERT_EQUAL(search_for(&log, 1, 0, 10, found).count, 3);
    CU_ASSERT_FALSE(found[0].has_outcome);
    append(&log, &(struct entry){HEADER_REQUEST, 6, 1, 5, 0});
    follow(&log);
    CU_ASSERT_EQUAL(search_for(&log, 1, 0, 10, found).count, 4);
    log_free(&log);
}

static void test_without_its_place_it_is_made_anew(void)
{
    struct log log = filled();
    struct subject_found found[10];
    char path[600];
    text_format(path, sizeof path, "%s/subjects/next", log.folder);
    MUST(file_replace(path, span_of_text("nonsense\n"), 0600));
    follow(&log);
    CU_ASSERT_EQUAL(search_for(&log, 1, 0, 10, found).count, 3);
    log_free(&log);
}

static void test_only_what_is_dated_so_is_shown(void)
{
    struct log log = filled();
    struct subject_found found[10];
    struct subject_search search = search_for(&log, 1, 0, 10, found);
    search.from_ms = BOOK_START_MS + 40 * BOOK_DAY_MS;
    search.until_ms = BOOK_START_MS + 41 * BOOK_DAY_MS;
    MUST(subject_index_find(log.folder, &search));
    CU_ASSERT_EQUAL_FATAL(search.count, 1);
    CU_ASSERT_EQUAL(found[0].exchange_id[0], 4);
    log_free(&log);
}

/* The first exchange, thousands of times: who fills a day with requests hides no other day. */
static void test_a_full_day_hides_no_other(void)
{
    struct log log = filled();
    struct subject_found found[4];
    struct subject_search search = search_for(&log, 1, 0, 4, found);
    char path[700], month[8];
    time_t seconds = BOOK_START_MS / 1000;
    struct tm parts;
    OWNED(bytes) bucket = NULL;
    strftime(month, sizeof month, "%Y%m", gmtime_r(&seconds, &parts));
    text_format(path, sizeof path, "%s/subjects/%s/01", log.folder, month);
    MUST(file_read(path, 1 << 20, &bucket));
    FILE *file = fopen(path, "ab");
    CU_ASSERT_PTR_NOT_NULL_FATAL(file);
    for (int i = 0; i < SUBJECT_RECORDS_MAX; i++)
        fwrite(bucket->data, 128, 1, file);
    fclose(file);
    MUST_FAIL(OVERLOADED, subject_index_find(log.folder, &search));
    search.from_ms = BOOK_START_MS + 40 * BOOK_DAY_MS;
    MUST(subject_index_find(log.folder, &search));
    CU_ASSERT_EQUAL_FATAL(search.count, 2);
    CU_ASSERT_EQUAL(found[0].exchange_id[0], 4);
    log_free(&log);
}

SUITE(subject_index, TEST(test_the_entries_about_a_person_are_found_and_no_others),
      TEST(test_what_came_late_counts_as_of_its_own_time),
      TEST(test_of_views_the_questions_that_came_are_kept_and_nothing_else),
      TEST(test_another_form_is_made_anew), TEST(test_pages_follow_one_another),
      TEST(test_what_is_sealed_appears_on_its_day), TEST(test_a_crash_repeats_and_counts_once),
      TEST(test_a_torn_record_is_passed_over_and_overwritten),
      TEST(test_without_its_place_it_is_made_anew), TEST(test_a_full_day_hides_no_other),
      TEST(test_only_what_is_dated_so_is_shown))
