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
    const struct digest_signer signer = {sign, member->country->key};
    OWNED(bytes) job = desk_job(77, &content, SHA256_BYTES);
    OWNED(bytes) out = NULL;
    MUST(token_desk_answer(&member->desk, &signer, bytes_span(job), &out));
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
    const struct digest_signer signer = {lose, NULL};
    OWNED(bytes) job = desk_job(1, &content, SHA256_BYTES);
    OWNED(bytes) out = NULL;
    MUST_FAIL(TOKEN_AWAY, token_desk_answer(&member->desk, &signer, bytes_span(job), &out));
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
    const struct digest_signer signer = {sign, member->country->key};
    OWNED(bytes) job = desk_job(5, &content, SHA256_BYTES - 1);
    OWNED(bytes) out = NULL;
    MUST(token_desk_answer(&member->desk, &signer, bytes_span(job), &out));
    Chaski__KeysBatch *batch = desk_read(out);
    CU_ASSERT_EQUAL(batch->result[0]->fault, BAD_FRAME);
    chaski__keys_batch__free_unpacked(batch, NULL);
    bytes_free(&out);
    MUST_FAIL(BAD_FRAME, token_desk_answer(&member->desk, &signer, span_of_text("\x0a\xff"), &out));
}

static void test_a_state_is_told_when_it_is_asked_for(void)
{
    OWNED(member_desk) member = member_desk_new();
    const struct digest_signer signer = {sign, member->country->key};
    uint8_t question[16];
    OWNED(bytes) out = NULL;
    Chaski__KeysBatch ask = CHASKI__KEYS_BATCH__INIT;
    MUST(token_desk_answer(&member->desk, &signer, (struct span){question, 0}, &out));
    CU_ASSERT_PTR_NULL(out);
    ask.ask_token = true;
    size_t size = chaski__keys_batch__pack(&ask, question);
    MUST(token_desk_answer(&member->desk, &signer, span_of(question, size), &out));
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
    const struct digest_signer own = {sign, member->country->key}, stranger = {sign, other};
    const struct digest_signer lost = {lose, NULL};
    MUST(token_desk_try(&member->desk, &own));
    MUST_FAIL(TOKEN_REFUSED, token_desk_try(&member->desk, &stranger));
    MUST_FAIL(TOKEN_AWAY, token_desk_try(&member->desk, &lost));
}

SUITE(token_desk, TEST(test_a_header_is_signed_as_a_leaf_of_ours),
      TEST(test_a_loss_leaves_the_job_unanswered), TEST(test_what_is_no_header_is_not_signed),
      TEST(test_a_state_is_told_when_it_is_asked_for),
      TEST(test_a_key_of_another_certificate_is_refused))
