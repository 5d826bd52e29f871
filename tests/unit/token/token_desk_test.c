// SPDX-License-Identifier: MIT
#include "security-server/token/token_desk.h"

#include "tests/unit/token/desk_fixture.h"

static fault sign(void *owner, const uint8_t digest[32], uint8_t out[P256_SIGNATURE_BYTES_MAX],
                  size_t *size)
{
    return keypair_sign_digest(owner, digest, out, size);
}

static fault lose(void *owner, const uint8_t digest[32], uint8_t out[P256_SIGNATURE_BYTES_MAX],
                  size_t *size)
{
    (void)owner;
    (void)digest;
    (void)out;
    (void)size;
    return RAISE(TOKEN_AWAY, "signing: CKR_DEVICE_REMOVED");
}

static void test_a_header_is_signed_as_a_leaf_of_ours(void)
{
    OWNED(member_desk) member = member_desk_new();
    struct sha256 content = SHA256_OF(span_of_text("un encabezado"));
    const struct token_signers signer = {.now = {sign, member->country->key}};
    OWNED(bytes) job = desk_job(77, &content, SHA256_BYTES);
    OWNED(bytes) out = NULL;
    MUST(token_desk_answer(&member->desk, &signer, true, bytes_span(job), &out));
    Chaski__KeysBatch *batch = desk_read(out);
    CU_ASSERT_EQUAL_FATAL(batch->n_result, 1);
    CU_ASSERT_EQUAL(batch->result[0]->id, 77);
    CU_ASSERT_EQUAL(batch->result[0]->fault, OK);
    CU_ASSERT_PTR_NULL(batch->token);
    MUST(cades_verify(member->country->member, &member->desk.template,
                      span_of_text("un encabezado"), DESK_TIME_MS,
                      span_of(batch->result[0]->result.data, batch->result[0]->result.len)));
    chaski__keys_batch__free_unpacked(batch, NULL);
}

static void test_a_loss_leaves_the_job_unanswered(void)
{
    OWNED(member_desk) member = member_desk_new();
    struct sha256 content = {{1}};
    const struct token_signers signer = {.now = {lose, NULL}};
    OWNED(bytes) job = desk_job(1, &content, SHA256_BYTES);
    OWNED(bytes) out = NULL;
    MUST_FAIL(TOKEN_AWAY, token_desk_answer(&member->desk, &signer, true, bytes_span(job), &out));
    CU_ASSERT_PTR_NULL(out);
    MUST(token_desk_refuse((fault){TOKEN_AWAY}, "se fue", bytes_span(job), &out));
    Chaski__KeysBatch *batch = desk_read(out);
    CU_ASSERT_EQUAL(batch->result[0]->fault, TOKEN_AWAY);
    CU_ASSERT_EQUAL(batch->result[0]->result.len, 0);
    CU_ASSERT_EQUAL(batch->token->fault, TOKEN_AWAY);
    CU_ASSERT_STRING_EQUAL(batch->token->detail, "se fue");
    chaski__keys_batch__free_unpacked(batch, NULL);
}

static void test_what_is_no_header_is_not_signed(void)
{
    OWNED(member_desk) member = member_desk_new();
    struct sha256 content = {{1}};
    const struct token_signers signer = {.now = {sign, member->country->key}};
    OWNED(bytes) job = desk_job(5, &content, SHA256_BYTES - 1);
    OWNED(bytes) out = NULL;
    MUST(token_desk_answer(&member->desk, &signer, true, bytes_span(job), &out));
    Chaski__KeysBatch *batch = desk_read(out);
    CU_ASSERT_EQUAL(batch->result[0]->fault, BAD_FRAME);
    chaski__keys_batch__free_unpacked(batch, NULL);
    bytes_free(&out);
    MUST_FAIL(BAD_FRAME,
              token_desk_answer(&member->desk, &signer, true, span_of_text("\x0a\xff"), &out));
}

