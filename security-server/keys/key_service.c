// SPDX-License-Identifier: MIT
#include "security-server/keys/key_service.h"

#include "lib/base/clock.h"
#include "lib/bus/act_approval.h"
#include "lib/bus/renewal.h"
#include "lib/crypto/note.h"
#include "lib/crypto/seal.h"
#include "security-server/renewal_act.h"

#include "directory.pb-c.h"
#include "keys.pb-c.h"

#include <assert.h>
#include <stdlib.h>

#define COSIGNED_MAX 65536 /* logs */
#define COSIGNATURE_BODY_ROOM 464
#define RESULT_BYTES_MAX 1024 /* the longest is a request for a certificate */

_Static_assert(P256_SIGNATURE_BYTES_MAX <= RESULT_BYTES_MAX, "room for a signature");

struct answer {
    Chaski__KeysResult message;
    uint8_t bytes[RESULT_BYTES_MAX];
};

static fault sign_header(struct key_service *self, const Chaski__SignHeader *job, uint8_t *out,
                         size_t *size)
{
    struct sha256 content;
    if (self->store->sign == NULL)
        return RAISE(KEY_UNKNOWN, "a token signs headers, and not this process");
    if (!self->store->certified)
        return RAISE(KEY_UNKNOWN, "the signing key has no certificate yet");
    if (job->content_sha256.len != SHA256_BYTES)
        return RAISE(BAD_FRAME, "a digest of %zu bytes", job->content_sha256.len);
    if (job->time_ms >= (uint64_t)CADES_TIME_MS_END)
        return RAISE(BAD_FRAME, "a time that no header can have");
    memcpy(content.at, job->content_sha256.data, SHA256_BYTES);
    struct sha256 digest =
        cades_signed_digest(&self->store->template, &content, (int64_t)job->time_ms);
    return keypair_sign_digest(self->store->sign, digest.at, out, size);
}

/* An origin of several lines would bring a size of its own, and the real one would follow as an
 * extension that nobody reads. */
static fault take_origin(const char *text, char out[NOTE_NAME_BYTES_MAX])
{
    static const uint8_t any[ED25519_PUBLIC_BYTES];
    struct note_key key;
    if (failed(note_key_make(text, NOTE_LOG, any, &key)))
        return RAISE(BAD_FRAME, "a checkpoint of no log's name");
    memcpy(out, key.name, NOTE_NAME_BYTES_MAX);
    return DONE;
}

static fault check_growth(const struct key_service *self, const struct checkpoint *next)
{
    if (next->size < self->signed_size)
        return RAISE(REFUSED, "a checkpoint of a smaller log than was signed before");
    if (self->has_signed && next->size == self->signed_size &&
        !sha256_equal(&next->root, &self->signed_root))
        return RAISE(REFUSED, "a checkpoint of other entries than were signed before");
    return DONE;
}

static fault sign_checkpoint(struct key_service *self, const Chaski__SignCheckpoint *job,
                             uint8_t *out, size_t *size)
{
    struct checkpoint checkpoint = {.size = job->size};
    char body[CHECKPOINT_BODY_ROOM];
    if (job->root.len != SHA256_BYTES)
        return RAISE(BAD_FRAME, "a root of %zu bytes", job->root.len);
    TRY(take_origin(job->origin, checkpoint.origin));
    memcpy(checkpoint.root.at, job->root.data, SHA256_BYTES);
    TRY(check_growth(self, &checkpoint));
    size_t length = checkpoint_body(&checkpoint, body, sizeof body);
    TRY(keypair_sign_message(self->store->log, span_of(body, length), out));
    self->has_signed = true;
    self->signed_size = checkpoint.size;
    self->signed_root = checkpoint.root;
    *size = ED25519_SIGNATURE_BYTES;
    return DONE;
}

/* Largest head of a log that was cosigned in this run. */
struct cosigned {
    uint64_t size;
    struct sha256 root;
};

static fault check_cosigned(const struct key_service *self, const struct checkpoint *next)
{
    const struct cosigned *before = map_get(&self->cosigned, span_of_text(next->origin));
    if (before != NULL && next->size < before->size)
        return RAISE(REFUSED, "a smaller head of a log than was cosigned before");
    if (before != NULL && next->size == before->size && !sha256_equal(&next->root, &before->root))
        return RAISE(REFUSED, "another head of a log than was cosigned before");
    if (before == NULL && self->cosigned.count >= COSIGNED_MAX)
        return RAISE(OVERLOADED, "%d logs are cosigned already", COSIGNED_MAX);
    return DONE;
}

