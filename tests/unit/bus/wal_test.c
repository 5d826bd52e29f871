// SPDX-License-Identifier: MIT
#include "lib/bus/wal.h"

#include "lib/base/file.h"
#include "lib/bus/limits.h"
#include "tests/unit/unit.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#define SEGMENT_BYTES (64u << 10)

/* Leaf i is i's number, then as many bytes as make lengths differ. */
static struct span leaf_of(uint64_t i, uint8_t *room)
{
    size_t size = 20 + (size_t)(i * 37 % 200);
    memset(room, (int)(i % 251), size);
    memcpy(room, &i, sizeof i);
    return span_of(room, size);
}

static fault check_leaf(void *owner, uint64_t index, struct span leaf)
{
    uint8_t room[256];
    uint64_t *seen = owner;
    CU_ASSERT_EQUAL(index, *seen);
    CU_ASSERT(span_equal(leaf, leaf_of(index, room)));
    (*seen)++;
    return DONE;
}

static void append(struct wal *wal, uint64_t first, uint64_t count)
{
    uint8_t room[16][256];
    while (count > 0) {
        struct span leaves[16];
        size_t n = count < 16 ? count : 16;
        for (size_t i = 0; i < n; i++)
            leaves[i] = leaf_of(first + i, room[i]);
        struct wal_place place;
        MUST(wal_stage(wal, first, leaves, n, &place));
        wal_put(wal);
        wal_sync(wal);
        first += n;
        count -= n;
    }
}

static void make_log(const char *folder, uint64_t count)
{
    OWNED(wal) wal = NULL;
    struct wal_end end;
    uint64_t seen = 0;
    MUST(wal_open(folder, SEGMENT_BYTES, check_leaf, &seen, &wal, &end));
    append(wal, 0, count);
}

static uint64_t walk(const char *folder, struct wal_end *end)
{
    uint64_t seen = 0;
    MUST(wal_walk(folder, check_leaf, &seen, end));
    CU_ASSERT_EQUAL(end->size, seen);
    return seen;
}

static void test_what_was_written_is_walked_across_segments(void)
{
    const char *folder = unit_folder();
    struct wal_end end;
    make_log(folder, 2000);
    CU_ASSERT_EQUAL(walk(folder, &end), 2000);
    CU_ASSERT_EQUAL(end.cut_bytes, 0);
}

static void test_an_opened_log_goes_on_where_it_ended_and_reads_back(void)
{
    const char *folder = unit_folder();
    struct wal_end end;
    uint64_t seen = 0;
    make_log(folder, 700);
    OWNED(wal) wal = NULL;
    MUST(wal_open(folder, SEGMENT_BYTES, check_leaf, &seen, &wal, &end));
    append(wal, 700, 300);
    const uint64_t some[] = {0, 63, 64, 65, 500, 699, 700, 999};
    for (size_t i = 0; i < sizeof some / sizeof some[0]; i++) {
        uint8_t room[256];
        OWNED(bytes) leaf = NULL;
        MUST(wal_read(wal, some[i], &leaf));
        CU_ASSERT(span_equal(bytes_span(leaf), leaf_of(some[i], room)));
    }
    OWNED(bytes) none = NULL;
    MUST_FAIL(NOT_FOUND, wal_read(wal, 1000, &none));
}

static void test_a_second_process_is_kept_out(void)
{
    const char *folder = unit_folder();
    OWNED(wal) first = NULL;
    OWNED(wal) second = NULL;
    struct wal_end end;
    MUST(wal_open(folder, SEGMENT_BYTES, NULL, NULL, &first, &end));
    MUST_FAIL(REFUSED, wal_open(folder, SEGMENT_BYTES, NULL, NULL, &second, &end));
}

// --- torn tails ---------------------------------------------------------------------------------

static void segment_path(const char *folder, char out[256])
{
    snprintf(out, 256, "%s/00000000000000000000.seg", folder);
}

/* Offset of frame i in the first segment. */
static off_t place_of(uint64_t i)
{
    uint8_t room[256];
    off_t at = 0;
    for (uint64_t k = 0; k < i; k++)
        at += (off_t)(WAL_FRAME_BYTES + leaf_of(k, room).size);
    return at;
}

static void damage(const char *folder, off_t at, size_t size, int how, unsigned *seed)
{
    char path[256];
    segment_path(folder, path);
    int fd = open(path, O_RDWR | O_CLOEXEC);
    CU_ASSERT_FATAL(fd >= 0);
    for (size_t i = 0; i < size; i++) {
        uint8_t byte = 0;
        CU_ASSERT_EQUAL(pread(fd, &byte, 1, at + (off_t)i), 1);
        byte = how == 0 ? 0 : how == 1 ? (uint8_t)rand_r(seed) : (uint8_t)(byte ^ 0x10);
        CU_ASSERT_EQUAL(pwrite(fd, &byte, 1, at + (off_t)i), 1);
    }
    close(fd);
}

