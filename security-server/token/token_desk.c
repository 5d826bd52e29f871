// SPDX-License-Identifier: MIT
#include "security-server/token/token_desk.h"

#include "lib/base/text.h"
#include "lib/bus/limits.h"
#include "security-server/token/token_renewal.h"

#include "keys.pb-c.h"

#include <unistd.h>

#define PATH_BYTES 512

static fault load(const char *path, struct certificate **out, struct cades_template *template)
{
    if (failed(certificate_load(path, out)))
        return RAISE(BAD_KEY, "%s: %s", path, fault_detail());
    cades_template_make(*out, template);
    return DONE;
}

fault token_desk_open(const char *keys_folder, struct token_desk *out)
{
    char path[PATH_BYTES], next[PATH_BYTES];
    if (!text_format(path, sizeof path, "%s/sign.crt", keys_folder) ||
        !text_format(next, sizeof next, "%s/sign.next.crt", keys_folder))
        return RAISE(BAD_CONFIG, "keys_folder is too long");
    TRY(load(path, &out->certificate, &out->template));
    return access(next, F_OK) == 0 ? load(next, &out->next_certificate, &out->next_template) : DONE;
}

void token_desk_close(struct token_desk *self)
{
    certificate_free(&self->certificate);
    certificate_free(&self->next_certificate);
}

static fault try_one(struct certificate *certificate, const struct cades_template *template,
                     const struct digest_signer *signer, const char *file)
{
    static const struct sha256 nothing;
    uint8_t signature[P256_SIGNATURE_BYTES_MAX];
    size_t size = 0;
    struct sha256 digest = cades_signed_digest(template, &nothing, 0);
    TRY(signer->sign(signer->owner, digest.at, signature, &size));
    return failed(certificate_verify_digest(certificate, digest.at, span_of(signature, size)))
               ? RAISE(TOKEN_REFUSED, "%s is not the certificate of the key in the token", file)
               : DONE;
}

fault token_desk_try(const struct token_desk *self, const struct token_signers *signers)
{
    TRY(try_one(self->certificate, &self->template, &signers->now, "sign.crt"));
    return self->next_certificate == NULL ? DONE
                                          : try_one(self->next_certificate, &self->next_template,
                                                    &signers->next, "sign.next.crt");
}

// --- answers ------------------------------------------------------------------------------------

struct answer {
    Chaski__KeysResult message;
    uint8_t bytes[TOKEN_RESULT_BYTES_MAX];
};

/* What a batch is answered with. */
struct answering {
    const struct token_desk *desk; /* NULL: every job fails with `state` */
    const struct token_signers *signers;
    bool may_reload;
    fault state;
    const char *detail;
};

static bool is_of(const struct certificate *certificate, struct span hash)
{
    struct sha256 own = certificate_hash(certificate);
    return span_equal(sha256_span(&own), hash);
}

static fault sign(const struct answering *self, const Chaski__SignHeader *header, uint8_t *out,
                  size_t *size)
{
    struct sha256 content;
    const struct token_desk *desk = self->desk;
    struct span hash = span_of(header->certificate_sha256.data, header->certificate_sha256.len);
    bool now = hash.size == 0 || is_of(desk->certificate, hash);
    if (header->content_sha256.len != SHA256_BYTES)
        return RAISE(BAD_FRAME, "a digest of %zu bytes", header->content_sha256.len);
    if (header->time_ms >= (uint64_t)CADES_TIME_MS_END)
        return RAISE(BAD_FRAME, "a time that no header can have");
    if (!now && (desk->next_certificate == NULL || !is_of(desk->next_certificate, hash)))
        return RAISE(KEY_UNKNOWN, "a certificate that is not in keys_folder");
    memcpy(content.at, header->content_sha256.data, SHA256_BYTES);
    const struct digest_signer *signer = now ? &self->signers->now : &self->signers->next;
    struct sha256 digest = cades_signed_digest(now ? &desk->template : &desk->next_template,
                                               &content, (int64_t)header->time_ms);
    return signer->sign(signer->owner, digest.at, out, size);
}