static void test_a_state_is_told_when_it_is_asked_for(void)
{
    OWNED(member_desk) member = member_desk_new();
    const struct token_signers signer = {.now = {sign, member->country->key}};
    uint8_t question[16];
    OWNED(bytes) out = NULL;
    Chaski__KeysBatch ask = CHASKI__KEYS_BATCH__INIT;
    MUST(token_desk_answer(&member->desk, &signer, true, (struct span){question, 0}, &out));
    CU_ASSERT_PTR_NULL(out);
    ask.ask_token = true;
    size_t size = chaski__keys_batch__pack(&ask, question);
    MUST(token_desk_answer(&member->desk, &signer, true, span_of(question, size), &out));
    Chaski__KeysBatch *batch = desk_read(out);
    CU_ASSERT_PTR_NOT_NULL_FATAL(batch->token);
    CU_ASSERT_EQUAL(batch->token->fault, OK);
    chaski__keys_batch__free_unpacked(batch, NULL);
}

static void test_a_key_of_another_certificate_is_refused(void)
{
    OWNED(member_desk) member = member_desk_new();
    OWNED(keypair) other = NULL;
    MUST(keypair_make(KEY_P256, &other));
    const struct token_signers own = {.now = {sign, member->country->key}};
    const struct token_signers stranger = {.now = {sign, other}}, lost = {.now = {lose, NULL}};
    MUST(token_desk_try(&member->desk, &own));
    MUST_FAIL(TOKEN_REFUSED, token_desk_try(&member->desk, &stranger));
    MUST_FAIL(TOKEN_AWAY, token_desk_try(&member->desk, &lost));
}

static void test_a_header_is_signed_under_the_certificate_that_it_names(void)
{
    OWNED(member_desk) member = member_desk_new();
    OWNED(keypair) next = NULL;
    MUST(keypair_make(KEY_P256, &next));
    fixture_issue(member->country, next, &member->desk.next_certificate);
    cades_template_make(member->desk.next_certificate, &member->desk.next_template);
    const struct token_signers signers = {{sign, member->country->key}, {sign, next}};
    const struct sha256 hash = certificate_hash(member->desk.next_certificate);
    struct sha256 content = SHA256_OF(span_of_text("un encabezado"));
    OWNED(bytes) job = desk_job_under(1, &content, SHA256_BYTES, sha256_span(&hash));
    OWNED(bytes) out = NULL;
    MUST(token_desk_try(&member->desk, &signers));
    MUST(token_desk_answer(&member->desk, &signers, true, bytes_span(job), &out));
    Chaski__KeysBatch *batch = desk_read(out);
    MUST(cades_verify(member->desk.next_certificate, &member->desk.next_template,
                      span_of_text("un encabezado"), DESK_TIME_MS,
                      span_of(batch->result[0]->result.data, batch->result[0]->result.len)));
    chaski__keys_batch__free_unpacked(batch, NULL);
    const struct token_signers swapped = {{sign, member->country->key},
                                          {sign, member->country->key}};
    MUST_FAIL(TOKEN_REFUSED, token_desk_try(&member->desk, &swapped));
}

static void test_under_a_certificate_that_is_not_there_nothing_is_signed(void)
{
    OWNED(member_desk) member = member_desk_new();
    const struct token_signers signers = {.now = {sign, member->country->key}};
    struct sha256 content = {{1}};
    const struct sha256 hash = certificate_hash(member->country->ca);
    OWNED(bytes) job = desk_job_under(1, &content, SHA256_BYTES, sha256_span(&hash));
    OWNED(bytes) out = NULL;
    MUST_FAIL(KEY_UNKNOWN, token_desk_answer(&member->desk, &signers, true, bytes_span(job), &out));
    CU_ASSERT_PTR_NULL(out);
    MUST(token_desk_answer(&member->desk, &signers, false, bytes_span(job), &out));
    Chaski__KeysBatch *batch = desk_read(out);
    CU_ASSERT_EQUAL(batch->result[0]->fault, KEY_UNKNOWN);
    CU_ASSERT_EQUAL(batch->result[0]->result.len, 0);
    CU_ASSERT_PTR_NULL(batch->token); /* the token is well */
    chaski__keys_batch__free_unpacked(batch, NULL);
}

SUITE(token_desk, TEST(test_a_header_is_signed_under_the_certificate_that_it_names),
      TEST(test_under_a_certificate_that_is_not_there_nothing_is_signed),
      TEST(test_a_header_is_signed_as_a_leaf_of_ours), TEST(test_a_loss_leaves_the_job_unanswered),
      TEST(test_what_is_no_header_is_not_signed), TEST(test_a_state_is_told_when_it_is_asked_for),
      TEST(test_a_key_of_another_certificate_is_refused))
