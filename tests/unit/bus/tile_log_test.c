// SPDX-License-Identifier: MIT
#include "lib/bus/tile_log.h"

#include "lib/base/file.h"
#include "lib/bus/tiles.h"
#include "tests/unit/unit.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

static struct span leaf_of(uint64_t index, char room[32])
{
    snprintf(room, 32, "entry %llu", (unsigned long long)index);
    return span_of_text(room);
}

static void add(struct tile_writer *writer, uint64_t until)
{
    char room[32];
    while (tile_writer_size(writer) < until)
        MUST(tile_writer_add(writer, leaf_of(tile_writer_size(writer), room)));
}

static struct tile_writer *begun(const char *folder)
{
    struct tile_writer *writer = NULL;
    struct merkle empty = {0};
    struct sha256 root = merkle_root(&empty);
    MUST(tile_writer_open(folder, 0, &root, &writer));
    return writer;
}

static struct sha256 root_of(uint64_t size)
{
    struct merkle tree = {0};
    char room[32];
    for (uint64_t i = 0; i < size; i++) {
        struct sha256 hash = merkle_leaf_hash(leaf_of(i, room));
        merkle_append(&tree, &hash);
    }
    return merkle_root(&tree);
}

static bool is_there(const char *folder, const char *name)
{
    char path[512];
    snprintf(path, sizeof path, "%s/%s", folder, name);
    return access(path, F_OK) == 0;
}

static off_t size_of(const char *folder, const char *name)
{
    char path[512];
    struct stat st;
    snprintf(path, sizeof path, "%s/%s", folder, name);
    return stat(path, &st) == 0 ? st.st_size : -1;
}

static void test_seventy_thousand_entries_make_the_tiles_of_the_specification(void)
{
    const char *folder = unit_folder();
    OWNED(tile_writer) writer = begun(folder);
    add(writer, 70000);
    MUST(tile_writer_flush(writer));
    CU_ASSERT_EQUAL(size_of(folder, "tile/0/000"), 8192);
    CU_ASSERT_EQUAL(size_of(folder, "tile/0/272"), 8192);
    CU_ASSERT_EQUAL(size_of(folder, "tile/0/273.p/112"), 112 * 32);
    CU_ASSERT_EQUAL(size_of(folder, "tile/1/000"), 8192);
    CU_ASSERT_EQUAL(size_of(folder, "tile/1/001.p/17"), 17 * 32);
    CU_ASSERT_EQUAL(size_of(folder, "tile/2/000.p/1"), 32);
    CU_ASSERT(is_there(folder, "tile/entries/272"));
    CU_ASSERT(is_there(folder, "tile/entries/273.p/112"));
    CU_ASSERT_FALSE(is_there(folder, "tile/entries/273"));
    struct sha256 root = tile_writer_root(writer), wanted = root_of(70000);
    CU_ASSERT(sha256_equal(&root, &wanted));
}

/* Whatever the sizes at which it was flushed and opened again, the tiles are the same bytes. */
static void test_a_log_that_was_opened_many_times_is_the_same(void)
{
    const char *folder = unit_folder();
    static const uint64_t stops[] = {1, 2, 255, 256, 257, 300, 511, 512, 600, 65535, 65536, 66000};
    OWNED(tile_writer) writer = begun(folder);
    for (size_t i = 0; i < sizeof stops / sizeof stops[0]; i++) {
        add(writer, stops[i]);
        MUST(tile_writer_flush(writer));
        struct sha256 root = tile_writer_root(writer), wanted = root_of(stops[i]);
        CU_ASSERT(sha256_equal(&root, &wanted));
        tile_writer_free(&writer);
        MUST(tile_writer_open(folder, stops[i], &root, &writer));
    }
    CU_ASSERT_FALSE(is_there(folder, "tile/0/000.p")); /* the full one has replaced them */
    CU_ASSERT_FALSE(is_there(folder, "tile/entries/001.p"));
    OWNED(tile_reader) reader = tile_reader_new(folder, 66000);
    for (uint64_t index = 0; index < 66000; index += 977) {
        char room[32];
        OWNED(bytes) entry = NULL;
        MUST(tile_reader_entry(reader, index, &entry));
        CU_ASSERT(span_equal(bytes_span(entry), leaf_of(index, room)));
    }
}

