// SPDX-License-Identifier: MIT
/*
 * outside - an outside authority made and run by stock openssl, for unit tests.
 */
#ifndef TESTS_UNIT_OUTSIDE_H
#define TESTS_UNIT_OUTSIDE_H

#include "lib/base/clock.h"
#include "lib/base/file.h"
#include "lib/base/text.h"
#include "lib/crypto/status.h"
#include "tests/unit/unit.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

/* tests/tools/outside_ca.sh FOLDER WORDS...: must succeed. */
#define OUTSIDE(folder, ...) \
    outside_run((const char *const[]){"tests/tools/outside_ca.sh", (folder), __VA_ARGS__, NULL})
static inline void outside_run(const char *const *words)
{
    pid_t child = fork();
    if (child == 0) {
        int nowhere = open("/dev/null", O_RDWR);
        dup2(nowhere, STDOUT_FILENO);
        execvp(words[0], (char *const *)(uintptr_t)words);
        _exit(127);
    }
    int status = -1;
    CU_ASSERT_EQUAL_FATAL(waitpid(child, &status, 0), child);
    CU_ASSERT_FATAL(WIFEXITED(status) && WEXITSTATUS(status) == 0);
}

static inline struct bytes *outside_file(const char *folder, const char *name)
{
    char path[256];
    struct bytes *all = NULL;
    text_format(path, sizeof path, "%s/%s", folder, name);
    MUST(file_read(path, 1 << 21, &all));
    return all;
}

static inline void outside_write(const char *folder, const char *name, struct span bytes)
{
    char path[256];
    text_format(path, sizeof path, "%s/%s", folder, name);
    MUST(file_replace(path, bytes, 0600));
}

/* The DER of the first certificate of a PEM file there. */
static inline struct bytes *outside_der(const char *folder, const char *name)
{
    char path[256];
    size_t count = 0;
    struct bytes *all[8] = {NULL};
    text_format(path, sizeof path, "%s/%s", folder, name);
    MUST(certificate_load_all(path, all, 8, &count));
    while (count > 1)
        bytes_free(&all[--count]);
    return all[0];
}

/* A fresh authority with one member's certificate: member.pem. Its folder. */
static inline const char *outside_make(void)
{
    const char *folder = unit_folder();
    OUTSIDE(folder, "make");
    OUTSIDE(folder, "key", "member", "/C=CO/O=Alcaldía de Medellín/OU=TI/CN=Sello electrónico");
    OUTSIDE(folder, "issue", "member.csr", "member.pem");
    return folder;
}

static inline struct certificate *outside_certificate(const char *folder, const char *name)
{
    OWNED(bytes) der = outside_der(folder, name);
    struct certificate *made = NULL;
    MUST(certificate_parse(bytes_span(der), &made));
    return made;
}

static inline struct issuer *outside_issuer(const char *folder, const char *name, const char *root)
{
    OWNED(bytes) der = outside_der(folder, name);
    OWNED(bytes) above = root == NULL ? NULL : outside_der(folder, root);
    struct span chain[1] = {bytes_span(above)};
    struct issuer *made = NULL;
    MUST(issuer_new(bytes_span(der), chain, root != NULL, clock_wall_ms(), &made));
    return made;
}

/* What its responder answers for this certificate now; `signer` as outside_ca.sh has it. */
static inline struct bytes *outside_ask(const char *folder, struct issuer *issuer,
                                        const struct certificate *certificate, const char *signer)
{
    OWNED(bytes) request = NULL;
    MUST(status_request(issuer, certificate, &request));
    outside_write(folder, "request.der", bytes_span(request));
    OUTSIDE(folder, "answer", "request.der", "answer.der", signer);
    return outside_file(folder, "answer.der");
}

static inline struct bytes *outside_crl(const char *folder)
{
    OUTSIDE(folder, "crl", "list.crl");
    return outside_file(folder, "list.crl");
}

#endif
