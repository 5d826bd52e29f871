// SPDX-License-Identifier: MIT
#include "registry/status_book.h"
#include "tests/unit/registry/authority.h"

#include <unistd.h>

#define START_MS INT64_C(1790000000000)
#define HOUR_MS INT64_C(3600000)

/* A book in a fresh folder, with one certificate. */
struct desk {
    struct place store;
    struct status_book *book;
    struct sha256 certificate, issuer;
};

static void desk_free(struct desk **self)
{
    if (*self == NULL)
        return;
    status_book_free(&(*self)->book);
    free(*self);
    *self = NULL;
}

static struct desk *desk(void)
{
    struct desk *self = owned_new(sizeof *self);
    self->store = place_in(unit_folder(), "store");
    memset(self->certificate.at, 0xc1, SHA256_BYTES);
    memset(self->issuer.at, 0x15, SHA256_BYTES);
    MUST(status_book_open(self->store.at, &self->book));
    return self;
}

static void reopen(struct desk *self)
{
    MUST(status_book_save(self->book));
    status_book_free(&self->book);
    MUST(status_book_open(self->store.at, &self->book));
}

static void take(struct desk *self, enum status_form form, enum status_verdict verdict,
                 int64_t this_update_ms)
{
    const struct status status = {.verdict = verdict,
                                  .this_update_ms = this_update_ms,
                                  .until_ms = this_update_ms + 24 * HOUR_MS,
                                  .reason = ""};
    MUST(status_book_take(self->book, status_book_note(self->book, &self->certificate),
                          &self->issuer, form, span_of_text("answer"), &status,
                          this_update_ms + 1000));
}

static bool is_there(const struct desk *self, const char *below, const struct sha256 *whose,
                     int64_t this_update_ms, const char *form)
{
    char hex[2 * SHA256_BYTES + 1], path[512];
    text_hex(sha256_span(whose), hex, sizeof hex);
    text_format(path, sizeof path, "%s/%s/%s/%lld.%s", self->store.at, below, hex,
                (long long)(this_update_ms / 1000), form);
    return access(path, F_OK) == 0;
}

static void test_what_is_known_is_known_after_a_restart(void)
{
    OWNED(desk) self = desk();
    CU_ASSERT_PTR_NULL(status_book_find(self->book, &self->certificate));
    take(self, STATUS_OCSP, STATUS_GOOD, START_MS);
    struct status_note *note = status_book_note(self->book, &self->certificate);
    note->asked_ms = START_MS + 5;
    text_format(note->problem, sizeof note->problem, "away: \"\\ \xc3\xb1");
    reopen(self);
    const struct status_note *again = status_book_find(self->book, &self->certificate);
    CU_ASSERT_PTR_NOT_NULL_FATAL(again);
    CU_ASSERT_EQUAL(again->asked_ms, START_MS + 5);
    CU_ASSERT_EQUAL(again->answered_ms, START_MS + 1000);
    CU_ASSERT_EQUAL(again->this_update_ms, START_MS);
    CU_ASSERT_EQUAL(again->until_ms, START_MS + 24 * HOUR_MS);
    CU_ASSERT_STRING_EQUAL(again->verdict, "good");
    CU_ASSERT_STRING_EQUAL(again->problem, "away: \"\\ \xc3\xb1");
}

static void test_one_answer_a_day_is_kept_and_each_that_is_new(void)
{
    OWNED(desk) self = desk();
    take(self, STATUS_OCSP, STATUS_GOOD, START_MS);
    take(self, STATUS_OCSP, STATUS_GOOD, START_MS + 23 * HOUR_MS);
    reopen(self);
    take(self, STATUS_OCSP, STATUS_GOOD, START_MS + 24 * HOUR_MS);
    take(self, STATUS_OCSP, STATUS_REVOKED, START_MS + 25 * HOUR_MS);
    CU_ASSERT(is_there(self, "statuses", &self->certificate, START_MS, "ocsp"));
    CU_ASSERT_FALSE(
        is_there(self, "statuses", &self->certificate, START_MS + 23 * HOUR_MS, "ocsp"));
    CU_ASSERT(is_there(self, "statuses", &self->certificate, START_MS + 24 * HOUR_MS, "ocsp"));
    CU_ASSERT(is_there(self, "statuses", &self->certificate, START_MS + 25 * HOUR_MS, "ocsp"));
}