static void test_what_was_added_after_the_flush_is_written_again_after_a_crash(void)
{
    const char *folder = unit_folder();
    struct tile_writer *writer = begun(folder);
    add(writer, 300);
    MUST(tile_writer_flush(writer));
    struct sha256 root = tile_writer_root(writer);
    add(writer, 700); /* a full bundle is there, and nobody has promised it */
    tile_writer_free(&writer);
    MUST(tile_writer_open(folder, 300, &root, &writer));
    add(writer, 900);
    MUST(tile_writer_flush(writer));
    struct sha256 found = tile_writer_root(writer), wanted = root_of(900);
    CU_ASSERT(sha256_equal(&found, &wanted));
    tile_writer_free(&writer);
}

static void test_proofs_read_from_tiles_verify(void)
{
    const char *folder = unit_folder();
    OWNED(tile_writer) writer = begun(folder);
    add(writer, 66321);
    MUST(tile_writer_flush(writer));
    struct sha256 root = tile_writer_root(writer);
    OWNED(tile_reader) reader = tile_reader_new(folder, 66321);
    static const uint64_t some[] = {0, 1, 255, 256, 65535, 65536, 66000, 66320};
    for (size_t i = 0; i < sizeof some / sizeof some[0]; i++) {
        char room[32];
        struct sha256 proof[MERKLE_PROOF_MAX], found, old = root_of(some[i]);
        struct sha256 leaf = merkle_leaf_hash(leaf_of(some[i], room));
        size_t length = 0;
        MUST(tile_reader_inclusion(reader, some[i], proof, &length));
        MUST(merkle_inclusion_root(some[i], 66321, &leaf, proof, length, &found));
        CU_ASSERT(sha256_equal(&found, &root));
        MUST(tile_reader_consistency(reader, some[i], proof, &length));
        MUST(merkle_consistency_check(some[i], &old, 66321, &root, proof, length));
    }
    size_t length = 0;
    struct sha256 proof[MERKLE_PROOF_MAX];
    MUST_FAIL(NOT_FOUND, tile_reader_inclusion(reader, 66321, proof, &length));
    MUST_FAIL(NOT_FOUND, tile_reader_consistency(reader, 66322, proof, &length));
}

static void test_tiles_that_were_altered_do_not_open(void)
{
    const char *folder = unit_folder();
    char path[512];
    struct tile_writer *writer = begun(folder);
    add(writer, 300);
    MUST(tile_writer_flush(writer));
    struct sha256 root = tile_writer_root(writer);
    tile_writer_free(&writer);
    snprintf(path, sizeof path, "%s/tile/1/000.p/1", folder);
    OWNED(bytes) tile = NULL;
    MUST(file_read(path, 9000, &tile));
    tile->data[5] ^= 1;
    MUST(file_replace(path, bytes_span(tile), 0644));
    MUST_FAIL(LOG_BROKEN, tile_writer_open(folder, 300, &root, &writer));
    CU_ASSERT_EQUAL(unlink(path), 0);
    MUST_FAIL(LOG_BROKEN, tile_writer_open(folder, 300, &root, &writer));
}

SUITE(tile_log, TEST(test_seventy_thousand_entries_make_the_tiles_of_the_specification),
      TEST(test_a_log_that_was_opened_many_times_is_the_same),
      TEST(test_what_was_added_after_the_flush_is_written_again_after_a_crash),
      TEST(test_proofs_read_from_tiles_verify), TEST(test_tiles_that_were_altered_do_not_open))