static void remember_cosigned(struct key_service *self, const struct checkpoint *head)
{
    struct cosigned *entry = map_get(&self->cosigned, span_of_text(head->origin));
    if (entry == NULL) {
        entry = owned_new(sizeof *entry);
        map_set(&self->cosigned, span_of_text(head->origin), entry);
    }
    *entry = (struct cosigned){head->size, head->root};
}

static fault sign_cosignature(struct key_service *self, const Chaski__SignCosignature *job,
                              uint8_t *out, size_t *size)
{
    struct checkpoint head = {.size = job->size};
    char body[COSIGNATURE_BODY_ROOM];
    if (self->store->witness == NULL)
        return RAISE(KEY_UNKNOWN, "this server has no witness key");
    if (job->root.len != SHA256_BYTES)
        return RAISE(BAD_FRAME, "a root of %zu bytes", job->root.len);
    TRY(take_origin(job->origin, head.origin));
    memcpy(head.root.at, job->root.data, SHA256_BYTES);
    TRY(check_cosigned(self, &head));
    size_t length = cosignature_body(&head, job->time_s, body, sizeof body);
    TRY(keypair_sign_message(self->store->witness, span_of(body, length), out));
    remember_cosigned(self, &head);
    *size = ED25519_SIGNATURE_BYTES;
    return DONE;
}

void key_service_clear(struct key_service *self)
{
    size_t step = 0;
    for (void *entry; (entry = map_next(&self->cosigned, &step, NULL)) != NULL;)
        free(entry);
    map_clear(&self->cosigned);
    seal_ring_clear(&self->ring);
    subject_ring_clear(&self->subjects);
}

static fault derive_seal(struct key_service *self, const Chaski__DeriveSeal *job, uint8_t *out,
                         size_t *size)
{
    if (job->seal_key_id.len != SEAL_KEY_ID_BYTES || job->ephemeral.len != X25519_PUBLIC_BYTES)
        return RAISE(BAD_FRAME, "a sealing key that is none");
    for (size_t i = 0; i < self->store->seals; i++)
        if (memcmp(self->store->seal_id[i], job->seal_key_id.data, SEAL_KEY_ID_BYTES) == 0) {
            *size = SEAL_KEY_BYTES;
            return seal_derive(self->store->seal[i], job->ephemeral.data, out);
        }
    struct keypair *made = seal_ring_find(&self->ring, job->seal_key_id.data);
    if (made == NULL)
        return RAISE(KEY_UNKNOWN, "sealed for a key that this server does not have");
    *size = SEAL_KEY_BYTES;
    return seal_derive(made, job->ephemeral.data, out);
}

static fault make_seal(struct key_service *self, uint8_t *out, size_t *size)
{
    *size = X25519_PUBLIC_BYTES;
    return seal_ring_make(&self->ring, out);
}

static fault forget_seal(struct key_service *self, const Chaski__ForgetSeal *job, size_t *size)
{
    if (job->seal_key_id.len != SEAL_KEY_ID_BYTES)
        return RAISE(BAD_FRAME, "a sealing key that is none");
    seal_ring_forget(&self->ring, job->seal_key_id.data);
    *size = 0;
    return DONE;
}

/* The secret half of the sealing key to which something was sealed; NULL: it is not here. */
static struct keypair *seal_named(const struct key_service *self,
                                  const uint8_t id[SEAL_KEY_ID_BYTES])
{
    for (size_t i = 0; i < self->store->seals; i++)
        if (memcmp(self->store->seal_id[i], id, SEAL_KEY_ID_BYTES) == 0)
            return self->store->seal[i];
    return seal_ring_find(&self->ring, id);
}

