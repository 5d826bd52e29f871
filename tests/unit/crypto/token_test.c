// SPDX-License-Identifier: MIT
#include "lib/crypto/token.h"

#include "lib/crypto/certificate_request.h"
#include "lib/crypto/digest.h"
#include "lib/crypto/ecdsa.h"
#include "lib/crypto/p256.h"
#include "tests/unit/crypto/token_fixture.h"

static struct token *open_it(struct token_module *module, const char *text)
{
    struct token_uri uri = token_fixture_uri(text);
    struct token *token = NULL;
    MUST(token_open(module, &uri, TOKEN_FIXTURE_PIN, NULL, &token));
    return token;
}

static void test_a_key_made_in_a_token_signs_as_one_in_memory_does(void)
{
    uint8_t point[P256_POINT_BYTES], signature[P256_SIGNATURE_BYTES_MAX];
    size_t size = 0;
    token_fixture_new("Uno");
    OWNED(token_module) module = token_fixture_module();
    OWNED(token) token = NULL;
    OWNED(token_session) session = NULL;
    token = open_it(module, "pkcs11:token=Uno;object=firma");
    MUST(token_make_key(token, point));
    MUST(p256_check_point(span_of(point, sizeof point)));
    MUST(token_session_open(token, &session));
    for (uint8_t i = 0; i < 50; i++) {
        struct sha256 digest = SHA256_OF(span_of(&i, 1));
        MUST(token_session_sign(session, digest.at, signature, &size));
        CU_ASSERT(ecdsa_is_canonical(span_of(signature, size)));
        MUST(p256_verify_digest(span_of(point, sizeof point), digest.at, span_of(signature, size)));
    }
    token_session_free(&session);
    MUST_FAIL(REFUSED, token_make_key(token, point));
    token_free(&token);
}

/* Each wrong PIN is one of few: whoever opens is told that it counted. */
static void test_a_wrong_pin_is_told_from_a_token_that_is_away(void)
{
    bool refused = false;
    token_fixture_new("Dos");
    OWNED(token_module) module = token_fixture_module();
    struct token *token = NULL;
    struct token_uri uri = token_fixture_uri("pkcs11:token=Dos;object=firma");
    MUST_FAIL(TOKEN_REFUSED, token_open(module, &uri, span_of_text("999999"), &refused, &token));
    CU_ASSERT(refused);
    CU_ASSERT_PTR_NULL(strstr(fault_detail(), "999999"));
    MUST_FAIL(TOKEN_REFUSED, token_open(module, &uri, (struct span){0}, &refused, &token));
    CU_ASSERT(!refused);
    uri = token_fixture_uri("pkcs11:token=Otro;object=firma");
    MUST_FAIL(TOKEN_AWAY, token_open(module, &uri, TOKEN_FIXTURE_PIN, &refused, &token));
    CU_ASSERT(!refused);
    CU_ASSERT_PTR_NULL(token);
}

static void make_with_tool(const char *label, const char *type, const char *id)
{
    CU_ASSERT_EQUAL_FATAL(TOKEN_FIXTURE_RUN("pkcs11-tool", "--module", TOKEN_FIXTURE_MODULE,
                                            "--token-label", "Tres", "--login", "--pin", "123456",
                                            "--keypairgen", "--key-type", type, "--label", label,
                                            "--id", id),
                          0);
}

static fault open_session(struct token_module *module, const char *text)
{
    OWNED(token) token = NULL;
    OWNED(token_session) session = NULL;
    token = open_it(module, text);
    fault f = token_session_open(token, &session);
    token_session_free(&session);
    token_free(&token);
    return f;
}

static void test_only_the_one_key_of_p256_is_taken(void)
{
    token_fixture_new("Tres");
    OWNED(token_module) module = token_fixture_module();
    make_with_tool("doble", "EC:prime256v1", "01");
    make_with_tool("doble", "EC:prime256v1", "02");
    make_with_tool("vieja", "rsa:2048", "03");
    make_with_tool("grande", "EC:secp384r1", "04");
    MUST_FAIL(TOKEN_REFUSED, open_session(module, "pkcs11:token=Tres;object=doble"));
    CU_ASSERT_PTR_NOT_NULL(strstr(fault_detail(), "more than one"));
    MUST(open_session(module, "pkcs11:token=Tres;object=doble;id=%02"));
    MUST(open_session(module, "pkcs11:token=Tres;id=%01"));
    MUST_FAIL(TOKEN_REFUSED, open_session(module, "pkcs11:token=Tres;object=vieja"));
    CU_ASSERT_PTR_NOT_NULL(strstr(fault_detail(), "RSA"));
    MUST_FAIL(TOKEN_REFUSED, open_session(module, "pkcs11:token=Tres;object=grande"));
    CU_ASSERT_PTR_NOT_NULL(strstr(fault_detail(), "another curve"));
    MUST_FAIL(TOKEN_REFUSED, open_session(module, "pkcs11:token=Tres;object=nadie"));
}

static void test_what_is_no_module_is_refused(void)
{
    struct token_module *module = NULL;
    struct fixture_path text = fixture_write(unit_folder(), "m.so", span_of_text("no module"));
    MUST_FAIL(TOKEN_REFUSED, token_module_load("/nonexistent/m.so", &module));
    MUST_FAIL(TOKEN_REFUSED, token_module_load(text.at, &module));
    MUST_FAIL(TOKEN_REFUSED, token_module_load("libsofthsm2.so", &module));
    MUST_FAIL(TOKEN_REFUSED,
              token_module_load("/usr/lib/x86_64-linux-gnu/libcrypto.so.3", &module));
    CU_ASSERT_PTR_NULL(module);
}

static fault sign(void *owner, const uint8_t digest[32], uint8_t out[P256_SIGNATURE_BYTES_MAX],
                  size_t *size)
{
    return token_session_sign(owner, digest, out, size);
}

static void test_a_request_signed_by_a_token_proves_its_possession(void)
{
    uint8_t point[P256_POINT_BYTES];
    OWNED(bytes) request = NULL;
    token_fixture_new("Cuatro");
    OWNED(token_module) module = token_fixture_module();
    OWNED(token) token = NULL;
    OWNED(token_session) session = NULL;
    token = open_it(module, "pkcs11:token=Cuatro;object=firma");
    MUST(token_make_key(token, point));
    MUST(token_session_open(token, &session));
    const struct digest_signer signer = {sign, session};
    MUST(certificate_request_make(point, &fixture_member, &signer, &request));
    struct fixture_path path = fixture_write(unit_folder(), "r.der", bytes_span(request));
    CU_ASSERT_EQUAL(FIXTURE_OPENSSL("req", "-inform", "DER", "-in", path.at, "-verify", "-noout"),
                    0);
    token_session_free(&session);
    token_free(&token);
}

SUITE(token, TEST(test_a_key_made_in_a_token_signs_as_one_in_memory_does),
      TEST(test_a_wrong_pin_is_told_from_a_token_that_is_away),
      TEST(test_only_the_one_key_of_p256_is_taken), TEST(test_what_is_no_module_is_refused),
      TEST(test_a_request_signed_by_a_token_proves_its_possession))
