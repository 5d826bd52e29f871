// SPDX-License-Identifier: MIT
#include "security-server/exchange/keys_line.h"

#include "lib/base/event.h"
#include "lib/bus/limits.h"
#include "lib/crypto/seal.h"
#include "security-server/exchange/token_line.h"

#include "keys.pb-c.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <sys/socket.h>

enum job_kind {
    JOB_HEADER,
    JOB_CHECKPOINT,
    JOB_COSIGNATURE,
    JOB_SEAL,
    JOB_WRAP,
    JOB_UNWRAP,
    JOB_CERTIFICATE,
    JOB_RENEWAL,
    JOB_APPROVAL,
    JOB_MAKE_SEAL,
    JOB_FORGET_SEAL,
    JOB_SUBJECT_KEY,
    JOB_FORGET_SUBJECT_KEY,
    JOB_PSEUDONYM
};

struct job {
    uint64_t id;
    enum job_kind kind;
    struct sha256 hash; /* content, or root */
    uint64_t number;    /* time, or size */
    uint64_t time_s;
    char origin[NOTE_NAME_BYTES_MAX];
    uint8_t seal_key_id[SEAL_KEY_ID_BYTES];
    uint8_t ephemeral[X25519_PUBLIC_BYTES];
    uint8_t day_key[KEY_WRAPPED_BYTES]; /* or the key itself, which is shorter */
    struct span document;               /* certificate, or act */
    const char *instance;               /* or the name of this server */
    char person[PSEUDONYM_TEXT_ROOM];
    keys_done *done;
    void *owner;
};

struct keys_line {
    struct loop *loop;
    struct loop_watch watch;
    struct token_line *token; /* NULL: the keys process signs headers */
    bool blocked;             /* the socket took no more */
    bool gone;
    void (*lost)(void *owner);
    void *owner;
    /* jobs[first .. sent) wait for answers, jobs[sent .. end) are to be sent */
    struct job *job;
    size_t first, sent, end, room;
    uint64_t next_id;
    uint8_t datagram[KEYS_DATAGRAM_BYTES_MAX];
};

static struct job *add_job(struct keys_line *self, enum job_kind kind, keys_done *done, void *owner)
{
    if (self->end == self->room) {
        /* move what is left to the front; grow when that frees less than half */
        memmove(self->job, self->job + self->first, (self->end - self->first) * sizeof *self->job);
        self->sent -= self->first;
        self->end -= self->first;
        self->first = 0;
        if (self->end >= self->room / 2) {
            self->room *= 2;
            self->job = owned_grow(self->job, self->room, sizeof *self->job);
        }
    }
    struct job *job = &self->job[self->end++];
    job->id = self->next_id++;
    job->kind = kind;
    job->done = done;
    job->owner = owner;
    return job;
}

void keys_line_sign_header(struct keys_line *self, const struct sha256 *content, int64_t time_ms,
                           keys_done *done, void *owner)
{
    if (self->token != NULL) {
        token_line_sign_header(self->token, content, time_ms, done, owner);
        return;
    }
    struct job *job = add_job(self, JOB_HEADER, done, owner);
    job->hash = *content;
    job->number = (uint64_t)time_ms;
}

void keys_line_sign_checkpoint(struct keys_line *self, const struct checkpoint *checkpoint,
                               keys_done *done, void *owner)
{
    struct job *job = add_job(self, JOB_CHECKPOINT, done, owner);
    job->hash = checkpoint->root;
    job->number = checkpoint->size;
    memcpy(job->origin, checkpoint->origin, sizeof job->origin);
}

void keys_line_sign_cosignature(struct keys_line *self, const struct checkpoint *head,
                                uint64_t time_s, keys_done *done, void *owner)
{
    struct job *job = add_job(self, JOB_COSIGNATURE, done, owner);
    job->hash = head->root;
    job->number = head->size;
    job->time_s = time_s;
    memcpy(job->origin, head->origin, sizeof job->origin);
}