/* Of a header's signer: what a renewal finds out about the token is an answer. */
static bool is_of_token(const Chaski__KeysJob *job, fault f)
{
    return job->work_case == CHASKI__KEYS_JOB__WORK_SIGN_HEADER &&
           (f.code == TOKEN_AWAY || f.code == TOKEN_REFUSED || f.code == CRYPTO_FAILED);
}

static fault work(const struct answering *self, const Chaski__KeysJob *job, uint8_t *out,
                  size_t *size)
{
    struct token_renewal *renewal = self->desk->renewal;
    *size = 0;
    if (job->work_case == CHASKI__KEYS_JOB__WORK_SIGN_HEADER)
        return sign(self, job->sign_header, out, size);
    if (renewal == NULL)
        return RAISE(BAD_FRAME, "a token signs headers only");
    switch (job->work_case) {
    case CHASKI__KEYS_JOB__WORK_REQUEST_RENEWAL:
        return token_renewal_request(renewal, self->desk, &self->signers->now, out, size);
    case CHASKI__KEYS_JOB__WORK_APPROVE_RENEWAL:
        return token_renewal_approve(renewal, self->desk, &self->signers->now, job->approve_renewal,
                                     out, size);
    case CHASKI__KEYS_JOB__WORK_TAKE_CERTIFICATE:
        return token_renewal_take(renewal, self->desk,
                                  span_of(job->take_certificate->certificate.data,
                                          job->take_certificate->certificate.len));
    default:
        return RAISE(BAD_FRAME, "a token signs headers only");
    }
}

static void fill(struct answer *out, uint64_t id, fault f, size_t size)
{
    chaski__keys_result__init(&out->message);
    out->message.id = id;
    out->message.fault = f.code;
    out->message.result = (ProtobufCBinaryData){failed(f) ? 0 : size, out->bytes};
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

static fault answer(const struct answering *self, const Chaski__KeysBatch *batch,
                    struct bytes **out)
{
    struct answer answers[KEYS_JOBS_PER_DATAGRAM];
    Chaski__TokenState said;
    for (size_t i = 0; i < batch->n_job; i++) {
        size_t size = 0;
        fault f =
            self->desk == NULL ? self->state : work(self, batch->job[i], answers[i].bytes, &size);
        if (self->desk != NULL &&
            (is_of_token(batch->job[i], f) || (self->may_reload && f.code == KEY_UNKNOWN)))
            return f;
        fill(&answers[i], batch->job[i]->id, f, size);
    }
    fill_state(self->state, self->detail, &said);
    bool tells = batch->ask_token || failed(self->state);
    return batch->n_job > 0 || tells ? pack(answers, batch->n_job, tells ? &said : NULL, out)
                                     : DONE;
}

static fault take(const struct answering *self, struct span datagram, struct bytes **out)
{
    Chaski__KeysBatch *batch = chaski__keys_batch__unpack(NULL, datagram.size, datagram.at);
    *out = NULL;
    fault f = batch == NULL || batch->n_job > KEYS_JOBS_PER_DATAGRAM
                  ? RAISE(BAD_FRAME, "not a batch of jobs")
                  : answer(self, batch, out);
    if (batch != NULL)
        chaski__keys_batch__free_unpacked(batch, NULL);
    return f;
}

fault token_desk_answer(const struct token_desk *self, const struct token_signers *signers,
                        bool may_reload, struct span datagram, struct bytes **out)
{
    const struct answering all = {self, signers, may_reload, DONE, ""};
    return take(&all, datagram, out);
}

fault token_desk_refuse(fault state, const char *detail, struct span datagram, struct bytes **out)
{
    const struct answering none = {.state = state, .detail = detail};
    return take(&none, datagram, out);
}

fault token_desk_state(fault state, const char *detail, struct bytes **out)
{
    Chaski__TokenState said;
    fill_state(state, detail, &said);
    return pack(NULL, 0, &said, out);
}
