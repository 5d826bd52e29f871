// SPDX-License-Identifier: MIT
#include "security-server/token/token_desk.h"

#include "lib/base/text.h"
#include "lib/bus/limits.h"

#include "keys.pb-c.h"

#define PATH_BYTES 512

fault token_desk_open(const char *keys_folder, struct token_desk *out)
{
    char path[PATH_BYTES];
    if (!text_format(path, sizeof path, "%s/sign.crt", keys_folder))
        return RAISE(BAD_CONFIG, "keys_folder is too long");
    if (failed(certificate_load(path, &out->certificate)))
        return RAISE(BAD_KEY, "%s: %s", path, fault_detail());
    cades_template_make(out->certificate, &out->template);
    return DONE;
}

void token_desk_close(struct token_desk *self)
{
    certificate_free(&self->certificate);
}

fault token_desk_try(const struct token_desk *self, const struct digest_signer *signer)
{
    static const struct sha256 nothing;
    uint8_t signature[P256_SIGNATURE_BYTES_MAX];
    size_t size = 0;
    struct sha256 digest = cades_signed_digest(&self->template, &nothing, 0);
    TRY(signer->sign(signer->owner, digest.at, signature, &size));
    return failed(certificate_verify_digest(self->certificate, digest.at, span_of(signature, size)))
               ? RAISE(TOKEN_REFUSED, "sign.crt is not the certificate of the key in the token")
               : DONE;
}

// --- answers ------------------------------------------------------------------------------------

struct answer {
    Chaski__KeysResult message;
    uint8_t signature[P256_SIGNATURE_BYTES_MAX];
};

static fault sign(const struct token_desk *self, const struct digest_signer *signer,
                  const Chaski__KeysJob *job, uint8_t *out, size_t *size)
{
    struct sha256 content;
    const Chaski__SignHeader *header = job->sign_header;
    if (job->work_case != CHASKI__KEYS_JOB__WORK_SIGN_HEADER)
        return RAISE(BAD_FRAME, "a token signs headers only");
    if (header->content_sha256.len != SHA256_BYTES)
        return RAISE(BAD_FRAME, "a digest of %zu bytes", header->content_sha256.len);
    if (header->time_ms >= (uint64_t)CADES_TIME_MS_END)
        return RAISE(BAD_FRAME, "a time that no header can have");
    memcpy(content.at, header->content_sha256.data, SHA256_BYTES);
    struct sha256 digest = cades_signed_digest(&self->template, &content, (int64_t)header->time_ms);
    return signer->sign(signer->owner, digest.at, out, size);
}

static bool is_of_token(fault f)
{
    return f.code == TOKEN_AWAY || f.code == TOKEN_REFUSED || f.code == CRYPTO_FAILED;
}

static void fill(struct answer *out, uint64_t id, fault f, size_t size)
{
    chaski__keys_result__init(&out->message);
    out->message.id = id;
    out->message.fault = f.code;
    out->message.result = (ProtobufCBinaryData){failed(f) ? 0 : size, out->signature};
}

static fault pack(struct answer *answers, size_t count, const Chaski__TokenState *state,
                  struct bytes **out)
{
    Chaski__KeysResult *results[KEYS_JOBS_PER_DATAGRAM];
    Chaski__KeysBatch batch = CHASKI__KEYS_BATCH__INIT;
    for (size_t i = 0; i < count; i++)
        results[i] = &answers[i].message;
    batch.n_result = count;
    batch.result = results;
    batch.token = (Chaski__TokenState *)(uintptr_t)state;
    TRY(bytes_new(chaski__keys_batch__get_packed_size(&batch), out));
    chaski__keys_batch__pack(&batch, (*out)->data);
    return DONE;
}

static void fill_state(fault state, const char *detail, Chaski__TokenState *out)
{
    chaski__token_state__init(out);
    out->fault = state.code;
    out->detail = (char *)(uintptr_t)detail;
}

/* `self` NULL: every job fails with `state`. */
static fault answer(const struct token_desk *self, const struct digest_signer *signer, fault state,
                    const char *detail, const Chaski__KeysBatch *batch, struct bytes **out)
{
    struct answer answers[KEYS_JOBS_PER_DATAGRAM];
    Chaski__TokenState said;
    for (size_t i = 0; i < batch->n_job; i++) {
        size_t size = 0;
        fault f =
            self == NULL ? state : sign(self, signer, batch->job[i], answers[i].signature, &size);
        if (self != NULL && is_of_token(f))
            return f;
        fill(&answers[i], batch->job[i]->id, f, size);
    }
    fill_state(state, detail, &said);
    bool tells = batch->ask_token || failed(state);
    return batch->n_job > 0 || tells ? pack(answers, batch->n_job, tells ? &said : NULL, out)
                                     : DONE;
}

static fault take(const struct token_desk *self, const struct digest_signer *signer, fault state,
                  const char *detail, struct span datagram, struct bytes **out)
{
    Chaski__KeysBatch *batch = chaski__keys_batch__unpack(NULL, datagram.size, datagram.at);
    *out = NULL;
    fault f = batch == NULL || batch->n_job > KEYS_JOBS_PER_DATAGRAM
                  ? RAISE(BAD_FRAME, "not a batch of jobs")
                  : answer(self, signer, state, detail, batch, out);
    if (batch != NULL)
        chaski__keys_batch__free_unpacked(batch, NULL);
    return f;
}

fault token_desk_answer(const struct token_desk *self, const struct digest_signer *signer,
                        struct span datagram, struct bytes **out)
{
    return take(self, signer, DONE, "", datagram, out);
}

fault token_desk_refuse(fault state, const char *detail, struct span datagram, struct bytes **out)
{
    return take(NULL, NULL, state, detail, datagram, out);
}

fault token_desk_state(fault state, const char *detail, struct bytes **out)
{
    Chaski__TokenState said;
    fill_state(state, detail, &said);
    return pack(NULL, 0, &said, out);
}