void keys_line_derive_seal(struct keys_line *self, const uint8_t seal_key_id[SEAL_KEY_ID_BYTES],
                           const uint8_t ephemeral[X25519_PUBLIC_BYTES], keys_done *done,
                           void *owner)
{
    struct job *job = add_job(self, JOB_SEAL, done, owner);
    memcpy(job->seal_key_id, seal_key_id, SEAL_KEY_ID_BYTES);
    memcpy(job->ephemeral, ephemeral, X25519_PUBLIC_BYTES);
}

void keys_line_wrap_day_key(struct keys_line *self, const uint8_t key[KEY_WRAP_BYTES],
                            keys_done *done, void *owner)
{
    memcpy(add_job(self, JOB_WRAP, done, owner)->day_key, key, KEY_WRAP_BYTES);
}

void keys_line_unwrap_day_key(struct keys_line *self, const uint8_t wrapped[KEY_WRAPPED_BYTES],
                              keys_done *done, void *owner)
{
    memcpy(add_job(self, JOB_UNWRAP, done, owner)->day_key, wrapped, KEY_WRAPPED_BYTES);
}

void keys_line_take_certificate(struct keys_line *self, struct span der, keys_done *done,
                                void *owner)
{
    if (self->token != NULL)
        token_line_take_certificate(self->token, der, done, owner);
    else
        add_job(self, JOB_CERTIFICATE, done, owner)->document = der;
}

void keys_line_request_renewal(struct keys_line *self, keys_done *done, void *owner)
{
    if (self->token != NULL)
        token_line_request_renewal(self->token, done, owner);
    else
        add_job(self, JOB_RENEWAL, done, owner);
}

void keys_line_approve_renewal(struct keys_line *self, const char *instance, struct span act,
                               keys_done *done, void *owner)
{
    if (self->token != NULL) {
        token_line_approve_renewal(self->token, instance, act, done, owner);
        return;
    }
    struct job *job = add_job(self, JOB_APPROVAL, done, owner);
    job->document = act;
    job->instance = instance;
}

void keys_line_make_seal(struct keys_line *self, keys_done *done, void *owner)
{
    add_job(self, JOB_MAKE_SEAL, done, owner);
}

void keys_line_forget_seal(struct keys_line *self, const uint8_t seal_key_id[SEAL_KEY_ID_BYTES],
                           keys_done *done, void *owner)
{
    memcpy(add_job(self, JOB_FORGET_SEAL, done, owner)->seal_key_id, seal_key_id,
           SEAL_KEY_ID_BYTES);
}

void keys_line_take_subject_key(struct keys_line *self, struct span blob, const char *server,
                                const struct sha256 *commitment, keys_done *done, void *owner)
{
    struct job *job = add_job(self, JOB_SUBJECT_KEY, done, owner);
    job->document = blob;
    job->instance = server;
    job->hash = *commitment;
}

void keys_line_forget_subject_key(struct keys_line *self, unsigned year, keys_done *done,
                                  void *owner)
{
    add_job(self, JOB_FORGET_SUBJECT_KEY, done, owner)->number = year;
}

void keys_line_pseudonym(struct keys_line *self, unsigned year,
                         const char person[PSEUDONYM_TEXT_ROOM], keys_done *done, void *owner)
{
    struct job *job = add_job(self, JOB_PSEUDONYM, done, owner);
    job->number = year;
    memcpy(job->person, person, PSEUDONYM_TEXT_ROOM);
}

// --- sending ------------------------------------------------------------------------------------

union work {
    Chaski__SignHeader header;
    Chaski__SignCheckpoint checkpoint;
    Chaski__SignCosignature cosignature;
    Chaski__DeriveSeal seal;
    Chaski__WrapDayKey wrap;
    Chaski__UnwrapDayKey unwrap;
    Chaski__TakeCertificate certificate;
    Chaski__RequestRenewal renewal;
    Chaski__ApproveRenewal approval;
    Chaski__MakeSeal make_seal;
    Chaski__ForgetSeal forget_seal;
    Chaski__TakeSubjectKey subject_key;
    Chaski__ForgetSubjectKey forget_subject_key;
    Chaski__MakePseudonym pseudonym;
};

