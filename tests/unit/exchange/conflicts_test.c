// SPDX-License-Identifier: MIT
#include "security-server/exchange/conflicts.h"

#include "lib/base/file.h"
#include "lib/base/text.h"
#include "lib/bus/limits.h"
#include "tests/unit/unit.h"

#include <string.h>

static fault keep(const char *folder, const char *origin, const char *note, size_t spare,
                  bool *fresh)
{
    char name[CONFLICT_NAME_BYTES];
    return conflicts_keep(folder, origin, span_of_text(note), spare, name, fresh);
}

static void test_a_note_is_kept_as_it_came(void)
{
    char name[CONFLICT_NAME_BYTES], path[600];
    const char *folder = unit_folder();
    OWNED(bytes) found = NULL;
    bool fresh = false;
    MUST(conflicts_keep(folder, "a.example/log", span_of_text("a note"), 0, name, &fresh));
    CU_ASSERT(fresh);
    text_format(path, sizeof path, "%s/%s", folder, name);
    MUST(file_read(path, 100, &found));
    CU_ASSERT(span_is_text(bytes_span(found), "a note"));
}

static void test_a_note_that_is_repeated_takes_no_second_place(void)
{
    const char *folder = unit_folder();
    bool fresh = false;
    for (int i = 0; i < 3 * CONFLICTS_A_LOG_MAX; i++)
        MUST(keep(folder, "a.example/log", "the same", 0, &fresh));
    CU_ASSERT(!fresh);
    MUST(keep(folder, "a.example/log", "another", 0, &fresh));
    CU_ASSERT(fresh);
}

static void test_one_log_takes_no_other_logs_place(void)
{
    const char *folder = unit_folder();
    char note[32];
    bool fresh = false;
    for (int i = 0; i < CONFLICTS_A_LOG_MAX; i++) {
        text_format(note, sizeof note, "note %d", i);
        MUST(keep(folder, "a.example/log", note, 0, &fresh));
    }
    MUST_FAIL(OVERLOADED, keep(folder, "a.example/log", "one more", 0, &fresh));
    MUST(keep(folder, "b.example/log", "one more", 0, &fresh));
}

static void test_what_proves_less_leaves_room(void)
{
    const char *folder = unit_folder();
    char note[32];
    bool fresh = false;
    for (int i = 0; i < CONFLICTS_A_LOG_MAX / 2; i++) {
        text_format(note, sizeof note, "note %d", i);
        MUST(keep(folder, "a.example/log", note, CONFLICTS_A_LOG_MAX / 2, &fresh));
    }
    MUST_FAIL(OVERLOADED,
              keep(folder, "a.example/log", "one more", CONFLICTS_A_LOG_MAX / 2, &fresh));
    MUST(keep(folder, "a.example/log", "one more", 0, &fresh));
}

SUITE(conflicts, TEST(test_a_note_is_kept_as_it_came),
      TEST(test_a_note_that_is_repeated_takes_no_second_place),
      TEST(test_one_log_takes_no_other_logs_place), TEST(test_what_proves_less_leaves_room))
