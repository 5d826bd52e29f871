// SPDX-License-Identifier: MIT
#include "lib/bus/tiles.h"

#include "lib/base/file.h"
#include "lib/crypto/merkle.h"
#include "tests/unit/unit.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

static bool path_is(int level, uint64_t number, unsigned width, const char *wanted)
{
    char path[128];
    size_t length = tiles_path(level, number, width, path, sizeof path);
    return length == strlen(wanted) && strcmp(path, wanted) == 0;
}

static void test_paths_are_those_of_the_specification(void)
{
    CU_ASSERT(path_is(-1, 0, 256, "tile/entries/000"));
    CU_ASSERT(path_is(-1, 1234067, 256, "tile/entries/x001/x234/067"));
    CU_ASSERT(path_is(0, 273, 112, "tile/0/273.p/112"));
    CU_ASSERT(path_is(1, 1, 17, "tile/1/001.p/17"));
    CU_ASSERT(path_is(2, 1000, 1, "tile/2/x001/000.p/1"));
    CU_ASSERT(path_is(63, 999999, 256, "tile/63/x999/999"));
}

/* Entries "0", "1", ... */
struct entries {
    char text[70000][8];
    struct span leaves[70000];
};

static struct entries *entries_new(void)
{
    struct entries *self = owned_new(sizeof *self);
    for (size_t i = 0; i < 70000; i++) {
        snprintf(self->text[i], sizeof self->text[i], "%zu", i);
        self->leaves[i] = span_of_text(self->text[i]);
    }
    return self;
}

static void entries_free(struct entries **self)
{
    free(*self);
    *self = NULL;
}

static bool is_there(const char *folder, const char *name)
{
    char path[512];
    snprintf(path, sizeof path, "%s/%s", folder, name);
    return access(path, F_OK) == 0;
}

static struct bytes *read_tile(const char *folder, int level, uint64_t number, unsigned width)
{
    char tile[128], path[512];
    struct bytes *bytes = NULL;
    tiles_path(level, number, width, tile, sizeof tile);
    snprintf(path, sizeof path, "%s/%s", folder, tile);
    MUST(file_read(path, 8192, &bytes));
    return bytes;
}

static struct sha256 root_of_entries(const struct span *leaves, uint64_t count)
{
    struct merkle tree = {0};
    for (uint64_t i = 0; i < count; i++) {
        struct sha256 hash = merkle_leaf_hash(leaves[i]);
        merkle_append(&tree, &hash);
    }
    return merkle_root(&tree);
}

/* Independent of the writer: takes nothing but the tiles of one level. */
static struct sha256 root_of_tiles(const char *folder, uint64_t count)
{
    struct merkle tree = {0};
    for (uint64_t number = 0; number * 256 < count; number++) {
        uint64_t left = count - number * 256;
        unsigned width = left < 256 ? (unsigned)left : 256;
        OWNED(bytes) tile = read_tile(folder, 0, number, width);
        CU_ASSERT_EQUAL_FATAL(tile->size, width * sizeof(struct sha256));
        for (unsigned i = 0; i < width; i++) {
            struct sha256 hash;
            memcpy(hash.at, tile->data + i * sizeof hash.at, sizeof hash.at);
            merkle_append(&tree, &hash);
        }
    }
    return merkle_root(&tree);
}

static void test_the_root_is_that_of_the_tiles_of_level_0(void)
{
    OWNED(entries) all = entries_new();
    const uint64_t sizes[] = {1, 2, 255, 256, 257, 511, 512, 700};
    for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
        const char *folder = unit_folder();
        MUST(tiles_publish(folder, all->leaves, 0, sizes[i], span_of_text("note\n")));
        struct sha256 wanted = root_of_entries(all->leaves, sizes[i]);
        struct sha256 found = root_of_tiles(folder, sizes[i]);
        CU_ASSERT(sha256_equal(&wanted, &found));
    }
}

static void test_70000_entries_make_the_tiles_of_the_specification(void)
{
    OWNED(entries) all = entries_new();
    const char *folder = unit_folder();
    MUST(tiles_publish(folder, all->leaves, 0, 70000, span_of_text("note\n")));
    CU_ASSERT(is_there(folder, "tile/0/272"));
    CU_ASSERT(is_there(folder, "tile/0/273.p/112"));
    CU_ASSERT(is_there(folder, "tile/1/000"));
    CU_ASSERT(is_there(folder, "tile/1/001.p/17"));
    CU_ASSERT(is_there(folder, "tile/2/000.p/1"));
    CU_ASSERT_FALSE(is_there(folder, "tile/2/001.p"));
    CU_ASSERT_FALSE(is_there(folder, "tile/3"));
    OWNED(bytes) top = read_tile(folder, 2, 0, 1);
    struct sha256 full = root_of_entries(all->leaves, 65536);
    CU_ASSERT(span_equal(bytes_span(top), sha256_span(&full)));
}

