// SPDX-License-Identifier: MIT
#include "security-server/clerk/verification.h"

#include "lib/base/clock.h"
#include "lib/bus/limits.h"
#include "tests/unit/bus/book.h"

static void write_vkey(const char *folder, const char *name, const struct note_key *key)
{
    char vkey[400];
    note_key_text(key, vkey, sizeof vkey);
    book_write_file(folder, name, span_of_text(vkey));
}

/* A node's folder without entries, in a country with so many purposes more. */
static struct log_view *view_of(int purposes)
{
    char folder[300], below[320];
    uint8_t log[32];
    struct note_key key;
    struct log_view *view = NULL;
    struct log_anchors anchors = {NULL, NULL};
    OWNED(book) book = book_new();
    OWNED(bytes) pem = NULL;
    book_country(book);
    for (int i = 0; i < purposes; i++) {
        char id[32];
        snprintf(id, sizeof id, "tramite-%d", i);
        book_purpose(book, id);
    }
    book_published(book, 30 * BOOK_DAY_MS);
    snprintf(folder, sizeof folder, "%s/audit-%d", unit_folder(), purposes);
    snprintf(below, sizeof below, "%s/directory", folder);
    MUST(file_make_folders(below, 0700));
    book_publish(book, below, 0);
    snprintf(below, sizeof below, "%s/anchor", folder);
    MUST(file_make_folders(below, 0700));
    MUST(certificate_pem(book->ca, &pem));
    book_write_file(below, "trust.pem", bytes_span(pem));
    write_vkey(below, "directory.vkey", &book->log);
    memset(log, 1, sizeof log); /* as book_server() makes it of its seed */
    MUST(note_key_make("log.example/1/1", NOTE_LOG, log, &key));
    write_vkey(below, "log.vkey", &key);
    MUST(log_view_open(folder, 1, &anchors, &view));
    return view;
}

static enum fault_code get(const struct log_view *view, size_t bytes_max)
{
    struct view_cache cache = {.view = (struct log_view *)(uintptr_t)view};
    struct verification self = {.bytes_max = bytes_max};
    struct span zip;
    fault f = verification_get(&self, &cache, &zip);
    if (!failed(f))
        CU_ASSERT(zip.size > 4 && memcmp(zip.at, "PK\3\4", 4) == 0);
    verification_clear(&self);
    CU_ASSERT_EQUAL(self.bytes_max, bytes_max);
    return f.code;
}

/* The smallest bound with which it is made. */
static size_t size_of(const struct log_view *view)
{
    size_t low = 0, high = VERIFICATION_BYTES_MAX;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (get(view, middle) == OK)
            high = middle;
        else
            low = middle + 1;
    }
    return low;
}

static void test_a_directory_at_the_bound_is_given_and_one_byte_more_is_refused(void)
{
    OWNED(log_view) view = view_of(0);
    size_t size = size_of(view);
    CU_ASSERT(size > 10000 && size < VERIFICATION_BYTES_MAX);
    CU_ASSERT_EQUAL(get(view, size), OK);
    CU_ASSERT_EQUAL(get(view, size - 1), REFUSED);
}

/* Bundles and tiles of all levels count. */
static void test_what_the_directory_holds_counts(void)
{
    OWNED(log_view) small = view_of(0);
    OWNED(log_view) large = view_of(400);
    size_t act = (size_of(large) - size_of(small)) / 400;
    CU_ASSERT(act > 300 && act < 600); /* a leaf, and its hash in a tile */
}

static void test_a_refusal_is_kept_and_told_again(void)
{
    OWNED(log_view) view = view_of(0);
    struct view_cache cache = {.view = view};
    struct verification self = {.bytes_max = 100};
    struct span zip;
    clock_set_for_test(BOOK_START_MS, 1000000);
    CU_ASSERT_EQUAL(verification_get(&self, &cache, &zip).code, REFUSED);
    self.bytes_max = VERIFICATION_BYTES_MAX;
    CU_ASSERT_EQUAL(verification_get(&self, &cache, &zip).code, REFUSED);
    CU_ASSERT_PTR_NOT_NULL(strstr(fault_detail(), "fetch it from the authority"));
    clock_advance_for_test(VERIFICATION_KEPT_MS);
    CU_ASSERT_EQUAL(verification_get(&self, &cache, &zip).code, OK);
    verification_clear(&self);
    clock_set_for_test(0, -1);
}

SUITE(verification, TEST(test_a_directory_at_the_bound_is_given_and_one_byte_more_is_refused),
      TEST(test_what_the_directory_holds_counts), TEST(test_a_refusal_is_kept_and_told_again))
