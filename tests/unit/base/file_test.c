// SPDX-License-Identifier: MIT
#include "lib/base/file.h"
#include "tests/unit/unit.h"

#include <fcntl.h>
#include <glob.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

static char path[512];

static const char *in_folder(const char *folder, const char *name)
{
    snprintf(path, sizeof path, "%s/%s", folder, name);
    return path;
}

static void must_hold(const char *file, const char *text)
{
    OWNED(bytes) found = NULL;
    MUST(file_read(file, 1000, &found));
    CU_ASSERT(span_is_text(bytes_span(found), text));
}

static void test_a_missing_file_is_not_found(void)
{
    OWNED(bytes) found = NULL;
    MUST_FAIL(NOT_FOUND, file_read(in_folder(unit_folder(), "none"), 10, &found));
    CU_ASSERT_PTR_NULL(found);
}

static void test_a_file_larger_than_allowed_is_refused(void)
{
    const char *file = in_folder(unit_folder(), "f");
    OWNED(bytes) found = NULL;
    MUST(file_replace(file, span_of_text("12345"), 0600));
    MUST_FAIL(IO_FAILED, file_read(file, 4, &found));
    CU_ASSERT_PTR_NULL(found);
    MUST(file_read(file, 5, &found));
}

static void test_a_file_without_a_size_is_read_and_bounded(void)
{
    OWNED(bytes) found = NULL;
    MUST(file_read("/proc/self/status", 100000, &found));
    CU_ASSERT(found->size > 100);
    OWNED(bytes) more = NULL;
    MUST_FAIL(IO_FAILED, file_read("/proc/self/status", 100, &more));
}

static void test_a_folder_is_not_a_file(void)
{
    OWNED(bytes) found = NULL;
    MUST_FAIL(IO_FAILED, file_read("/tmp", 100000, &found));
}

static void test_replace_leaves_the_new_bytes_the_mode_and_no_litter(void)
{
    const char *folder = unit_folder();
    const char *file = in_folder(folder, "state");
    MUST(file_replace(file, span_of_text("old and longer"), 0644));
    MUST(file_replace(file, span_of_text("new"), 0640));
    must_hold(file, "new");
    struct stat facts;
    CU_ASSERT_FATAL(stat(file, &facts) == 0);
    CU_ASSERT_EQUAL(facts.st_mode & 0777, 0640);
    char pattern[600];
    snprintf(pattern, sizeof pattern, "%s/*", folder);
    glob_t all;
    CU_ASSERT_FATAL(glob(pattern, 0, NULL, &all) == 0);
    CU_ASSERT_EQUAL(all.gl_pathc, 1);
    globfree(&all);
}

static void test_a_replacement_that_fails_keeps_the_old_file(void)
{
    const char *folder = unit_folder();
    char inside[600];
    snprintf(inside, sizeof inside, "%s/taken/x", folder);
    MUST(file_make_folders(in_folder(folder, "taken"), 0700));
    MUST(file_replace(inside, span_of_text("here"), 0600));
    MUST_FAIL(IO_FAILED, file_replace(in_folder(folder, "taken"), span_of_text("no"), 0600));
    must_hold(inside, "here");
    MUST_FAIL(IO_FAILED, file_replace(in_folder(folder, "none/x"), span_of_text("no"), 0600));
}

static void test_folders_are_made_with_their_parents(void)
{
    const char *folder = unit_folder();
    MUST(file_make_folders(in_folder(folder, "a/b//c/"), 0700));
    MUST(file_make_folders(path, 0700));
    MUST(file_sync_folder(path));
    MUST(file_replace(in_folder(folder, "plain"), span_of_text("x"), 0600));
    MUST_FAIL(IO_FAILED, file_make_folders(in_folder(folder, "plain/under"), 0700));
    MUST_FAIL(IO_FAILED, file_make_folders(in_folder(folder, "plain"), 0700));
    MUST_FAIL(IO_FAILED, file_sync_folder(path));
}

static void test_bytes_are_written_and_read_at_an_offset(void)
{
    int fd = open(in_folder(unit_folder(), "f"), O_RDWR | O_CREAT, 0600);
    CU_ASSERT_FATAL(fd >= 0);
    uint8_t out[3] = {0};
    MUST(file_write_at(fd, span_of_text("abc"), 5));
    MUST(file_read_at(fd, out, 3, 5));
    CU_ASSERT(memcmp(out, "abc", 3) == 0);
    MUST_FAIL(IO_FAILED, file_read_at(fd, out, 3, 6));
    close(fd);
    MUST_FAIL(IO_FAILED, file_write_at(fd, span_of_text("abc"), 0));
}

static void test_a_lock_is_refused_while_held_and_free_afterwards(void)
{
    const char *file = in_folder(unit_folder(), "lock");
    int first = -1;
    int second = -1;
    MUST(file_lock(file, &first));
    MUST_FAIL(REFUSED, file_lock(file, &second));
    CU_ASSERT_EQUAL(second, -1);
    pid_t child = fork();
    if (child == 0)
        _exit(file_lock(file, &second).code == REFUSED ? 0 : 1);
    int status = -1;
    waitpid(child, &status, 0);
    CU_ASSERT_EQUAL(status, 0);
    close(first);
    MUST(file_lock(file, &second));
    close(second);
}

static void test_the_limit_of_open_files_is_raised_as_far_as_allowed(void)
{
    pid_t child = fork();
    if (child == 0) {
        struct rlimit limit = {.rlim_cur = 64, .rlim_max = 100};
        if (setrlimit(RLIMIT_NOFILE, &limit) != 0)
            _exit(1);
        file_raise_limit();
        _exit(getrlimit(RLIMIT_NOFILE, &limit) == 0 && limit.rlim_cur == 100 ? 0 : 2);
    }
    int status = -1;
    waitpid(child, &status, 0);
    CU_ASSERT_EQUAL(status, 0);
}

SUITE(file, TEST(test_a_missing_file_is_not_found),
      TEST(test_a_file_larger_than_allowed_is_refused),
      TEST(test_a_file_without_a_size_is_read_and_bounded), TEST(test_a_folder_is_not_a_file),
      TEST(test_replace_leaves_the_new_bytes_the_mode_and_no_litter),
      TEST(test_a_replacement_that_fails_keeps_the_old_file),
      TEST(test_folders_are_made_with_their_parents),
      TEST(test_bytes_are_written_and_read_at_an_offset),
      TEST(test_a_lock_is_refused_while_held_and_free_afterwards),
      TEST(test_the_limit_of_open_files_is_raised_as_far_as_allowed))