static ProtobufCBinaryData binary(uint8_t *at, size_t size)
{
    return (ProtobufCBinaryData){size, at};
}

static void fill(struct job *job, Chaski__KeysJob *message, union work *work)
{
    chaski__keys_job__init(message);
    message->id = job->id;
    switch (job->kind) {
    case JOB_HEADER:
        chaski__sign_header__init(&work->header);
        work->header.content_sha256 = binary(job->hash.at, SHA256_BYTES);
        work->header.time_ms = job->number;
        message->work_case = CHASKI__KEYS_JOB__WORK_SIGN_HEADER;
        message->sign_header = &work->header;
        return;
    case JOB_CHECKPOINT:
        chaski__sign_checkpoint__init(&work->checkpoint);
        work->checkpoint.origin = job->origin;
        work->checkpoint.size = job->number;
        work->checkpoint.root = binary(job->hash.at, SHA256_BYTES);
        message->work_case = CHASKI__KEYS_JOB__WORK_SIGN_CHECKPOINT;
        message->sign_checkpoint = &work->checkpoint;
        return;
    case JOB_COSIGNATURE:
        chaski__sign_cosignature__init(&work->cosignature);
        work->cosignature.origin = job->origin;
        work->cosignature.size = job->number;
        work->cosignature.root = binary(job->hash.at, SHA256_BYTES);
        work->cosignature.time_s = job->time_s;
        message->work_case = CHASKI__KEYS_JOB__WORK_SIGN_COSIGNATURE;
        message->sign_cosignature = &work->cosignature;
        return;
    case JOB_SEAL:
        chaski__derive_seal__init(&work->seal);
        work->seal.seal_key_id = binary(job->seal_key_id, SEAL_KEY_ID_BYTES);
        work->seal.ephemeral = binary(job->ephemeral, X25519_PUBLIC_BYTES);
        message->work_case = CHASKI__KEYS_JOB__WORK_DERIVE_SEAL;
        message->derive_seal = &work->seal;
        return;
    case JOB_WRAP:
        chaski__wrap_day_key__init(&work->wrap);
        work->wrap.key = binary(job->day_key, KEY_WRAP_BYTES);
        message->work_case = CHASKI__KEYS_JOB__WORK_WRAP_DAY_KEY;
        message->wrap_day_key = &work->wrap;
        return;
    case JOB_UNWRAP:
        chaski__unwrap_day_key__init(&work->unwrap);
        work->unwrap.wrapped = binary(job->day_key, KEY_WRAPPED_BYTES);
        message->work_case = CHASKI__KEYS_JOB__WORK_UNWRAP_DAY_KEY;
        message->unwrap_day_key = &work->unwrap;
        return;
    case JOB_CERTIFICATE:
        chaski__take_certificate__init(&work->certificate);
        work->certificate.certificate =
            binary((uint8_t *)(uintptr_t)job->document.at, job->document.size);
        message->work_case = CHASKI__KEYS_JOB__WORK_TAKE_CERTIFICATE;
        message->take_certificate = &work->certificate;
        return;
    case JOB_RENEWAL:
        chaski__request_renewal__init(&work->renewal);
        message->work_case = CHASKI__KEYS_JOB__WORK_REQUEST_RENEWAL;
        message->request_renewal = &work->renewal;
        return;
    case JOB_APPROVAL:
        chaski__approve_renewal__init(&work->approval);
        work->approval.instance = (char *)(uintptr_t)job->instance;
        work->approval.act = binary((uint8_t *)(uintptr_t)job->document.at, job->document.size);
        message->work_case = CHASKI__KEYS_JOB__WORK_APPROVE_RENEWAL;
        message->approve_renewal = &work->approval;
        return;
    case JOB_MAKE_SEAL:
        chaski__make_seal__init(&work->make_seal);
        message->work_case = CHASKI__KEYS_JOB__WORK_MAKE_SEAL;
        message->make_seal = &work->make_seal;
        return;
    case JOB_FORGET_SEAL:
        chaski__forget_seal__init(&work->forget_seal);
        work->forget_seal.seal_key_id = binary(job->seal_key_id, SEAL_KEY_ID_BYTES);
        message->work_case = CHASKI__KEYS_JOB__WORK_FORGET_SEAL;
        message->forget_seal = &work->forget_seal;
        return;
    case JOB_SUBJECT_KEY:
        chaski__take_subject_key__init(&work->subject_key);
        work->subject_key.blob = binary((uint8_t *)(uintptr_t)job->document.at, job->document.size);
        work->subject_key.commitment = binary(job->hash.at, SHA256_BYTES);
        work->subject_key.server = (char *)(uintptr_t)job->instance;
        message->work_case = CHASKI__KEYS_JOB__WORK_TAKE_SUBJECT_KEY;
        message->take_subject_key = &work->subject_key;
        return;
    case JOB_FORGET_SUBJECT_KEY:
        chaski__forget_subject_key__init(&work->forget_subject_key);
        work->forget_subject_key.year = (uint32_t)job->number;
        message->work_case = CHASKI__KEYS_JOB__WORK_FORGET_SUBJECT_KEY;
        message->forget_subject_key = &work->forget_subject_key;
        return;
    case JOB_PSEUDONYM:
        chaski__make_pseudonym__init(&work->pseudonym);
        work->pseudonym.year = (uint32_t)job->number;
        work->pseudonym.document = job->person;
        message->work_case = CHASKI__KEYS_JOB__WORK_MAKE_PSEUDONYM;
        message->make_pseudonym = &work->pseudonym;
        return;
    }
}

