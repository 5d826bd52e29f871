// SPDX-License-Identifier: MIT
#include "security-server/exchange/token_line.h"

#include "lib/base/clock.h"
#include "lib/base/event.h"
#include "lib/base/text.h"
#include "lib/bus/limits.h"
#include "lib/crypto/random.h"

#include "keys.pb-c.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/socket.h>

/* A ring by id: those from `first` on wait, in the order in which they were asked for. */
struct job {
    int64_t since_ms;
    struct sha256 content;
    uint64_t time_ms;
    keys_done *done;
    void *owner;
    bool answered;
    fault f;
    size_t size;
    uint8_t signature[P256_SIGNATURE_BYTES_MAX];
};

/* What is known already, and is told in the next turn. */
struct told {
    fault f;
    keys_done *done;
    void *owner;
};

/* What has nothing to do with headers, beside their ring: it may take long. */
enum errand_kind { NO_ERRAND, REQUEST, APPROVE, TAKE };

struct errand {
    enum errand_kind kind;
    bool sent;
    uint64_t id;
    int64_t since_ms;
    const char *instance; /* lent, as is: */
    struct span content;
    keys_done *done;
    void *owner;
};

struct token_line {
    struct loop *loop;
    struct loop_watch watch;
    struct loop_timer look, soon;
    bool blocked; /* the socket took no more */
    fault state;  /* OK: it signs */
    char detail[TOKEN_DETAIL_BYTES_MAX];
    struct job job[TOKEN_JOBS_MAX];
    /* jobs[first .. sent) wait for answers, jobs[sent .. next) are to be sent; they begin anywhere,
     * so that an answer to an earlier process matches nothing */
    uint64_t first, sent, next;
    struct errand errand;
    struct sha256 certificate; /* that headers are signed under */
    bool has_certificate;
    struct told *told;
    size_t tolds, told_room;
    void (*ready)(void *owner);
    void *ready_owner;
    uint8_t datagram[TOKEN_DATAGRAM_BYTES_MAX];
};

// --- telling ------------------------------------------------------------------------------------

static fault state_fault(const struct token_line *self)
{
    if (self->state.code == OK)
        return DONE;
    return self->state.code == TOKEN_AWAY
               ? RAISE(TOKEN_AWAY, "this server cannot sign at present: its token does not answer")
               : RAISE(TOKEN_REFUSED, "this server cannot sign: its operator must look after its "
                                      "token");
}

static void tell_soon(struct token_line *self, fault f, keys_done *done, void *owner)
{
    if (self->tolds == self->told_room) {
        self->told_room = self->told_room == 0 ? 64 : 2 * self->told_room;
        self->told = owned_grow(self->told, self->told_room, sizeof *self->told);
    }
    self->told[self->tolds++] = (struct told){f, done, owner};
    if (self->soon.slot == 0)
        loop_set_timer(self->loop, &self->soon, 0);
}

static struct job *job_of(struct token_line *self, uint64_t id)
{
    return &self->job[id % TOKEN_JOBS_MAX];
}

static size_t waiting(const struct token_line *self)
{
    return (size_t)(self->next - self->first);
}

/* Nobody will sign them: a process that says that its token is away has answered all that it had.
 */
static void fail_all(struct token_line *self, fault f)
{
    for (; self->first != self->next; self->first++) {
        const struct job *job = job_of(self, self->first);
        tell_soon(self, f, job->done, job->owner);
    }
    self->sent = self->next;
}

static fault say_again(const struct token_line *self, fault f)
{
    if (f.code == OVERLOADED)
        return RAISE(OVERLOADED, "%d headers wait for this server's token", TOKEN_JOBS_MAX);
    return failed(state_fault(self)) ? RAISE(f.code, "%s", fault_detail())
                                     : RAISE(f.code, "this server's token did not sign");
}

/* Whoever is told may ask again, and then waits for the next turn. */
static void on_soon(struct loop_timer *timer)
{
    struct token_line *self = timer->owner;
    struct told *told = TAKE(self->told);
    size_t count = self->tolds;
    self->tolds = self->told_room = 0;
    for (size_t i = 0; i < count; i++)
        told[i].done(told[i].owner, say_again(self, told[i].f), (struct span){0});
    free(told);
    if (self->state.code == OK && self->ready != NULL)
        TAKE(self->ready)(self->ready_owner);
}