static fault take_subject_key(struct key_service *self, const Chaski__TakeSubjectKey *job,
                              size_t *size)
{
    struct subject_key_blob blob;
    struct sha256 commitment;
    TRY(subject_key_read(span_of(job->blob.data, job->blob.len), &blob));
    if (job->commitment.len != SHA256_BYTES)
        return RAISE(BAD_FRAME, "a commitment of %zu bytes", job->commitment.len);
    memcpy(commitment.at, job->commitment.data, SHA256_BYTES);
    struct keypair *receiver = seal_named(self, blob.seal_key_id);
    if (receiver == NULL)
        return RAISE(KEY_UNKNOWN, "sealed for a key that this server does not have");
    *size = 0;
    return subject_ring_take(&self->subjects, &blob, job->server, &commitment, receiver);
}

static fault forget_subject_key(struct key_service *self, const Chaski__ForgetSubjectKey *job,
                                size_t *size)
{
    subject_ring_forget(&self->subjects, job->year);
    *size = 0;
    return DONE;
}

static fault make_pseudonym(struct key_service *self, const Chaski__MakePseudonym *job,
                            uint8_t *out, size_t *size)
{
    struct sha256 made;
    fault f =
        subject_ring_make(&self->subjects, job->year, job->document, clock_steady_ms(), &made);
    seal_wipe(job->document, strlen(job->document));
    TRY(f);
    memcpy(out, made.at, SHA256_BYTES);
    *size = SHA256_BYTES;
    return DONE;
}

static fault wrap_day_key(struct key_service *self, const Chaski__WrapDayKey *job, uint8_t *out,
                          size_t *size)
{
    if (job->key.len != KEY_WRAP_BYTES)
        return RAISE(BAD_FRAME, "a day key of %zu bytes", job->key.len);
    *size = KEY_WRAPPED_BYTES;
    return key_wrap_wrap(self->store->store, job->key.data, out);
}

static fault unwrap_day_key(struct key_service *self, const Chaski__UnwrapDayKey *job, uint8_t *out,
                            size_t *size)
{
    if (job->wrapped.len != KEY_WRAPPED_BYTES)
        return RAISE(BAD_FRAME, "a wrapped day key of %zu bytes", job->wrapped.len);
    *size = KEY_WRAP_BYTES;
    return key_wrap_unwrap(self->store->store, job->wrapped.data, out);
}

static fault request_renewal(struct key_service *self, uint8_t *out, size_t *size)
{
    struct sha256 digest;
    size_t signature = 0;
    const struct key_store *store = self->store;
    if (store->next_request == NULL)
        return RAISE(KEY_UNKNOWN, "there is no next signing key");
    struct span request = span_of(store->next_request->data, store->next_request->size);
    if (1 + P256_SIGNATURE_BYTES_MAX + request.size > RESULT_BYTES_MAX)
        return RAISE(INTERNAL, "a request of %zu bytes", request.size);
    TRY(renewal_digest(store->server, request, &digest));
    TRY(keypair_sign_digest(store->sign, digest.at, out + 1, &signature));
    out[0] = (uint8_t)signature;
    memcpy(out + 1 + signature, request.at, request.size);
    *size = 1 + signature + request.size;
    return DONE;
}

static fault copy_point(struct keypair *key, uint8_t out[P256_POINT_BYTES])
{
    OWNED(bytes) point = NULL;
    TRY(keypair_public(key, &point));
    memcpy(out, point->data, P256_POINT_BYTES);
    return DONE;
}

static fault check_renewal(const struct key_store *store, const Chaski__Act *act)
{
    struct renewal_own own = {.server = store->server, .seals = store->seals};
    memcpy(own.seal_id, store->seal_id, sizeof own.seal_id);
    TRY(copy_point(store->sign, own.now));
    TRY(copy_point(store->next, own.next));
    return renewal_act_check(&own, act);
}

static fault approve_renewal(struct key_service *self, const Chaski__ApproveRenewal *job,
                             uint8_t *out, size_t *size)
{
    if (self->store->next == NULL)
        return RAISE(KEY_UNKNOWN, "there is no next signing key");
    Chaski__Act *act = chaski__act__unpack(NULL, job->act.len, job->act.data);
    if (act == NULL)
        return RAISE(BAD_FRAME, "that is no act");
    fault f = check_renewal(self->store, act);
    struct sha256 digest = act_approval_digest(act, job->instance);
    chaski__act__free_unpacked(act, NULL);
    TRY(f);
    return keypair_sign_digest(self->store->sign, digest.at, out, size);
}