static size_t pack(struct keys_line *self, size_t count)
{
    Chaski__KeysJob messages[KEYS_JOBS_PER_DATAGRAM], *pointers[KEYS_JOBS_PER_DATAGRAM];
    union work works[KEYS_JOBS_PER_DATAGRAM];
    for (size_t i = 0; i < count; i++) {
        fill(&self->job[self->sent + i], &messages[i], &works[i]);
        pointers[i] = &messages[i];
    }
    Chaski__KeysBatch batch = CHASKI__KEYS_BATCH__INIT;
    batch.n_job = count;
    batch.job = pointers;
    return chaski__keys_batch__pack(&batch, self->datagram);
}

static void lose(struct keys_line *self)
{
    if (self->gone)
        return;
    self->gone = true;
    self->lost(self->owner);
}

static bool flush(void *owner)
{
    struct keys_line *self = owner;
    while (!self->gone && !self->blocked && self->sent < self->end) {
        size_t count = self->end - self->sent;
        if (count > KEYS_JOBS_PER_DATAGRAM)
            count = KEYS_JOBS_PER_DATAGRAM;
        size_t size = pack(self, count);
        ssize_t done = send(self->watch.fd, self->datagram, size, MSG_DONTWAIT | MSG_NOSIGNAL);
        if (done == (ssize_t)size) {
            self->sent += count;
        } else if (done < 0 && (errno == EAGAIN || errno == ENOBUFS)) {
            self->blocked = true;
            self->watch.bits = EPOLLIN | EPOLLOUT;
            ignore(loop_rewatch(self->loop, &self->watch));
        } else if (!(done < 0 && errno == EINTR)) {
            lose(self);
        }
    }
    return false;
}

// --- answers ------------------------------------------------------------------------------------

static bool take_result(struct keys_line *self, const Chaski__KeysResult *result)
{
    if (self->first == self->sent || self->job[self->first].id != result->id)
        return false;
    seal_wipe(self->job[self->first].day_key, KEY_WRAPPED_BYTES);
    seal_wipe(self->job[self->first].person, PSEUDONYM_TEXT_ROOM);
    struct job job = self->job[self->first++];
    fault f = DONE;
    if (result->fault != OK)
        f = RAISE(fault_known(result->fault) ? (enum fault_code)result->fault : INTERNAL,
                  "the keys process refused");
    job.done(job.owner, f, span_of(result->result.data, result->result.len));
    return true;
}

