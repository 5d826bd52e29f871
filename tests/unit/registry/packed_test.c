// SPDX-License-Identifier: MIT
#include "registry/serve/packed.h"

#include "lib/base/file.h"
#include "lib/bus/limits.h"
#include "tests/unit/unit.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>
#include <zlib.h>

#define BYTES 100000

/* A tile of this content in a folder, opened. */
static struct published_file file_of(const char *folder, struct span content)
{
    struct published_file file;
    char path[300];
    snprintf(path, sizeof path, "%s/tile/entries", folder);
    MUST(file_make_folders(path, 0755));
    snprintf(path, sizeof path, "%s/tile/entries/000", folder);
    MUST(file_replace(path, content, 0644));
    MUST(published_file_open(folder, "tile/entries/000", &file));
    return file;
}

static struct bytes *unpack(struct span packed)
{
    struct bytes *out = NULL;
    z_stream stream = {.next_in = (Bytef *)(uintptr_t)packed.at, .avail_in = (uInt)packed.size};
    MUST(bytes_new(2 * BYTES, &out));
    CU_ASSERT_EQUAL_FATAL(inflateInit2(&stream, 31), Z_OK);
    stream.next_out = out->data;
    stream.avail_out = (uInt)out->size;
    CU_ASSERT_EQUAL(inflate(&stream, Z_FINISH), Z_STREAM_END);
    out->size = stream.total_out;
    inflateEnd(&stream);
    return out;
}

static struct bytes *plain(uint8_t seed)
{
    struct bytes *out = NULL;
    MUST(bytes_new(BYTES, &out));
    for (size_t i = 0; i < BYTES; i++)
        out->data[i] = (uint8_t)(i / 7 * seed);
    return out;
}

static void test_a_file_comes_out_as_it_went_in(void)
{
    OWNED(packed) packed = packed_new();
    OWNED(bytes) content = plain(3);
    struct published_file file = file_of(unit_folder(), bytes_span(content));
    struct span small = {0}, again = {0};
    MUST(packed_file(packed, "tile/entries/000", &file, &small));
    CU_ASSERT(small.size < BYTES / 2);
    OWNED(bytes) back = unpack(small);
    CU_ASSERT(span_equal(bytes_span(back), bytes_span(content)));
    MUST(packed_file(packed, "tile/entries/000", &file, &again));
    CU_ASSERT_PTR_EQUAL(again.at, small.at); /* it was kept */
    close(file.fd);
}

static void test_a_file_that_was_replaced_is_packed_anew(void)
{
    const char *folder = unit_folder();
    OWNED(packed) packed = packed_new();
    OWNED(bytes) first = plain(3);
    OWNED(bytes) second = plain(5);
    second->size -= 10; /* so that the etag differs whatever the clock says */
    struct published_file file = file_of(folder, bytes_span(first));
    struct span small;
    MUST(packed_file(packed, "tile/entries/000", &file, &small));
    close(file.fd);
    file = file_of(folder, bytes_span(second));
    MUST(packed_file(packed, "tile/entries/000", &file, &small));
    OWNED(bytes) back = unpack(small);
    CU_ASSERT(span_equal(bytes_span(back), bytes_span(second)));
    close(file.fd);
}

static void test_what_does_not_become_smaller_is_sent_as_it_is(void)
{
    OWNED(packed) packed = packed_new();
    OWNED(bytes) content = plain(3);
    struct span small;
    uint64_t state = 88172645463325252u;
    struct published_file file = file_of(unit_folder(), span_of(content->data, 100));
    MUST_FAIL(NOT_FOUND, packed_file(packed, "tile/entries/000", &file, &small));
    close(file.fd);
    for (size_t i = 0; i < BYTES; i++) {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        content->data[i] = (uint8_t)(state >> 24);
    }
    file = file_of(unit_folder(), bytes_span(content));
    MUST_FAIL(NOT_FOUND, packed_file(packed, "tile/entries/000", &file, &small));
    close(file.fd);
}

static void test_who_asks_for_gzip_is_heard(void)
{
    CU_ASSERT_FALSE(packed_is_wanted(NULL));
    CU_ASSERT_FALSE(packed_is_wanted(""));
    CU_ASSERT_FALSE(packed_is_wanted("br, deflate"));
    CU_ASSERT_FALSE(packed_is_wanted("gzipped"));
    CU_ASSERT_FALSE(packed_is_wanted("gzip;q=0"));
    CU_ASSERT_FALSE(packed_is_wanted("gzip;q=0.0, br;q=1"));
    CU_ASSERT_TRUE(packed_is_wanted("gzip"));
    CU_ASSERT_TRUE(packed_is_wanted("br;q=0, GZIP ;q=0.5"));
    CU_ASSERT_TRUE(packed_is_wanted("*"));
}

SUITE(packed, TEST(test_a_file_comes_out_as_it_went_in),
      TEST(test_a_file_that_was_replaced_is_packed_anew),
      TEST(test_what_does_not_become_smaller_is_sent_as_it_is),
      TEST(test_who_asks_for_gzip_is_heard))
