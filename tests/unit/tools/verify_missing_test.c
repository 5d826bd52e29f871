// SPDX-License-Identifier: MIT
/* Records of erasure, many of them. Which one answers for what is tested in verify_test.c. */
#include "tests/unit/tools/forge.h"

#define MANY 1500

static void erased(struct forge *self, uint64_t first, uint64_t last, const char *of)
{
    struct header header = forge_header(self, PROVIDER, HEADER_ERASED);
    struct erasure what = {.first = first, .last = last, .day = "20200101", .of = of};
    header.erasure = &what;
    forge_append(self, PROVIDER, &header, header.time_ms);
}

/* Each would have to be held against each entry. */
static void test_more_acts_about_the_same_entries_than_any_node_writes_are_found(void)
{
    OWNED(forge) self = forge_new(PROVIDER);
    forge_own(self, HEADER_STARTED);
    for (int i = 0; i < MANY; i++)
        erased(self, 0, INT64_MAX, DANE "/DIVIPOLA/zzz");
    forge_finds(self, "payload", 1, -1);
}

static void test_as_many_acts_that_speak_of_other_entries_are_not(void)
{
    OWNED(forge) self = forge_new(PROVIDER);
    forge_own(self, HEADER_STARTED);
    for (int i = 0; i < MANY; i++)
        erased(self, (uint64_t)i, (uint64_t)i, "");
    forge_finds(self, "", 0, -1);
}

/* The first that was written is the one that is named, whatever the order of what they name. */
static void test_of_several_acts_the_first_answers(void)
{
    OWNED(forge) self = forge_new(PROVIDER);
    forge_own(self, HEADER_STARTED);
    self->mode = KEEP_OFF;
    forge_exchange(self);
    self->mode = KEEP_FULL;
    erased(self, 1, 2, ""); /* entry 3 */
    erased(self, 0, 9, ""); /* entry 4 */
    forge_own(self, HEADER_STOPPED);
    forge_checkpoint(self);
    forge_publish(self);
    json_t *said = forge_verify(self);
    json_t *log = json_array_get(json_object_get(said, "audited"), 0);
    json_t *acts = json_object_get(log, "erasures");
    CU_ASSERT_EQUAL(json_integer_value(json_object_get(said, "count")), 0);
    CU_ASSERT_EQUAL_FATAL(json_array_size(acts), 2);
    for (size_t i = 0; i < 2; i++)
        CU_ASSERT_EQUAL(json_integer_value(json_object_get(json_array_get(acts, i), "payloads")),
                        i == 0 ? 2 : 0);
    json_decref(said);
}

SUITE(verify_missing, TEST(test_more_acts_about_the_same_entries_than_any_node_writes_are_found),
      TEST(test_as_many_acts_that_speak_of_other_entries_are_not),
      TEST(test_of_several_acts_the_first_answers))
