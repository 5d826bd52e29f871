// SPDX-License-Identifier: MIT
#include "security-server/scribe/set_parts.h"

#include "lib/base/file.h"
#include "lib/base/text.h"
#include "tests/unit/unit.h"

#include <fcntl.h>
#include <stdio.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#define HOUR 497000
#define ONE "CO/GOV/899999027/SS1"
#define OTHER "CO/GOV/800197268/SS1"
#define GIB (UINT64_C(1) << 30)

static struct set_entry entry_of(uint32_t n)
{
    struct set_entry entry = {.index = n, .epoch = 1, .kind = HEADER_REQUEST};
    entry.leaf_hash = SHA256_OF(span_of(&n, sizeof n));
    entry.time_ms = (int64_t)HOUR * SET_HOUR_MS + n % SET_HOUR_MS;
    return entry;
}

static void add(struct set_parts *parts, const char *peer, uint32_t n)
{
    struct set_entry entry = entry_of(n);
    MUST(set_parts_add(parts, span_of_text(peer), &entry));
}

static const char *path_of(const char *folder, const char *peer)
{
    static char path[512];
    MUST(leaf_set_path(folder, peer, HOUR, path, sizeof path));
    return path;
}

static off_t size_of(const char *folder, const char *peer)
{
    struct stat st;
    return stat(path_of(folder, peer), &st) == 0 ? st.st_size : -1;
}

static uint64_t count_of(const char *folder, const char *peer)
{
    struct set_digest digest = {0};
    MUST(leaf_set_digests(folder, peer, &(struct set_range){HOUR, INT64_MAX, -1, -1}, 1, &digest));
    return digest.count;
}

static void write_one(const char *folder, const char *peer, uint32_t n)
{
    struct set_parts *parts = set_parts_new(folder);
    add(parts, peer, n);
    MUST(set_parts_write(parts));
    set_parts_free(&parts);
}

static void append(const char *path, struct span bytes)
{
    int fd = open(path, O_WRONLY | O_APPEND | O_CLOEXEC);
    CU_ASSERT_FATAL(fd >= 0);
    CU_ASSERT_EQUAL(write(fd, bytes.at, bytes.size), (ssize_t)bytes.size);
    close(fd);
}

static void test_what_a_crash_left_at_the_end_is_cut_off(void)
{
    const char *folder = unit_folder();
    static const uint8_t noise[2 * SET_RECORD_BYTES + 7] = {1, 2, 3};
    write_one(folder, ONE, 1);
    append(path_of(folder, ONE), span_of(noise, sizeof noise));
    write_one(folder, ONE, 2);
    CU_ASSERT_EQUAL(size_of(folder, ONE), 2 * SET_RECORD_BYTES);
    CU_ASSERT_EQUAL(count_of(folder, ONE), 2);
}

static void test_more_damage_has_all_made_anew(void)
{
    const char *folder = unit_folder();
    char next[512];
    struct set_place place = {1, 1, 1};
    write_one(folder, ONE, 1);
    write_one(folder, ONE, 2);
    MUST(set_place_write(folder, &place));
    int fd = open(path_of(folder, ONE), O_WRONLY | O_CLOEXEC);
    CU_ASSERT_EQUAL(pwrite(fd, "x", 1, 5), 1); /* before a good one */
    close(fd);
    struct set_parts *parts = set_parts_new(folder);
    add(parts, ONE, 3);
    MUST_FAIL(INCONSISTENT, set_parts_write(parts));
    text_format(next, sizeof next, "%s/sets/next", folder);
    CU_ASSERT_NOT_EQUAL(access(next, F_OK), 0);
    set_parts_free(&parts);
}

/* Two GiB before the end are a hole in the file: whoever read them would find no record there. */
static void test_a_file_is_looked_at_at_its_end_only(void)
{
    const char *folder = unit_folder();
    const uint64_t begin = 2 * GIB / SET_RECORD_BYTES * SET_RECORD_BYTES;
    OWNED(bytes) records = bytes_empty(1000000 * SET_RECORD_BYTES);
    uint8_t record[SET_RECORD_BYTES];
    struct rusage before, after;
    for (uint32_t n = 0; n < 1000000; n++) {
        struct set_entry entry = entry_of(n);
        set_entry_encode(&entry, record);
        MUST(bytes_append(records, span_of(record, sizeof record)));
    }
    write_one(folder, ONE, 1);
    int fd = open(path_of(folder, ONE), O_WRONLY | O_CLOEXEC);
    MUST(file_write_at(fd, bytes_span(records), (off_t)begin));
    close(fd);
    getrusage(RUSAGE_SELF, &before);
    write_one(folder, ONE, 2);
    getrusage(RUSAGE_SELF, &after);
    CU_ASSERT_EQUAL(size_of(folder, ONE), (off_t)begin + (off_t)records->size + SET_RECORD_BYTES);
    CU_ASSERT(after.ru_maxrss - before.ru_maxrss < 32 << 10); /* KiB */
    unlink(path_of(folder, ONE));
}

static void test_a_part_that_fails_keeps_nobody_else_from_being_written(void)
{
    const char *folder = unit_folder();
    struct set_parts *parts = set_parts_new(folder);
    struct set_digest digest;
    struct set_range range = {HOUR, INT64_MAX, -1, -1};
    MUST(file_make_folders(path_of(folder, OTHER), 0755)); /* a folder where a file should be */
    for (uint32_t n = 0; n < 3; n++) {
        add(parts, ONE, n);
        add(parts, OTHER, n);
        MUST(set_parts_write(parts));
        MUST(set_parts_write(parts)); /* nothing is left to write */
        set_parts_clear(parts);
    }
    set_parts_free(&parts);
    CU_ASSERT_EQUAL(size_of(folder, ONE), 3 * SET_RECORD_BYTES);
    CU_ASSERT_EQUAL(count_of(folder, ONE), 3);
    CU_ASSERT(set_is_broken(folder, OTHER, HOUR) && !set_is_broken(folder, ONE, HOUR));
    CU_ASSERT(!set_is_broken(folder, OTHER, HOUR + 1) && set_any_broken(folder));
    MUST_FAIL(IO_FAILED, leaf_set_digests(folder, OTHER, &range, 1, &digest));
}

static void test_hours_that_are_broken_are_counted(void)
{
    const char *folder = unit_folder();
    char path[512];
    text_format(path, sizeof path, "%s/sets", folder);
    MUST(file_make_folders(path, 0755));
    CU_ASSERT(!set_any_broken(folder));
    for (int64_t i = 0; i < SET_BROKEN_MAX; i++)
        MUST(set_broken_add(folder, ONE, HOUR + i));
    MUST_FAIL(OVERLOADED, set_broken_add(folder, ONE, HOUR - 1));
    CU_ASSERT(set_is_broken(folder, ONE, HOUR + SET_BROKEN_MAX - 1));
    CU_ASSERT(!set_is_broken(folder, ONE, HOUR - 1));
}

SUITE(set_parts, TEST(test_what_a_crash_left_at_the_end_is_cut_off),
      TEST(test_more_damage_has_all_made_anew), TEST(test_a_file_is_looked_at_at_its_end_only),
      TEST(test_a_part_that_fails_keeps_nobody_else_from_being_written),
      TEST(test_hours_that_are_broken_are_counted))
