// SPDX-License-Identifier: MIT
/* The static form of a log: what stands in its files beside what belongs there. */
#include "tests/unit/tools/forge.h"

/* A log of `count` entries whose tiles end where it does; the auditor has no use for its payloads.
 */
static struct forge *tiled(size_t count)
{
    struct forge *self = forge_new(PROVIDER);
    forge_own(self, HEADER_STARTED);
    while (self->head.size < count - 1)
        forge_own(self, HEADER_INCIDENT);
    forge_own(self, HEADER_STOPPED);
    forge_tiles(self);
    forge_checkpoint(self);
    forge_publish(self);
    return self;
}

static void append(const struct forge *self, const char *name, struct span bytes)
{
    char path[400];
    OWNED(bytes) file = NULL;
    snprintf(path, sizeof path, "%s/log/1/tile/%s", self->folder, name);
    MUST(file_read(path, 1 << 20, &file));
    MUST(bytes_append(file, bytes));
    MUST(file_replace(path, bytes_span(file), 0644));
}

/* One finding about this file, once something was written behind its end. */
static void finds_behind(size_t count, const char *name)
{
    OWNED(forge) self = tiled(count);
    json_t *said = forge_verify(self);
    CU_ASSERT_EQUAL(json_integer_value(json_object_get(said, "count")), 0);
    json_decref(said);
    append(self, name, span_of_text("xxxx"));
    said = forge_verify(self);
    CU_ASSERT_EQUAL(json_integer_value(json_object_get(said, "count")), 1);
    CU_ASSERT_EQUAL(forge_count(said, "tiles", NULL), 1);
    json_decref(said);
}

static void test_bytes_behind_a_bundle_are_found(void)
{
    finds_behind(5, "entries/000.p/5");
    finds_behind(260, "entries/000");
    finds_behind(260, "entries/001.p/4");
}

static void test_bytes_behind_a_tile_are_found(void)
{
    finds_behind(5, "0/000.p/5");
    finds_behind(260, "0/000");
    finds_behind(260, "0/001.p/4");
    finds_behind(260, "1/000.p/1");
}

/* A running node's log is copied: a part was replaced by the full one, which says more. */
static void test_a_full_tile_in_place_of_its_part_is_clean(void)
{
    OWNED(forge) self = tiled(256);
    char folder[sizeof self->folder], path[400];
    strcpy(folder, self->folder);
    json_t *said = forge_verify(self);
    CU_ASSERT_EQUAL(json_integer_value(json_object_get(said, "count")), 0);
    json_decref(said);
    /* the published head of a moment before */
    forge_branch(self, "before", 250);
    struct checkpoint head;
    OWNED(bytes) note = forge_note(self, &head);
    strcpy(self->folder, folder);
    forge_file(self, "log/1/checkpoint", bytes_span(note));
    said = forge_verify(self);
    CU_ASSERT_EQUAL(json_integer_value(json_object_get(said, "count")), 0);
    json_decref(said);
    snprintf(path, sizeof path, "%s/log/1/tile/0/000", self->folder);
    MUST(file_replace(path, span_of_text("x"), 0644));
    said = forge_verify(self);
    CU_ASSERT_EQUAL(forge_count(said, "tiles", NULL), 1);
    json_decref(said);
}

SUITE(verify_tiles, TEST(test_bytes_behind_a_bundle_are_found),
      TEST(test_bytes_behind_a_tile_are_found),
      TEST(test_a_full_tile_in_place_of_its_part_is_clean))