static fault work(struct key_service *self, const Chaski__KeysJob *job, uint8_t *out, size_t *size)
{
    switch (job->work_case) {
    case CHASKI__KEYS_JOB__WORK_SIGN_HEADER:
        return sign_header(self, job->sign_header, out, size);
    case CHASKI__KEYS_JOB__WORK_SIGN_CHECKPOINT:
        return sign_checkpoint(self, job->sign_checkpoint, out, size);
    case CHASKI__KEYS_JOB__WORK_SIGN_COSIGNATURE:
        return sign_cosignature(self, job->sign_cosignature, out, size);
    case CHASKI__KEYS_JOB__WORK_DERIVE_SEAL:
        return derive_seal(self, job->derive_seal, out, size);
    case CHASKI__KEYS_JOB__WORK_WRAP_DAY_KEY:
        return wrap_day_key(self, job->wrap_day_key, out, size);
    case CHASKI__KEYS_JOB__WORK_UNWRAP_DAY_KEY:
        return unwrap_day_key(self, job->unwrap_day_key, out, size);
    case CHASKI__KEYS_JOB__WORK_TAKE_CERTIFICATE:
        *size = 0;
        return key_store_certify(self->store, span_of(job->take_certificate->certificate.data,
                                                      job->take_certificate->certificate.len));
    case CHASKI__KEYS_JOB__WORK_REQUEST_RENEWAL:
        return request_renewal(self, out, size);
    case CHASKI__KEYS_JOB__WORK_APPROVE_RENEWAL:
        return approve_renewal(self, job->approve_renewal, out, size);
    case CHASKI__KEYS_JOB__WORK_MAKE_SEAL:
        return make_seal(self, out, size);
    case CHASKI__KEYS_JOB__WORK_FORGET_SEAL:
        return forget_seal(self, job->forget_seal, size);
    case CHASKI__KEYS_JOB__WORK_TAKE_SUBJECT_KEY:
        return take_subject_key(self, job->take_subject_key, size);
    case CHASKI__KEYS_JOB__WORK_FORGET_SUBJECT_KEY:
        return forget_subject_key(self, job->forget_subject_key, size);
    case CHASKI__KEYS_JOB__WORK_MAKE_PSEUDONYM:
        return make_pseudonym(self, job->make_pseudonym, out, size);
    default:
        return RAISE(BAD_FRAME, "a job without work");
    }
}

static void answer_job(struct key_service *self, const Chaski__KeysJob *job, struct answer *out)
{
    size_t size = 0;
    fault f = work(self, job, out->bytes, &size);
    chaski__keys_result__init(&out->message);
    out->message.id = job->id;
    out->message.fault = f.code;
    out->message.result = (ProtobufCBinaryData){failed(f) ? 0 : size, out->bytes};
}

static fault pack(struct answer *answers, size_t count, struct bytes **out)
{
    Chaski__KeysResult *results[KEYS_JOBS_PER_DATAGRAM];
    for (size_t i = 0; i < count; i++)
        results[i] = &answers[i].message;
    Chaski__KeysBatch batch = CHASKI__KEYS_BATCH__INIT;
    batch.n_result = count;
    batch.result = results;
    TRY(bytes_new(chaski__keys_batch__get_packed_size(&batch), out));
    chaski__keys_batch__pack(&batch, (*out)->data);
    return DONE;
}

fault key_service_answer(struct key_service *self, struct span datagram, struct bytes **out)
{
    struct answer answers[KEYS_JOBS_PER_DATAGRAM];
    Chaski__KeysBatch *batch = chaski__keys_batch__unpack(NULL, datagram.size, datagram.at);
    if (batch == NULL || batch->n_job == 0 || batch->n_job > KEYS_JOBS_PER_DATAGRAM) {
        if (batch != NULL)
            chaski__keys_batch__free_unpacked(batch, NULL);
        return RAISE(BAD_FRAME, "not a batch of jobs");
    }
    for (size_t i = 0; i < batch->n_job; i++)
        answer_job(self, batch->job[i], &answers[i]);
    fault f = pack(answers, batch->n_job, out);
    seal_wipe(answers, sizeof answers);
    chaski__keys_batch__free_unpacked(batch, NULL);
    return f;
}