static bool take_datagram(struct keys_line *self, size_t size)
{
    Chaski__KeysBatch *batch = chaski__keys_batch__unpack(NULL, size, self->datagram);
    if (batch == NULL)
        return false;
    bool good = true;
    for (size_t i = 0; good && i < batch->n_result; i++)
        good = take_result(self, batch->result[i]);
    chaski__keys_batch__free_unpacked(batch, NULL);
    return good;
}

static void on_ready(struct loop_watch *watch, uint32_t bits)
{
    struct keys_line *self = watch->owner;
    if ((bits & EPOLLOUT) != 0) {
        self->blocked = false;
        self->watch.bits = EPOLLIN;
        ignore(loop_rewatch(self->loop, &self->watch));
    }
    while (!self->gone) {
        ssize_t got = recv(watch->fd, self->datagram, sizeof self->datagram, MSG_DONTWAIT);
        if (got < 0 && (errno == EAGAIN || errno == EINTR))
            return;
        if (got <= 0 || !take_datagram(self, (size_t)got))
            lose(self);
    }
}

fault keys_line_open(struct loop *loop, int fd, void (*lost)(void *owner), void *owner,
                     struct keys_line **out)
{
    OWNED(keys_line) self = owned_new(sizeof *self);
    self->loop = loop;
    self->lost = lost;
    self->owner = owner;
    self->room = 1024;
    self->job = owned_array(self->room, sizeof *self->job);
    self->watch = (struct loop_watch){.fd = fd, .bits = EPOLLIN, .ready = on_ready, .owner = self};
    TRY(loop_watch(loop, &self->watch));
    loop_each_turn(loop, flush, self);
    *out = TAKE(self);
    return DONE;
}

void keys_line_free(struct keys_line **self)
{
    if (*self == NULL)
        return;
    free((*self)->job);
    free(*self);
    *self = NULL;
}

void keys_line_use_token(struct keys_line *self, struct token_line *token)
{
    self->token = token;
}

// --- waiting, at the start ----------------------------------------------------------------------

struct answer {
    bool there;
    fault f;
    uint8_t *out;
    size_t size;
};

static void take_answer(void *owner, fault f, struct span result)
{
    struct answer *answer = owner;
    answer->there = true;
    answer->f = f;
    if (failed(f))
        return;
    if (result.size == answer->size)
        memcpy(answer->out, result.at, result.size);
    else
        answer->f = RAISE(INTERNAL, "a day key of %zu bytes", result.size);
}

static fault wait_for(struct keys_line *self, struct answer *answer)
{
    flush(self);
    while (!answer->there && !self->gone) {
        struct pollfd wait = {.fd = self->watch.fd, .events = POLLIN};
        int ready = poll(&wait, 1, KEYS_WAIT_MS);
        if (ready == 0 || (ready < 0 && errno != EINTR))
            lose(self); /* its answer may come later, for nobody */
        else if (ready > 0)
            on_ready(&self->watch, EPOLLIN);
    }
    return answer->there ? answer->f : RAISE(KEYS_UNREACHABLE, "no answer about a day key");
}

static fault wrap_now(void *owner, const uint8_t key[KEY_WRAP_BYTES],
                      uint8_t out[KEY_WRAPPED_BYTES])
{
    struct answer answer = {.out = out, .size = KEY_WRAPPED_BYTES};
    keys_line_wrap_day_key(owner, key, take_answer, &answer);
    return wait_for(owner, &answer);
}

static fault unwrap_now(void *owner, const uint8_t wrapped[KEY_WRAPPED_BYTES],
                        uint8_t out[KEY_WRAP_BYTES])
{
    struct answer answer = {.out = out, .size = KEY_WRAP_BYTES};
    keys_line_unwrap_day_key(owner, wrapped, take_answer, &answer);
    return wait_for(owner, &answer);
}

struct key_holder keys_line_holder(struct keys_line *self)
{
    return (struct key_holder){wrap_now, unwrap_now, self};
}