static void test_a_list_is_kept_under_its_authority(void)
{
    OWNED(desk) self = desk();
    take(self, STATUS_CRL, STATUS_GOOD, START_MS);
    CU_ASSERT(is_there(self, "statuses", &self->issuer, START_MS, "crl"));
    CU_ASSERT_FALSE(is_there(self, "statuses", &self->certificate, START_MS, "crl"));
}

static void test_proofs_wait_until_they_are_dropped(void)
{
    OWNED(desk) self = desk();
    OWNED(bytes) proof = NULL;
    enum status_form form = STATUS_OCSP;
    MUST_FAIL(NOT_FOUND, status_book_proof(self->book, &self->certificate, &form, &proof));
    MUST(status_book_put_proof(self->book, status_book_note(self->book, &self->certificate),
                               STATUS_CRL, span_of_text("list")));
    reopen(self);
    MUST(status_book_proof(self->book, &self->certificate, &form, &proof));
    CU_ASSERT_EQUAL(form, STATUS_CRL);
    CU_ASSERT(span_is_text(bytes_span(proof), "list"));
    status_book_drop_proof(self->book, &self->certificate);
    bytes_free(&proof);
    MUST_FAIL(NOT_FOUND, status_book_proof(self->book, &self->certificate, &form, &proof));
}

static size_t lines_of(const struct place *folder)
{
    OWNED(bytes) index = NULL;
    size_t lines = 0;
    struct place path = place_in(folder->at, "status/index");
    MUST(file_read(path.at, 65536, &index));
    for (size_t i = 0; i < index->size; i++)
        lines += index->data[i] == '\n';
    return lines;
}

static void test_the_newest_answers_are_published_and_older_ones_stay(void)
{
    OWNED(desk) self = desk();
    struct place folder = place_in(unit_folder(), "directory");
    MUST(status_book_publish(self->store.at, folder.at)); /* nothing yet: no folder is made */
    CU_ASSERT(access(folder.at, F_OK) != 0);
    for (int day = 0; day < 5; day++) {
        take(self, STATUS_OCSP, STATUS_GOOD, START_MS + day * 24 * HOUR_MS);
        if (day == 1)
            MUST(status_book_publish(self->store.at, folder.at));
    }
    MUST(status_book_publish(self->store.at, folder.at));
    CU_ASSERT_EQUAL(lines_of(&folder), STATUS_PUBLISHED_MAX);
    struct desk published = {.store = folder};
    CU_ASSERT(is_there(&published, "status", &self->certificate, START_MS, "ocsp"));
    CU_ASSERT(is_there(&published, "status", &self->certificate, START_MS + 96 * HOUR_MS, "ocsp"));
}

static void test_a_damaged_state_is_told_with_what_to_do(void)
{
    OWNED(desk) self = desk();
    OWNED(status_book) none = NULL;
    static const char *const bad[] = {"", "[]", "{\"zz\": 1}", "{\"a\": {}, \"a\": {}}"};
    struct place state = place_in(self->store.at, "statuses/state.json");
    reopen(self);
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        MUST(file_replace(state.at, span_of_text(bad[i]), 0644));
        MUST_FAIL(LOG_BROKEN, status_book_open(self->store.at, &none));
        CU_ASSERT_PTR_NOT_NULL(strstr(fault_detail(), "Take it away"));
    }
}

SUITE(status_book, TEST(test_what_is_known_is_known_after_a_restart),
      TEST(test_one_answer_a_day_is_kept_and_each_that_is_new),
      TEST(test_a_list_is_kept_under_its_authority), TEST(test_proofs_wait_until_they_are_dropped),
      TEST(test_the_newest_answers_are_published_and_older_ones_stay),
      TEST(test_a_damaged_state_is_told_with_what_to_do))