static void end_errand(struct token_line *self, fault f)
{
    const struct errand errand = self->errand;
    self->errand = (struct errand){.kind = NO_ERRAND};
    if (errand.kind != NO_ERRAND)
        tell_soon(self, f, errand.done, errand.owner);
}

static void take_state(struct token_line *self, fault state, const char *detail)
{
    self->state = state;
    text_format(self->detail, sizeof self->detail, "%s", detail);
    if (failed(state)) {
        fail_all(self, state);
        end_errand(self, state);
    } else if (self->ready != NULL)
        loop_set_timer(self->loop, &self->soon, 0);
}

// --- sending ------------------------------------------------------------------------------------

/* False: it must wait until the socket takes more. */
static bool send_batch(struct token_line *self, const Chaski__KeysBatch *batch)
{
    size_t size = chaski__keys_batch__pack(batch, self->datagram);
    if (send(self->watch.fd, self->datagram, size, MSG_DONTWAIT | MSG_NOSIGNAL) >= 0)
        return true;
    if (!self->blocked) {
        self->blocked = true;
        self->watch.bits = EPOLLIN | EPOLLOUT;
        ignore(loop_rewatch(self->loop, &self->watch));
    }
    return false;
}

static bool send_job(struct token_line *self, uint64_t id)
{
    struct job *job = job_of(self, id);
    Chaski__KeysJob message = CHASKI__KEYS_JOB__INIT, *jobs[1] = {&message};
    Chaski__SignHeader header = CHASKI__SIGN_HEADER__INIT;
    Chaski__KeysBatch batch = CHASKI__KEYS_BATCH__INIT;
    header.content_sha256 = (ProtobufCBinaryData){SHA256_BYTES, job->content.at};
    header.time_ms = job->time_ms;
    if (self->has_certificate)
        header.certificate_sha256 = (ProtobufCBinaryData){SHA256_BYTES, self->certificate.at};
    message.id = id;
    message.work_case = CHASKI__KEYS_JOB__WORK_SIGN_HEADER;
    message.sign_header = &header;
    batch.n_job = 1;
    batch.job = jobs;
    return send_batch(self, &batch);
}

static void ask_state(struct token_line *self)
{
    Chaski__KeysBatch batch = CHASKI__KEYS_BATCH__INIT;
    batch.ask_token = true;
    if (!self->blocked)
        (void)send_batch(self, &batch); /* asked again at the next look */
}

/* Borrowed while it is packed. */
struct errand_work {
    Chaski__RequestRenewal request;
    Chaski__ApproveRenewal approval;
    Chaski__TakeCertificate take;
};

static void fill_errand(const struct errand *errand, struct errand_work *work,
                        Chaski__KeysJob *message)
{
    ProtobufCBinaryData content = {errand->content.size, (uint8_t *)(uintptr_t)errand->content.at};
    chaski__request_renewal__init(&work->request);
    chaski__approve_renewal__init(&work->approval);
    chaski__take_certificate__init(&work->take);
    message->id = errand->id;
    if (errand->kind == REQUEST) {
        message->work_case = CHASKI__KEYS_JOB__WORK_REQUEST_RENEWAL;
        message->request_renewal = &work->request;
    } else if (errand->kind == APPROVE) {
        work->approval.instance = (char *)(uintptr_t)errand->instance;
        work->approval.act = content;
        message->work_case = CHASKI__KEYS_JOB__WORK_APPROVE_RENEWAL;
        message->approve_renewal = &work->approval;
    } else {
        work->take.certificate = content;
        message->work_case = CHASKI__KEYS_JOB__WORK_TAKE_CERTIFICATE;
        message->take_certificate = &work->take;
    }
}

/* Another key takes over when nothing is under way that is signed by the present one. */
static void send_errand(struct token_line *self)
{
    struct errand *errand = &self->errand;
    struct errand_work work;
    Chaski__KeysJob message = CHASKI__KEYS_JOB__INIT, *jobs[1] = {&message};
    Chaski__KeysBatch batch = CHASKI__KEYS_BATCH__INIT;
    if (errand->kind == NO_ERRAND || errand->sent || self->blocked ||
        (errand->kind == TAKE && self->first != self->sent))
        return;
    fill_errand(errand, &work, &message);
    batch.n_job = 1;
    batch.job = jobs;
    errand->sent = send_batch(self, &batch);
}

static void send_rest(struct token_line *self)
{
    while (!self->blocked && self->errand.kind != TAKE && self->sent != self->next &&
           send_job(self, self->sent))
        self->sent++;
    send_errand(self);
}

