// SPDX-License-Identifier: MIT
#include "lib/bus/leaf_set.h"

#include "lib/base/file.h"
#include "lib/base/text.h"
#include "lib/bus/limits.h"
#include "tests/unit/unit.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define PEER "CO/GOV/899999027/SS1"
#define HOUR 497000
#define ALL INT64_MAX

/* Leaf number n of an hour: its hash is as good as random, its minute n % 60. */
static struct set_entry entry_of(uint32_t n)
{
    struct set_entry entry = {.index = n, .epoch = 1, .kind = HEADER_REQUEST, .own = n % 2 == 0};
    entry.leaf_hash = SHA256_OF(span_of(&n, sizeof n));
    memcpy(entry.exchange_id, &n, sizeof n);
    entry.time_ms = (int64_t)HOUR * SET_HOUR_MS + (int64_t)(n % 60) * 60000 + n % 1000;
    return entry;
}

static void append(const char *folder, struct span bytes)
{
    char path[512];
    MUST(leaf_set_folder(folder, PEER, path, sizeof path));
    MUST(file_make_folders(path, 0700));
    MUST(leaf_set_path(folder, PEER, HOUR, path, sizeof path));
    int fd = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
    CU_ASSERT_FATAL(fd >= 0);
    CU_ASSERT_EQUAL(write(fd, bytes.at, bytes.size), (ssize_t)bytes.size);
    close(fd);
}

static void put(const char *folder, uint32_t first, uint32_t count)
{
    OWNED(bytes) records = bytes_empty((size_t)count * SET_RECORD_BYTES);
    uint8_t record[SET_RECORD_BYTES];
    for (uint32_t n = first; n < first + count; n++) {
        struct set_entry entry = entry_of(n);
        set_entry_encode(&entry, record);
        MUST(bytes_append(records, span_of(record, sizeof record)));
    }
    append(folder, bytes_span(records));
}

static int by_hash(const void *a, const void *b)
{
    return memcmp(a, b, SHA256_BYTES);
}

/* What it should be: computed all at once. */
static struct set_digest expected(uint32_t count, int minute, int prefix)
{
    struct sha256 *hash = owned_array(count + 1, sizeof *hash);
    struct set_digest out = {0};
    for (uint32_t n = 0; n < count; n++) {
        struct set_entry entry = entry_of(n);
        if ((minute < 0 || (int)(n % 60) == minute) &&
            (prefix < 0 || entry.leaf_hash.at[0] == prefix))
            hash[out.count++] = entry.leaf_hash;
    }
    qsort(hash, out.count, sizeof *hash, by_hash);
    out.digest = SHA256_OF(span_of(hash, out.count * SHA256_BYTES));
    free(hash);
    return out;
}

static bool same(const struct set_digest *a, const struct set_digest *b)
{
    return a->count == b->count && sha256_equal(&a->digest, &b->digest);
}

static void check_parts(const char *folder, uint32_t count, int minute, size_t parts)
{
    static struct set_digest found[SET_PREFIXES];
    struct set_range range = {HOUR, ALL, minute, -1};
    MUST(leaf_set_digests(folder, PEER, &range, parts, found));
    for (size_t i = 0; i < parts; i++) {
        struct set_digest wanted = parts == SET_MINUTES    ? expected(count, (int)i, -1)
                                   : parts == SET_PREFIXES ? expected(count, minute, (int)i)
                                                           : expected(count, minute, -1);
        CU_ASSERT(same(&found[i], &wanted));
    }
}

static void test_digests_are_over_the_sorted_hashes(void)
{
    const char *folder = unit_folder();
    put(folder, 0, 3000);
    check_parts(folder, 3000, -1, 1);
    check_parts(folder, 3000, -1, SET_MINUTES);
    check_parts(folder, 3000, 7, SET_PREFIXES);
}

static void test_an_hour_larger_than_memory_has_the_same_digests(void)
{
    const char *folder = unit_folder();
    const uint32_t count = 2 * SET_SORT_MAX + 1000;
    put(folder, 0, count);
    check_parts(folder, count, -1, 1);
    struct set_digest found[SET_MINUTES], wanted = expected(count, 59, -1);
    MUST(
        leaf_set_digests(folder, PEER, &(struct set_range){HOUR, ALL, -1, -1}, SET_MINUTES, found));
    CU_ASSERT(same(&found[59], &wanted));
}

/* Bytes that this process has read so far. */
static uint64_t read_so_far(void)
{
    unsigned long long count = 0;
    FILE *io = fopen("/proc/self/io", "r");
    CU_ASSERT_PTR_NOT_NULL_FATAL(io);
    CU_ASSERT_EQUAL(fscanf(io, "rchar: %llu", &count), 1);
    fclose(io);
    return count;
}

