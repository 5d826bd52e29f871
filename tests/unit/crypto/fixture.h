// SPDX-License-Identifier: MIT
/*
 * fixture - a small country for the crypto tests, and stock openssl as a second opinion.
 */
#ifndef TESTS_CRYPTO_FIXTURE_H
#define TESTS_CRYPTO_FIXTURE_H

#include "lib/base/text.h"
#include "lib/crypto/certificate.h"
#include "lib/crypto/keypair.h"
#include "tests/unit/unit.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#define FIXTURE_START_S 1790000000 /* 2026-09-21 */
#define FIXTURE_START_MS (FIXTURE_START_S * INT64_C(1000))
#define FIXTURE_YEAR_MS (365 * INT64_C(86400000))

struct country {
    struct keypair *ca_key;
    struct certificate *ca;
    struct keypair *key;
    struct certificate *member;
};

static const struct certificate_subject fixture_authority = {
    .country = "CO", .organisation = "Autoridad de intercambio", .server = "root"};
static const struct certificate_subject fixture_member = {.country = "CO",
                                                          .organisation = "Ministerio de Salud",
                                                          .member = "CO/GOV/899999027",
                                                          .server = "ss_1"};

/* A member certificate for this key. */
static inline void fixture_issue(struct country *self, struct keypair *key,
                                 struct certificate **out)
{
    OWNED(bytes) request = NULL;
    MUST(keypair_request(key, &fixture_member, &request));
    MUST(certificate_issue(self->ca_key, self->ca, bytes_span(request), &fixture_member,
                           FIXTURE_START_MS, FIXTURE_START_MS + FIXTURE_YEAR_MS, out));
}

static inline struct country *fixture_country(void)
{
    struct country *self = owned_new(sizeof *self);
    MUST(keypair_make(KEY_P256, &self->ca_key));
    MUST(keypair_make(KEY_P256, &self->key));
    MUST(certificate_make_ca(self->ca_key, &fixture_authority, FIXTURE_START_MS,
                             FIXTURE_START_MS + 10 * FIXTURE_YEAR_MS, &self->ca));
    fixture_issue(self, self->key, &self->member);
    return self;
}

static inline void country_free(struct country **self)
{
    if (*self == NULL)
        return;
    certificate_free(&(*self)->member);
    certificate_free(&(*self)->ca);
    keypair_free(&(*self)->key);
    keypair_free(&(*self)->ca_key);
    free(*self);
    *self = NULL;
}

struct fixture_path {
    char at[256];
};

static inline struct fixture_path fixture_path(const char *folder, const char *name)
{
    struct fixture_path path;
    CU_ASSERT_FATAL(text_format(path.at, sizeof path.at, "%s/%s", folder, name));
    return path;
}

static inline struct fixture_path fixture_write(const char *folder, const char *name,
                                                struct span bytes)
{
    struct fixture_path path = fixture_path(folder, name);
    FILE *file = fopen(path.at, "wb");
    CU_ASSERT_PTR_NOT_NULL_FATAL(file);
    CU_ASSERT_EQUAL_FATAL(fwrite(bytes.at, 1, bytes.size, file), bytes.size);
    CU_ASSERT_EQUAL_FATAL(fclose(file), 0);
    return path;
}

static inline struct fixture_path fixture_write_pem(const char *folder, const char *name,
                                                    const struct certificate *certificate)
{
    OWNED(bytes) pem = NULL;
    MUST(certificate_pem(certificate, &pem));
    return fixture_write(folder, name, bytes_span(pem));
}

static inline struct bytes *fixture_read(const char *path)
{
    FILE *file = fopen(path, "rb");
    CU_ASSERT_PTR_NOT_NULL_FATAL(file);
    struct bytes *all = bytes_empty(1 << 17);
    all->size = fread(all->data, 1, all->capacity, file);
    fclose(file);
    return all;
}

/* Runs stock openssl, quietly; its exit code. */
#define FIXTURE_OPENSSL(...) fixture_run((const char *const[]){"openssl", __VA_ARGS__, NULL})
static inline int fixture_run(const char *const *words)
{
    pid_t child = fork();
    if (child == 0) {
        int nowhere = open("/dev/null", O_RDWR);
        dup2(nowhere, STDOUT_FILENO);
        dup2(nowhere, STDERR_FILENO);
        execvp(words[0], (char *const *)(uintptr_t)words);
        _exit(127);
    }
    int status = -1;
    CU_ASSERT_EQUAL_FATAL(waitpid(child, &status, 0), child);
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

/* Are these the bytes of this lower-case hex? */
static inline bool fixture_is_hex(struct span bytes, const char *hex)
{
    char text[1024];
    text_hex(bytes, text, sizeof text);
    return strcmp(text, hex) == 0;
}

#endif