/* Zeros, garbage or a flipped bit from frame `hit` on: what comes before it must be found, whole.
 */
static void test_a_torn_tail_ends_the_log_exactly_there(void)
{
    unsigned seed = 7;
    for (int round = 0; round < 60; round++) {
        const char *folder = unit_folder();
        struct wal_end end;
        uint64_t count = 50 + (uint64_t)(rand_r(&seed) % 100);
        uint64_t hit = (uint64_t)rand_r(&seed) % count;
        make_log(folder, count);
        off_t stop = place_of(count);
        off_t at = place_of(hit) + (round % 3 == 2 ? WAL_FRAME_BYTES + 9 : 0);
        damage(folder, at, round % 3 == 2 ? 1 : (size_t)(stop - at), round % 3, &seed);
        uint64_t seen = 0;
        MUST(wal_walk(folder, check_leaf, &seen, &end));
        CU_ASSERT_EQUAL(seen, hit);
        CU_ASSERT_EQUAL(end.cut_bytes > 0, round % 3 != 0);
    }
}

static void test_stale_frames_never_come_back_after_a_cut(void)
{
    const char *folder = unit_folder();
    struct wal_end end;
    uint64_t seen = 0;
    unsigned seed = 1;
    make_log(folder, 100);
    damage(folder, place_of(40) + WAL_FRAME_BYTES, 1, 2, &seed); /* frames 41 to 99 are sound */
    OWNED(wal) wal = NULL;
    MUST(wal_open(folder, SEGMENT_BYTES, check_leaf, &seen, &wal, &end));
    CU_ASSERT_EQUAL(end.size, 40);
    CU_ASSERT(end.cut_bytes > 0);
    CU_ASSERT_EQUAL(end.after_count, 59);
    CU_ASSERT_EQUAL(end.after_last, 99);
    MUST(wal_cut_tail(wal));
    append(wal, 40, 1); /* as long as the old frame 40: 41 would fit on behind it */
    wal_free(&wal);
    CU_ASSERT_EQUAL(walk(folder, &end), 41);
    CU_ASSERT_EQUAL(end.cut_bytes, 0);
}

static void test_damage_before_the_last_segment_is_no_torn_tail(void)
{
    const char *folder = unit_folder();
    struct wal_end end;
    uint64_t seen = 0;
    unsigned seed = 1;
    make_log(folder, 2000);
    damage(folder, place_of(30) + WAL_FRAME_BYTES, 1, 2, &seed);
    OWNED(wal) wal = NULL;
    MUST_FAIL(LOG_BROKEN, wal_walk(folder, check_leaf, &seen, &end));
    seen = 0;
    MUST_FAIL(LOG_BROKEN, wal_open(folder, SEGMENT_BYTES, check_leaf, &seen, &wal, &end));
}

static void test_a_segment_that_is_missing_is_noticed(void)
{
    const char *folder = unit_folder();
    char path[256];
    struct wal_end end;
    make_log(folder, 2000);
    segment_path(folder, path);
    CU_ASSERT_EQUAL(unlink(path), 0);
    MUST_FAIL(LOG_BROKEN, wal_walk(folder, NULL, NULL, &end));
}

static void test_more_than_a_segment_holds_is_refused_and_nothing_written(void)
{
    const char *folder = unit_folder();
    static uint8_t large[60000];
    struct span leaves[2] = {span_of(large, sizeof large), span_of(large, sizeof large)};
    OWNED(wal) wal = NULL;
    struct wal_end end;
    MUST(wal_open(folder, SEGMENT_BYTES, NULL, NULL, &wal, &end));
    struct wal_place place;
    MUST_FAIL(LOG_FAILED, wal_stage(wal, 0, leaves, 2, &place));
    append(wal, 0, 3);
    wal_free(&wal);
    CU_ASSERT_EQUAL(walk(folder, &end), 3);
}

/* The next segment is open before it is needed: a table of files that somebody else filled must not
 * stop a log half-way between two segments. */
static void test_a_full_table_of_files_does_not_break_a_roll(void)
{
    const char *folder = unit_folder();
    struct wal_end end;
    uint64_t seen = 0, count = 0;
    struct rlimit limit, none;
    OWNED(wal) wal = NULL;
    MUST(wal_open(folder, SEGMENT_BYTES, check_leaf, &seen, &wal, &end));
    for (; count < 320; count += 16)
        append(wal, count, 16);
    while (wal_prepare(wal))
        ;
    CU_ASSERT_EQUAL_FATAL(getrlimit(RLIMIT_NOFILE, &limit), 0);
    none = (struct rlimit){.rlim_cur = 3, .rlim_max = limit.rlim_max};
    CU_ASSERT_EQUAL_FATAL(setrlimit(RLIMIT_NOFILE, &none), 0);
    append(wal, count, 320);
    CU_ASSERT_EQUAL(setrlimit(RLIMIT_NOFILE, &limit), 0);
    wal_free(&wal);
    CU_ASSERT_EQUAL(walk(folder, &end), 640);
    seen = 0;
    MUST(wal_open(folder, SEGMENT_BYTES, check_leaf, &seen, &wal, &end));
}