static void test_however_large_an_hour_is_it_is_read_twice(void)
{
    const char *folder = unit_folder();
    const uint32_t count = 8 * SET_SORT_MAX;
    struct set_digest found[SET_MINUTES];
    put(folder, 0, count);
    for (size_t parts = 1; parts <= SET_MINUTES; parts += SET_MINUTES - 1) {
        uint64_t before = read_so_far();
        MUST(leaf_set_digests(folder, PEER, &(struct set_range){HOUR, ALL, -1, -1}, parts, found));
        /* ... and its hashes once more, half as long as their records */
        CU_ASSERT(read_so_far() - before < (uint64_t)count * SET_RECORD_BYTES * 5 / 2 + 100000);
    }
}

static void test_an_hour_without_a_file_is_empty(void)
{
    struct set_digest digest, none = expected(0, -1, -1);
    struct set_range range = {HOUR, ALL, -1, -1};
    struct set_entry entry;
    size_t count = 7;
    bool more = true;
    MUST(leaf_set_digests(unit_folder(), PEER, &range, 1, &digest));
    CU_ASSERT(same(&digest, &none));
    MUST(leaf_set_list(unit_folder(), PEER, &range, NULL, 1, &entry, &count, &more));
    CU_ASSERT(count == 0 && !more);
}

static void test_a_leaf_that_stands_twice_counts_once(void)
{
    const char *folder = unit_folder();
    put(folder, 0, 100);
    put(folder, 50, 50);
    check_parts(folder, 100, -1, 1);
    check_parts(folder, 100, -1, SET_MINUTES);
    static struct set_entry list[200];
    size_t count = 0;
    bool more = true;
    MUST(leaf_set_list(folder, PEER, &(struct set_range){HOUR, ALL, -1, -1}, NULL, 200, list,
                       &count, &more));
    CU_ASSERT(count == 100 && !more);
}

static void test_younger_leaves_are_left_out(void)
{
    const char *folder = unit_folder();
    put(folder, 0, 600);
    struct set_digest digest;
    struct set_range range = {HOUR, (int64_t)HOUR * SET_HOUR_MS + 30 * 60000, -1, -1};
    MUST(leaf_set_digests(folder, PEER, &range, 1, &digest));
    CU_ASSERT_EQUAL(digest.count, 300);
}

static void test_younger_leaves_are_counted(void)
{
    const char *folder = unit_folder();
    int64_t hour_ms = (int64_t)HOUR * SET_HOUR_MS;
    uint64_t count = 0;
    put(folder, 0, 600);
    MUST(leaf_set_count(folder, PEER, hour_ms + 30 * 60000, hour_ms + SET_HOUR_MS, &count));
    CU_ASSERT_EQUAL(count, 300);
    MUST(leaf_set_count(folder, PEER, hour_ms - 2 * SET_HOUR_MS, hour_ms + 60000, &count));
    CU_ASSERT_EQUAL(count, 10);
    MUST(leaf_set_count(folder, PEER, hour_ms + SET_HOUR_MS, hour_ms + SET_HOUR_MS, &count));
    CU_ASSERT_EQUAL(count, 0);
}

static void test_leaves_that_came_late_are_counted_where_one_is_looked_for(void)
{
    const char *folder = unit_folder();
    struct set_query query = {.leaf_hash = entry_of(3).leaf_hash};
    uint8_t record[SET_RECORD_BYTES];
    uint64_t lates = 7;
    put(folder, 0, 10);
    MUST(leaf_set_find(folder, PEER, HOUR, &query, 1, &lates));
    CU_ASSERT_EQUAL(lates, 0);
    for (uint32_t n = 10; n < 13; n++) {
        struct set_entry entry = entry_of(n);
        entry.late = true;
        set_entry_encode(&entry, record);
        append(folder, span_of(record, sizeof record));
    }
    MUST(leaf_set_find(folder, PEER, HOUR, &query, 1, &lates));
    CU_ASSERT(lates == 3 && query.found && !query.entry.late);
}

static void test_pages_follow_one_another_without_gap(void)
{
    const char *folder = unit_folder();
    struct set_range range = {HOUR, ALL, -1, -1};
    static struct set_entry page[64];
    struct sha256 after;
    size_t seen = 0, count = 0;
    bool more = true;
    put(folder, 0, 1000);
    put(folder, 0, 1000);
    while (more) {
        MUST(leaf_set_list(folder, PEER, &range, seen == 0 ? NULL : &after, 64, page, &count,
                           &more));
        CU_ASSERT(count == 64 || !more);
        for (size_t i = 0; i < count; i++) {
            CU_ASSERT(seen == 0 || memcmp(after.at, page[i].leaf_hash.at, SHA256_BYTES) < 0);
            after = page[i].leaf_hash;
            seen++;
        }
    }
    CU_ASSERT_EQUAL(seen, 1000);
}