void token_line_sign_header(struct token_line *self, const struct sha256 *content, int64_t time_ms,
                            keys_done *done, void *owner)
{
    if (failed(self->state)) {
        tell_soon(self, self->state, done, owner);
        return;
    }
    if (waiting(self) == TOKEN_JOBS_MAX) {
        tell_soon(self, (fault){OVERLOADED}, done, owner);
        return;
    }
    *job_of(self, self->next++) = (struct job){.since_ms = clock_steady_ms(),
                                               .content = *content,
                                               .time_ms = (uint64_t)time_ms,
                                               .done = done,
                                               .owner = owner};
    send_rest(self);
}

static void begin_errand(struct token_line *self, struct errand errand)
{
    fault f = self->state;
    if (!failed(f) && self->errand.kind != NO_ERRAND)
        f.code = OVERLOADED;
    if (!failed(f) && errand.content.size > RENEWAL_ACT_BYTES_MAX)
        f.code = BODY_TOO_LARGE;
    if (failed(f)) {
        tell_soon(self, f, errand.done, errand.owner);
        return;
    }
    random_fill((uint8_t *)&errand.id, sizeof errand.id);
    errand.since_ms = clock_steady_ms();
    self->errand = errand;
    send_rest(self);
}

void token_line_use_certificate(struct token_line *self, const struct sha256 *hash)
{
    self->certificate = *hash;
    self->has_certificate = true;
}

void token_line_request_renewal(struct token_line *self, keys_done *done, void *owner)
{
    begin_errand(self, (struct errand){.kind = REQUEST, .done = done, .owner = owner});
}

void token_line_approve_renewal(struct token_line *self, const char *instance, struct span act,
                                keys_done *done, void *owner)
{
    begin_errand(
        self,
        (struct errand){
            .kind = APPROVE, .instance = instance, .content = act, .done = done, .owner = owner});
}

void token_line_take_certificate(struct token_line *self, struct span der, keys_done *done,
                                 void *owner)
{
    begin_errand(self, (struct errand){.kind = TAKE, .content = der, .done = done, .owner = owner});
}

// --- answers ------------------------------------------------------------------------------------

/* In the order of asking, for each header names the head of our log as it was when it was asked
 * for: a later head must not stand before an earlier one. */
static void deliver(struct token_line *self)
{
    while (self->first != self->next && job_of(self, self->first)->answered) {
        const struct job job = *job_of(self, self->first++); /* `done` may ask for more */
        fault f = failed(job.f) ? say_again(self, job.f) : DONE;
        job.done(job.owner, f, span_of(job.signature, job.size));
    }
    send_errand(self);
}

static fault fault_of(const Chaski__KeysResult *result)
{
    return (fault){fault_known(result->fault) ? (enum fault_code)result->fault : INTERNAL};
}

/* What waited behind it is sent when whoever is told has decided what is used. */
static bool take_errand(struct token_line *self, const Chaski__KeysResult *result)
{
    const struct errand errand = self->errand;
    if (errand.kind == NO_ERRAND || !errand.sent || result->id != errand.id)
        return false;
    fault f = fault_of(result);
    if (failed(f))
        f = RAISE(f.code, "the token's process did not do it; its events say why");
    errand.done(errand.owner, f, span_of(result->result.data, result->result.len));
    self->errand = (struct errand){.kind = NO_ERRAND};
    send_rest(self);
    return true;
}

static void take_result(struct token_line *self, const Chaski__KeysResult *result)
{
    struct job *job = job_of(self, result->id);
    if (take_errand(self, result))
        return;
    if (result->id - self->first >= waiting(self) || job->answered)
        return; /* of an earlier process, or nobody waits for it any more */
    job->answered = true;
    job->size = result->result.len;
    job->f = fault_of(result);
    if (job->size > sizeof job->signature)
        job->f = (fault){INTERNAL};
    else
        memcpy(job->signature, result->result.data, job->size);
    if (failed(job->f))
        job->size = 0;
}

