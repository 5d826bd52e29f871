// SPDX-License-Identifier: MIT
/* Runs all suites linked into this program; CHASKI_TEST=suite runs one. */
#include "tests/unit/unit.h"

#include <CUnit/Basic.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define SUITES_MAX 128

static struct {
    const char *name;
    const struct unit_test *tests;
    size_t count;
} suites[SUITES_MAX];
static size_t suite_count;
static char folders[1024][64];
static size_t folder_count;

void unit_register(const char *suite, const struct unit_test *tests, size_t count)
{
    if (suite_count == SUITES_MAX) {
        fprintf(stderr, "more than %d suites in one program: raise SUITES_MAX\n", SUITES_MAX);
        abort();
    }
    suites[suite_count].name = suite;
    suites[suite_count].tests = tests;
    suites[suite_count++].count = count;
}

const char *unit_folder(void)
{
    if (folder_count == sizeof folders / sizeof folders[0])
        abort();
    char *folder = folders[folder_count++];
    strcpy(folder, "/tmp/chaski-unit-XXXXXX");
    if (mkdtemp(folder) == NULL)
        abort();
    return folder;
}

static int drop(const char *path, const struct stat *st, int kind, struct FTW *walk)
{
    (void)st;
    (void)kind;
    (void)walk;
    return remove(path);
}

int main(void)
{
    const char *only = getenv("CHASKI_TEST");
    if (CU_initialize_registry() != CUE_SUCCESS)
        return 1;
    for (size_t i = 0; i < suite_count; i++) {
        if (only != NULL && strcmp(only, suites[i].name) != 0)
            continue;
        CU_pSuite suite = CU_add_suite(suites[i].name, NULL, NULL);
        for (size_t k = 0; k < suites[i].count; k++)
            CU_add_test(suite, suites[i].tests[k].name, suites[i].tests[k].run);
    }
    CU_basic_set_mode(getenv("VERBOSE") != NULL ? CU_BRM_VERBOSE : CU_BRM_NORMAL);
    CU_basic_run_tests();
    unsigned bad = CU_get_number_of_tests_failed();
    unsigned run = CU_get_number_of_tests_run();
    printf("unit: %u passed, %u failed\n", run - bad, bad);
    CU_cleanup_registry();
    for (size_t i = 0; i < folder_count; i++)
        nftw(folders[i], drop, 16, FTW_DEPTH | FTW_PHYS);
    return bad > 0 || run == 0 ? 1 : 0;
}