static void test_a_leaf_is_found_with_its_twin(void)
{
    const char *folder = unit_folder();
    struct set_query query[3] = {0};
    put(folder, 0, 500);
    for (uint32_t i = 0; i < 2; i++) { /* one that is there, one that is not */
        struct set_entry entry = entry_of(10 + i * 1000);
        query[i].leaf_hash = entry.leaf_hash;
        query[i].kind = HEADER_REQUEST;
    }
    struct set_entry twin = entry_of(20); /* of whose exchange another leaf is there */
    query[2].leaf_hash = entry_of(2000).leaf_hash;
    memcpy(query[2].exchange_id, twin.exchange_id, EXCHANGE_ID_BYTES);
    query[2].kind = HEADER_REQUEST;
    query[2].own = true;
    struct sha256 there = query[0].leaf_hash, other = query[2].leaf_hash;
    MUST(leaf_set_find(folder, PEER, HOUR, query, 3, NULL));
    for (size_t i = 0; i < 3; i++) {
        CU_ASSERT_EQUAL(query[i].found, sha256_equal(&query[i].leaf_hash, &there));
        CU_ASSERT_EQUAL(query[i].has_twin, sha256_equal(&query[i].leaf_hash, &other));
        if (query[i].has_twin)
            CU_ASSERT_EQUAL(query[i].twin.index, 20);
    }
}

static void test_damage_is_no_lost_leaf(void)
{
    const char *folder = unit_folder();
    char path[512];
    struct set_digest digest;
    struct set_range range = {HOUR, ALL, -1, -1};
    put(folder, 0, 10);
    MUST(leaf_set_path(folder, PEER, HOUR, path, sizeof path));
    for (off_t at = 0; at < 2 * SET_RECORD_BYTES; at++) {
        uint8_t byte = 0;
        int fd = open(path, O_RDWR | O_CLOEXEC);
        CU_ASSERT_EQUAL_FATAL(pread(fd, &byte, 1, at), 1);
        byte ^= 1;
        CU_ASSERT_EQUAL(pwrite(fd, &byte, 1, at), 1);
        MUST_FAIL(LOG_BROKEN, leaf_set_digests(folder, PEER, &range, 1, &digest));
        byte ^= 1;
        CU_ASSERT_EQUAL(pwrite(fd, &byte, 1, at), 1);
        close(fd);
    }
    append(folder, span_of("half a record", 13)); /* is being written */
    MUST(leaf_set_digests(folder, PEER, &range, 1, &digest));
    CU_ASSERT_EQUAL(digest.count, 10);
}

static void test_hours_have_names(void)
{
    int64_t hour = 0;
    char text[SET_HOUR_TEXT_BYTES];
    MUST(set_hour_parse(span_of_text("2026112104"), &hour));
    set_hour_text(hour, text);
    CU_ASSERT_STRING_EQUAL(text, "2026112104");
    MUST_FAIL(BAD_REQUEST, set_hour_parse(span_of_text("2026112124"), &hour));
    MUST_FAIL(BAD_REQUEST, set_hour_parse(span_of_text("2026023004"), &hour));
    MUST_FAIL(BAD_REQUEST, set_hour_parse(span_of_text("20261121"), &hour));
    MUST_FAIL(BAD_REQUEST, set_hour_parse(span_of_text("20261121x4"), &hour));
}

static void test_the_place_is_read_back(void)
{
    const char *folder = unit_folder();
    char path[512];
    struct set_place place = {2, 12345678901, 1790000000123}, back;
    MUST_FAIL(NOT_FOUND, set_place_read(folder, &back));
    text_format(path, sizeof path, "%s/sets", folder);
    MUST(file_make_folders(path, 0700));
    MUST(set_place_write(folder, &place));
    MUST(set_place_read(folder, &back));
    CU_ASSERT(back.epoch == 2 && back.entries == place.entries && back.time_ms == place.time_ms);
    text_format(path, sizeof path, "%s/sets/next", folder);
    MUST(file_replace(path, span_of_text("1 x 3\n"), 0600));
    MUST_FAIL(BAD_FRAME, set_place_read(folder, &back));
}

SUITE(leaf_set, TEST(test_digests_are_over_the_sorted_hashes),
      TEST(test_an_hour_larger_than_memory_has_the_same_digests),
      TEST(test_however_large_an_hour_is_it_is_read_twice),
      TEST(test_an_hour_without_a_file_is_empty), TEST(test_a_leaf_that_stands_twice_counts_once),
      TEST(test_younger_leaves_are_left_out), TEST(test_younger_leaves_are_counted),
      TEST(test_leaves_that_came_late_are_counted_where_one_is_looked_for),
      TEST(test_pages_follow_one_another_without_gap), TEST(test_a_leaf_is_found_with_its_twin),
      TEST(test_damage_is_no_lost_leaf), TEST(test_hours_have_names),
      TEST(test_the_place_is_read_back))
