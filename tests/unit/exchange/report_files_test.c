// SPDX-License-Identifier: MIT
#include "security-server/exchange/report_files.h"

#include "lib/base/file.h"
#include "lib/base/text.h"
#include "lib/bus/limits.h"
#include "tests/unit/unit.h"

#include <dirent.h>
#include <stdio.h>

#define ONE "CO/GOV/1/SS1"
#define OTHER "CO/GOV/2/SS1"
#define NOW_MS INT64_C(1795000000000)

static const char *a_folder(void)
{
    const char *folder = unit_folder();
    char path[512];
    text_format(path, sizeof path, "%s/reconcile", folder);
    MUST(file_make_folders(path, 0700));
    return folder;
}

static size_t count_of(const char *folder, const char *end, const char *content)
{
    char path[512];
    size_t count = 0;
    text_format(path, sizeof path, "%s/reconcile", folder);
    DIR *dir = opendir(path);
    CU_ASSERT_PTR_NOT_NULL_FATAL(dir);
    for (struct dirent *entry; (entry = readdir(dir)) != NULL;) {
        OWNED(bytes) file = NULL;
        if (strstr(entry->d_name, end) == NULL)
            continue;
        text_format(path, sizeof path, "%s/reconcile/%s", folder, entry->d_name);
        MUST(file_read(path, 1000, &file));
        count += content == NULL || span_is_text(bytes_span(file), content);
    }
    closedir(dir);
    return count;
}

static void keep(const char *folder, const char *peer, const char *what, int64_t n, bool found)
{
    MUST(report_files_keep(folder, peer, span_of_text(what), NOW_MS + n, found));
}

static void test_what_was_found_outlives_the_runs_that_find_nothing(void)
{
    const char *folder = a_folder();
    keep(folder, ONE, "found", 0, true);
    keep(folder, ONE, "equal", 1, false);
    keep(folder, ONE, "equal", 2, false);
    CU_ASSERT_EQUAL(count_of(folder, ".report", NULL), 1);
    CU_ASSERT_EQUAL(count_of(folder, ".report", "equal"), 1);
    CU_ASSERT_EQUAL(count_of(folder, ".found", "found"), 1);
}

static void test_the_oldest_makes_room(void)
{
    const char *folder = a_folder();
    char what[32];
    keep(folder, OTHER, "other", 0, true);
    for (int i = 0; i < RECONCILE_REPORTS_KEPT + 2; i++) {
        text_format(what, sizeof what, "run %d", i);
        keep(folder, ONE, what, INT64_C(86400000) * i, true);
    }
    CU_ASSERT_EQUAL(count_of(folder, ".found", NULL), RECONCILE_REPORTS_KEPT + 1);
    CU_ASSERT_EQUAL(count_of(folder, ".found", "other"), 1);
    CU_ASSERT_EQUAL(count_of(folder, ".found", "run 1"), 0);
    CU_ASSERT_EQUAL(count_of(folder, ".found", "run 2"), 1);
    CU_ASSERT_EQUAL(count_of(folder, ".report", what), 1);
}

SUITE(report_files, TEST(test_what_was_found_outlives_the_runs_that_find_nothing),
      TEST(test_the_oldest_makes_room))
