// SPDX-License-Identifier: MIT
/*
 * token_fixture - a fresh SoftHSM token of this test, with the user's PIN 123456.
 */
#ifndef TESTS_CRYPTO_TOKEN_FIXTURE_H
#define TESTS_CRYPTO_TOKEN_FIXTURE_H

#include "lib/crypto/token.h"
#include "tests/unit/crypto/fixture.h"

#include <sys/stat.h>

#define TOKEN_FIXTURE_MODULE "/usr/lib/softhsm/libsofthsm2.so"
#define TOKEN_FIXTURE_PIN span_of_text("123456")
#define TOKEN_FIXTURE_RUN(...) fixture_run((const char *const[]){__VA_ARGS__, NULL})

/* SoftHSM reads $SOFTHSM2_CONF when it is initialized: each call makes another world of tokens. */
static inline const char *token_fixture_new(const char *label)
{
    const char *folder = unit_folder();
    char text[400];
    text_format(text, sizeof text,
                "directories.tokendir = %s\nobjectstore.backend = file\n"
                "log.level = ERROR\n",
                folder);
    struct fixture_path path = fixture_write(folder, "softhsm.conf", span_of_text(text));
    CU_ASSERT_EQUAL_FATAL(setenv("SOFTHSM2_CONF", path.at, 1), 0);
    CU_ASSERT_EQUAL_FATAL(TOKEN_FIXTURE_RUN("softhsm2-util", "--init-token", "--free", "--label",
                                            label, "--pin", "123456", "--so-pin", "654321"),
                          0);
    return folder;
}

static inline struct token_module *token_fixture_module(void)
{
    struct token_module *module = NULL;
    MUST(token_module_load(TOKEN_FIXTURE_MODULE, &module));
    return module;
}

static inline struct token_uri token_fixture_uri(const char *text)
{
    struct token_uri uri;
    MUST(token_uri_parse(text, &uri));
    return uri;
}

#endif
