// SPDX-License-Identifier: MIT
#include "lib/bus/published_name.h"

#include "lib/bus/tiles.h"
#include "tests/unit/unit.h"

static enum published_kind kind_of(const char *name)
{
    return published_name_kind(span_of_text(name));
}

static void test_every_tile_that_is_written_can_be_asked_for(void)
{
    static const uint64_t numbers[] = {0, 1, 999, 1000, 1234067, UINT64_C(0xffffffffffffff)};
    static const unsigned widths[] = {1, 9, 10, 255, 256};
    for (int level = -1; level < 8; level++)
        for (size_t n = 0; n < sizeof numbers / sizeof numbers[0]; n++)
            for (size_t w = 0; w < sizeof widths / sizeof widths[0]; w++) {
                char path[160];
                tiles_path(level, numbers[n], widths[w], path, sizeof path);
                CU_ASSERT_EQUAL(kind_of(path), PUBLISHED_TILE);
            }
    CU_ASSERT_EQUAL(kind_of("checkpoint"), PUBLISHED_HEAD);
    CU_ASSERT_EQUAL(kind_of("heartbeat"), PUBLISHED_NEWS);
    CU_ASSERT_EQUAL(kind_of("snapshot/newest"), PUBLISHED_NEWS);
    CU_ASSERT_EQUAL(kind_of("snapshot/2048"), PUBLISHED_SNAPSHOT);
    CU_ASSERT_EQUAL(kind_of("authority.pem"), PUBLISHED_AUTHORITY);
    CU_ASSERT_EQUAL(kind_of("handovers"), PUBLISHED_KEYS);
}

static void test_nothing_else_can_be_asked_for(void)
{
    static const char *const bad[] = {
        "",
        ".",
        "..",
        "/",
        "checkpoint/",
        "snapshot/",
        "snapshot/0",
        "snapshot/02",
        "snapshot/1/2",
        "snapshot/newest/1",
        "snapshot",
        "heartbeat/",
        "/checkpoint",
        "./checkpoint",
        "../checkpoint",
        "Checkpoint",
        "checkpoint.new",
        "authority.key",
        "tile",
        "tile/",
        "tile/0",
        "tile/0/",
        "tile/0/00",
        "tile/0/0000",
        "tile/0/x000",
        "tile/0/000/000",
        "tile/0/x000/x000",
        "tile/0/000.p",
        "tile/0/000.p/",
        "tile/0/000.p/0",
        "tile/0/000.p/01",
        "tile/0/000.p/256",
        "tile/0/000.p/1/",
        "tile/0/000.p/-1",
        "tile/0/000.p/1/2",
        "tile/00/000",
        "tile/64/000",
        "tile/-1/000",
        "tile//000",
        "tile/0//000",
        "tile/entries/../000",
        "tile/../checkpoint",
        "tile/entries/000/..",
        "tile/entries/000.p/..",
        "tile/entries/%30%30%30",
        "tile/0/x001/x001/x001/x001/x001/x001/x001/x001/001",
    };
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        CU_ASSERT_EQUAL(kind_of(bad[i]), PUBLISHED_NOT);
    CU_ASSERT_EQUAL(published_name_kind(span_of("checkpoint\0", 11)), PUBLISHED_NOT);
    CU_ASSERT_EQUAL(published_name_kind(span_of(NULL, 0)), PUBLISHED_NOT);
}

SUITE(published_name, TEST(test_every_tile_that_is_written_can_be_asked_for),
      TEST(test_nothing_else_can_be_asked_for))