static void take_datagram(struct token_line *self, size_t size)
{
    Chaski__KeysBatch *batch = chaski__keys_batch__unpack(NULL, size, self->datagram);
    if (batch == NULL) {
        EVENT(ERROR, "token.answer_refused", E_NUMBER("bytes", size));
        return;
    }
    if (batch->token != NULL)
        take_state(self,
                   (fault){batch->token->fault == OK           ? OK
                           : batch->token->fault == TOKEN_AWAY ? TOKEN_AWAY
                                                               : TOKEN_REFUSED},
                   batch->token->detail);
    for (size_t i = 0; i < batch->n_result; i++)
        take_result(self, batch->result[i]);
    deliver(self);
    chaski__keys_batch__free_unpacked(batch, NULL);
}

static void on_ready(struct loop_watch *watch, uint32_t bits)
{
    struct token_line *self = watch->owner;
    if ((bits & EPOLLOUT) != 0) {
        self->blocked = false;
        self->watch.bits = EPOLLIN;
        ignore(loop_rewatch(self->loop, &self->watch));
        send_rest(self);
    }
    for (;;) {
        ssize_t got = recv(watch->fd, self->datagram, sizeof self->datagram, MSG_DONTWAIT);
        if (got <= 0)
            return; /* the supervisor holds the other end too: it does not close */
        take_datagram(self, (size_t)got);
    }
}

// --- waits --------------------------------------------------------------------------------------

/* An answer that comes later is nobody's; headers that waited behind it go on. */
static void look_at_errand(struct token_line *self)
{
    const struct errand *errand = &self->errand;
    int64_t most_ms = errand->kind == TAKE ? TOKEN_TAKE_WAIT_MS : TOKEN_ERRAND_WAIT_MS;
    if (errand->kind == NO_ERRAND || clock_steady_ms() - errand->since_ms <= most_ms)
        return;
    end_errand(self, (fault){TOKEN_AWAY});
    send_rest(self);
}

/* A process that died, or a module that hangs, says nothing: its jobs end here. */
static void on_look(struct loop_timer *timer)
{
    struct token_line *self = timer->owner;
    bool silent = waiting(self) > 0 &&
                  clock_steady_ms() - job_of(self, self->first)->since_ms > TOKEN_WAIT_MS;
    if (silent) {
        take_state(self, (fault){TOKEN_AWAY}, "the token did not answer in time");
        EVENT(ERROR, "token.silent", E_MS("for_ms", TOKEN_WAIT_MS));
    }
    look_at_errand(self);
    if (failed(self->state))
        ask_state(self);
    loop_set_timer(self->loop, &self->look, TOKEN_LOOK_MS);
}

fault token_line_open(struct loop *loop, int fd, struct token_line **out)
{
    OWNED(token_line) self = owned_new(sizeof *self);
    self->loop = loop;
    self->watch = (struct loop_watch){.fd = fd, .bits = EPOLLIN, .ready = on_ready, .owner = self};
    TRY(loop_watch(loop, &self->watch));
    random_fill((uint8_t *)&self->first, sizeof self->first);
    self->sent = self->next = self->first;
    self->look = (struct loop_timer){.fire = on_look, .owner = self};
    self->soon = (struct loop_timer){.fire = on_soon, .owner = self};
    take_state(self, (fault){TOKEN_AWAY}, "it is not known yet whether the token signs");
    loop_set_timer(loop, &self->look, 0);
    *out = TAKE(self);
    return DONE;
}

void token_line_free(struct token_line **self)
{
    if (*self == NULL)
        return;
    loop_stop_timer((*self)->loop, &(*self)->look);
    loop_stop_timer((*self)->loop, &(*self)->soon);
    free((*self)->told);
    free(*self);
    *self = NULL;
}

// --- state --------------------------------------------------------------------------------------

fault token_line_check(const struct token_line *self)
{
    return self == NULL ? DONE : state_fault(self);
}

fault token_line_room(const struct token_line *self)
{
    TRY(token_line_check(self));
    return self != NULL && waiting(self) >= TOKEN_JOBS_NEW_MAX
               ? RAISE(OVERLOADED, "%zu headers wait for this server's token", waiting(self))
               : DONE;
}

const char *token_line_detail(const struct token_line *self)
{
    return self == NULL ? "" : self->detail;
}

const char *token_line_remedy(enum fault_code code)
{
    return code == TOKEN_AWAY || code == TOKEN_REFUSED
               ? "tell the operator of this server; nothing was sent, and the same request can be "
                 "made again when the server signs"
               : "";
}

void token_line_wait(struct token_line *self, void (*ready)(void *owner), void *owner)
{
    self->ready = ready;
    self->ready_owner = owner;
    if (self->state.code == OK)
        loop_set_timer(self->loop, &self->soon, 0);
}