/* A large one takes many steps, between which groups are committed; a group that cannot wait ends
 * it. */
static void test_a_segment_is_made_ready_in_steps(void)
{
    enum { LARGE = 3 * WAL_PREPARE_BYTES };
    for (int steps = 1; steps <= 3; steps++) {
        const char *folder = unit_folder();
        struct wal_end end;
        uint64_t count = 0;
        struct stat facts;
        char path[512];
        OWNED(wal) wal = NULL;
        MUST(wal_open(folder, LARGE, NULL, NULL, &wal, &end));
        CU_ASSERT(!wal_prepare(wal)); /* not before half of it is used */
        for (; wal_bound(wal, UINT64_MAX) == 0 && !wal_prepare(wal); count += 32)
            append(wal, count, 32);
        for (int i = 1; i < steps; i++)
            CU_ASSERT_EQUAL(wal_prepare(wal), i < 2);
        for (; wal_bound(wal, UINT64_MAX) == 0; count += 32)
            append(wal, count, 32);
        wal_segment_path(folder, wal_bound(wal, UINT64_MAX), path, sizeof path);
        CU_ASSERT_EQUAL(stat(path, &facts), 0);
        CU_ASSERT_EQUAL(facts.st_size, LARGE);
        wal_free(&wal);
        CU_ASSERT_EQUAL(walk(folder, &end), count);
    }
}

static void test_a_tail_that_is_refused_is_left_as_it_was(void)
{
    const char *folder = unit_folder();
    struct wal_end end;
    uint64_t seen = 0;
    unsigned seed = 1;
    make_log(folder, 100);
    damage(folder, place_of(40) + WAL_FRAME_BYTES, 1, 2, &seed);
    for (int i = 0; i < 2; i++) {
        OWNED(wal) wal = NULL;
        seen = 0;
        MUST(wal_open(folder, SEGMENT_BYTES, check_leaf, &seen, &wal, &end));
        CU_ASSERT_EQUAL(end.after_count, 59); /* the second time too: opening cuts nothing */
    }
}

static void test_a_reader_follows_a_log_that_grows(void)
{
    const char *folder = unit_folder();
    struct wal_end end;
    uint64_t seen = 0, followed = 0;
    OWNED(wal) wal = NULL;
    OWNED(wal_reader) reader = NULL;
    MUST(wal_open(folder, SEGMENT_BYTES, check_leaf, &seen, &wal, &end));
    append(wal, 0, 5);
    MUST(wal_reader_open(folder, 0, &reader));
    MUST(wal_reader_show(reader, 3, check_leaf, &followed));
    MUST(wal_reader_show(reader, 5, check_leaf, &followed));
    append(wal, 5, 995); /* over several segments */
    MUST(wal_reader_show(reader, 1000, check_leaf, &followed));
    CU_ASSERT_EQUAL(followed, 1000);
    MUST_FAIL(LOG_BROKEN, wal_reader_show(reader, 1001, check_leaf, &followed));
    append(wal, 1000, 1);
    MUST(wal_reader_show(reader, 1001, check_leaf, &followed));
    OWNED(wal_reader) later = NULL;
    followed = 777;
    MUST(wal_reader_open(folder, 777, &later));
    MUST(wal_reader_show(later, 1001, check_leaf, &followed));
    CU_ASSERT_EQUAL(followed, 1001);
}

SUITE(wal, TEST(test_a_reader_follows_a_log_that_grows),
      TEST(test_a_full_table_of_files_does_not_break_a_roll),
      TEST(test_a_segment_is_made_ready_in_steps),
      TEST(test_a_tail_that_is_refused_is_left_as_it_was),
      TEST(test_what_was_written_is_walked_across_segments),
      TEST(test_an_opened_log_goes_on_where_it_ended_and_reads_back),
      TEST(test_a_second_process_is_kept_out), TEST(test_a_torn_tail_ends_the_log_exactly_there),
      TEST(test_stale_frames_never_come_back_after_a_cut),
      TEST(test_damage_before_the_last_segment_is_no_torn_tail),
      TEST(test_a_segment_that_is_missing_is_noticed),
      TEST(test_more_than_a_segment_holds_is_refused_and_nothing_written))