static void test_entries_are_read_back(void)
{
    OWNED(entries) all = entries_new();
    OWNED(bytes) backing = NULL;
    struct span *leaves = NULL;
    const char *folder = unit_folder();
    MUST(tiles_publish(folder, all->leaves, 0, 600, span_of_text("note\n")));
    MUST(tiles_read_entries(folder, 600, &backing, &leaves));
    for (size_t i = 0; i < 600; i++)
        CU_ASSERT(span_equal(leaves[i], all->leaves[i]));
    free(leaves);
}

/* Each hash is the root of a full tile below. */
static void check_level_1(const char *folder, const struct span *leaves, uint64_t count)
{
    unsigned width = (unsigned)(count / 256);
    if (width == 0)
        return;
    OWNED(bytes) tile = read_tile(folder, 1, 0, width);
    CU_ASSERT_EQUAL_FATAL(tile->size, width * sizeof(struct sha256));
    for (unsigned i = 0; i < width; i++) {
        struct sha256 wanted = root_of_entries(leaves + (size_t)256 * i, 256);
        CU_ASSERT(span_equal(sha256_span(&wanted), span_of(tile->data + 32 * (size_t)i, 32)));
    }
}

static void test_growing_writes_the_same_as_writing_at_once(void)
{
    OWNED(entries) all = entries_new();
    const char *folder = unit_folder();
    const uint64_t sizes[] = {0, 1, 100, 256, 300, 520, 800};
    for (size_t i = 1; i < sizeof sizes / sizeof sizes[0]; i++) {
        MUST(tiles_publish(folder, all->leaves, sizes[i - 1], sizes[i], span_of_text("note\n")));
        check_level_1(folder, all->leaves, sizes[i]);
        struct sha256 wanted = root_of_entries(all->leaves, sizes[i]);
        struct sha256 found = root_of_tiles(folder, sizes[i]);
        CU_ASSERT(sha256_equal(&wanted, &found));
    }
    CU_ASSERT_FALSE(is_there(folder, "tile/entries/000.p"));
    CU_ASSERT_FALSE(is_there(folder, "tile/0/001.p"));
    CU_ASSERT(is_there(folder, "tile/entries/003.p/32"));
}

static void test_an_older_size_is_read_from_the_full_bundle(void)
{
    OWNED(entries) all = entries_new();
    OWNED(bytes) backing = NULL;
    struct span *leaves = NULL;
    const char *folder = unit_folder();
    MUST(tiles_publish(folder, all->leaves, 0, 100, span_of_text("note\n")));
    MUST(tiles_publish(folder, all->leaves, 100, 300, span_of_text("note\n")));
    MUST(tiles_read_entries(folder, 100, &backing, &leaves));
    CU_ASSERT(span_equal(leaves[99], all->leaves[99]));
    free(leaves);
}

static void test_a_cut_or_overlong_bundle_is_refused(void)
{
    OWNED(entries) all = entries_new();
    OWNED(bytes) backing = NULL;
    struct span *leaves = NULL;
    char path[512];
    const char *folder = unit_folder();
    MUST(tiles_publish(folder, all->leaves, 0, 3, span_of_text("note\n")));
    snprintf(path, sizeof path, "%s/tile/entries/000.p/3", folder);
    MUST(file_replace(path, span_of("\0\1a\0\1b\0\1", 8), 0644));
    MUST_FAIL(BAD_FRAME, tiles_read_entries(folder, 3, &backing, &leaves));
    MUST(file_replace(path, span_of("\0\1a\0\1b\0\1c!", 10), 0644));
    MUST_FAIL(BAD_FRAME, tiles_read_entries(folder, 3, &backing, &leaves));
    MUST_FAIL(NOT_FOUND, tiles_read_entries(folder, 257, &backing, &leaves));
    CU_ASSERT_PTR_NULL(leaves);
}

static void test_the_checkpoint_is_not_written_before_the_tiles(void)
{
    OWNED(entries) all = entries_new();
    char path[512];
    const char *folder = unit_folder();
    MUST(tiles_publish(folder, all->leaves, 0, 3, span_of_text("old\n")));
    /* a file where a folder must be: the hash tiles cannot be written */
    snprintf(path, sizeof path, "%s/tile/0/001.p", folder);
    MUST(file_replace(path, span_of_text("x"), 0644));
    CU_ASSERT(failed(tiles_publish(folder, all->leaves, 3, 300, span_of_text("new\n"))));
    OWNED(bytes) note = NULL;
    snprintf(path, sizeof path, "%s/checkpoint", folder);
    MUST(file_read(path, 100, &note));
    CU_ASSERT(span_is_text(bytes_span(note), "old\n"));
    CU_ASSERT(is_there(folder, "tile/entries/000.p/3"));
}

SUITE(tiles, TEST(test_paths_are_those_of_the_specification),
      TEST(test_the_root_is_that_of_the_tiles_of_level_0),
      TEST(test_70000_entries_make_the_tiles_of_the_specification),
      TEST(test_entries_are_read_back), TEST(test_growing_writes_the_same_as_writing_at_once),
      TEST(test_an_older_size_is_read_from_the_full_bundle),
      TEST(test_a_cut_or_overlong_bundle_is_refused),
      TEST(test_the_checkpoint_is_not_written_before_the_tiles))
