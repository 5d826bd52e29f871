// SPDX-License-Identifier: MIT
#include "lib/base/secret.h"

#include "lib/base/text.h"
#include "tests/unit/unit.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

struct source {
    char path[200];
    char text[220];
};

static struct source write_source(const char *folder, const char *name, struct span content)
{
    struct source source;
    text_format(source.path, sizeof source.path, "%s/%s", folder, name);
    text_format(source.text, sizeof source.text, "file:%s", source.path);
    int fd = open(source.path, O_WRONLY | O_CREAT | O_TRUNC, 0600);
    CU_ASSERT_FATAL(fd >= 0);
    CU_ASSERT_EQUAL(write(fd, content.at, content.size), (ssize_t)content.size);
    close(fd);
    return source;
}

static void test_a_file_gives_its_line_without_the_newline(void)
{
    OWNED(secret) found = NULL;
    struct source source = write_source(unit_folder(), "p", span_of_text("una frase larga\n"));
    MUST(secret_read(source.text, "passphrase", &found));
    CU_ASSERT(span_is_text(secret_span(found), "una frase larga"));
    secret_free(&found);
    CU_ASSERT_PTR_NULL(found);
    CU_ASSERT_EQUAL(chmod(source.path, 0640), 0);
    MUST_FAIL(BAD_PASSPHRASE, secret_read(source.text, "passphrase", &found));
    CU_ASSERT_PTR_NOT_NULL(strstr(fault_detail(), "chmod 600"));
}

static void test_what_is_empty_too_long_or_missing_is_refused(void)
{
    static char most[PASSPHRASE_BYTES_MAX + 1];
    const char *folder = unit_folder();
    OWNED(secret) found = NULL;
    memset(most, 'x', sizeof most);
    struct source empty = write_source(folder, "empty", span_of_text("\n"));
    struct source zero = write_source(folder, "zero", span_of("a\0b", 3));
    struct source whole = write_source(folder, "whole", span_of(most, sizeof most - 1));
    struct source over = write_source(folder, "over", span_of(most, sizeof most));
    MUST_FAIL(BAD_PASSPHRASE, secret_read(empty.text, "PIN", &found));
    MUST_FAIL(BAD_PASSPHRASE, secret_read(zero.text, "PIN", &found));
    MUST_FAIL(BAD_PASSPHRASE, secret_read(over.text, "PIN", &found));
    MUST_FAIL(BAD_PASSPHRASE, secret_read("file:/nonexistent/pin", "PIN", &found));
    MUST_FAIL(BAD_PASSPHRASE, secret_read("file:/dev/null", "PIN", &found));
    MUST(secret_read(whole.text, "PIN", &found));
    CU_ASSERT_EQUAL(found->size, PASSPHRASE_BYTES_MAX);
}

static void test_a_credential_stands_in_the_folder_of_systemd(void)
{
    const char *folder = unit_folder();
    char path[300];
    OWNED(secret) found = NULL;
    struct source source = write_source(folder, "frase", span_of_text("de systemd"));
    CU_ASSERT_EQUAL(chmod(source.path, 0440), 0); /* as its access list shows */
    unsetenv("CREDENTIALS_DIRECTORY");
    MUST_FAIL(BAD_CONFIG, secret_read("credential:frase", "passphrase", &found));
    CU_ASSERT_PTR_NOT_NULL(strstr(fault_detail(), "LoadCredential=frase:"));
    CU_ASSERT_EQUAL(setenv("CREDENTIALS_DIRECTORY", folder, 1), 0);
    MUST(secret_read("credential:frase", "passphrase", &found));
    CU_ASSERT(span_is_text(secret_span(found), "de systemd"));
    MUST(secret_path("credential:frase", path, sizeof path));
    CU_ASSERT_STRING_EQUAL(path, source.path);
    unsetenv("CREDENTIALS_DIRECTORY");
}

static void test_a_descriptor_is_read_to_its_end(void)
{
    int line[2];
    char text[20], path[50];
    OWNED(secret) found = NULL;
    CU_ASSERT_EQUAL_FATAL(pipe(line), 0);
    CU_ASSERT_EQUAL(write(line[1], "por un tubo\n", 12), 12);
    close(line[1]);
    text_format(text, sizeof text, "fd:%d", line[0]);
    MUST(secret_read(text, "passphrase", &found));
    CU_ASSERT(span_is_text(secret_span(found), "por un tubo"));
    secret_free(&found);
    MUST_FAIL(BAD_PASSPHRASE, secret_read(text, "passphrase", &found));
    MUST_FAIL(BAD_CONFIG, secret_path(text, path, sizeof path));
    close(line[0]);
    MUST_FAIL(BAD_PASSPHRASE, secret_read(text, "passphrase", &found));
}

static void test_a_secret_in_place_of_its_source_is_not_repeated(void)
{
    static const char *const bad[] = {
        "",      "hunter2hunter2",   "file:",         "fd:",
        "fd:x",  "credential:",      "credential:..", "credential:a/b",
        "fd:-1", "fd:99999999999999"};
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        MUST_FAIL(BAD_CONFIG, secret_check(bad[i]));
        CU_ASSERT_PTR_NULL(strstr(fault_detail(), "hunter2"));
    }
    MUST(secret_check("terminal"));
    MUST(secret_check("fd:3"));
}

SUITE(secret, TEST(test_a_file_gives_its_line_without_the_newline),
      TEST(test_what_is_empty_too_long_or_missing_is_refused),
      TEST(test_a_credential_stands_in_the_folder_of_systemd),
      TEST(test_a_descriptor_is_read_to_its_end),
      TEST(test_a_secret_in_place_of_its_source_is_not_repeated))
