// SPDX-License-Identifier: MIT
#include "security-server/token/token_crew.h"

#include "lib/base/clock.h"
#include "lib/base/event.h"
#include "lib/base/text.h"

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

struct worker {
    pthread_t thread;
    bool runs;
    struct token_crew *crew;
    struct token_session *session;
    struct token_signers signers;
    struct token_unanswered work;
    _Atomic int64_t busy_since_ms; /* in the module; 0: not */
    /* when it has ended */
    bool closed;
    fault why;
    char detail[TOKEN_DETAIL_BYTES_MAX];
};

struct token_crew {
    int line;
    int stop, ended; /* eventfds: all shall end; one has ended */
    struct token_tools tools;
    size_t count;
    struct worker worker[TOKEN_SESSIONS_MAX];
};

static fault sign(void *owner, const uint8_t digest[32], uint8_t out[P256_SIGNATURE_BYTES_MAX],
                  size_t *size)
{
    struct worker *self = owner;
    atomic_store(&self->busy_since_ms, clock_steady_ms());
    fault f = token_session_sign(self->session, digest, out, size);
    atomic_store(&self->busy_since_ms, 0);
    return f;
}

static fault sign_next(void *owner, const uint8_t digest[32], uint8_t out[P256_SIGNATURE_BYTES_MAX],
                       size_t *size)
{
    struct worker *self = owner;
    atomic_store(&self->busy_since_ms, clock_steady_ms());
    fault f = token_session_sign_added(self->session, digest, out, size);
    atomic_store(&self->busy_since_ms, 0);
    return f;
}

// --- one thread ----------------------------------------------------------------------------------

static fault send_all(int line, struct span datagram)
{
    for (;;) {
        ssize_t sent = send(line, datagram.at, datagram.size, MSG_NOSIGNAL);
        if (sent == (ssize_t)datagram.size)
            return DONE;
        if (sent >= 0 || errno != EINTR)
            return RAISE(IO_FAILED, "the line to the exchange: %s", strerror(errno));
    }
}

/* A fault of the token leaves the datagram unanswered. */
static fault answer(struct worker *self)
{
    OWNED(bytes) out = NULL;
    bool may_reload =
        self->work.tries == 0 && clock_steady_ms() >= self->crew->tools.reload_from_ms;
    fault f = token_desk_answer(self->crew->tools.desk, &self->signers, may_reload,
                                span_of(self->work.data, self->work.size), &out);
    if (f.code == BAD_FRAME) {
        EVENT(ERROR, "token.message_refused", E_FAULT(f));
    } else if (failed(f)) {
        self->work.tries++;
        return f;
    }
    self->work.size = 0;
    self->work.tries = 0;
    return out == NULL ? DONE : send_all(self->crew->line, bytes_span(out));
}

static fault take(struct worker *self)
{
    ssize_t got =
        recv(self->crew->line, self->work.data, sizeof self->work.data, MSG_DONTWAIT | MSG_TRUNC);
    if (got < 0 && (errno == EAGAIN || errno == EINTR))
        return DONE; /* another one was faster */
    if (got < 0)
        return RAISE(IO_FAILED, "the line to the exchange: %s", strerror(errno));
    self->closed = got == 0;
    if ((size_t)got > sizeof self->work.data) {
        EVENT(ERROR, "token.message_refused", E_NUMBER("bytes", got));
        return DONE;
    }
    self->work.size = (size_t)got;
    return DONE;
}

/* Until the line closes, all are told to end, or something fails. */
static fault work(struct worker *self)
{
    struct pollfd wait[2] = {{.fd = self->crew->stop, .events = POLLIN},
                             {.fd = self->crew->line, .events = POLLIN}};
    while (!self->closed) {
        if (self->work.size > 0)
            TRY(answer(self));
        int ready = poll(wait, 2, TOKEN_PROBE_MS);
        if (ready < 0 && errno != EINTR)
            return RAISE(IO_FAILED, "waiting for the exchange: %s", strerror(errno));
        if (ready > 0 && wait[0].revents != 0)
            return DONE;
        if (ready > 0 && wait[1].revents != 0)
            TRY(take(self));
        else if (ready == 0)
            TRY(token_desk_try(self->crew->tools.desk, &self->signers));
    }
    return DONE;
}

static void raise_flag(int eventfd)
{
    static const uint64_t one = 1;
    if (write(eventfd, &one, sizeof one) != sizeof one)
        abort(); /* an eventfd of our own that takes no 1 */
}

static void *run(void *owner)
{
    struct worker *self = owner;
    self->why = work(self);
    if (failed(self->why))
        text_format(self->detail, sizeof self->detail, "%s", fault_detail());
    raise_flag(self->crew->ended);
    return NULL;
}

// --- all ----------------------------------------------------------------------------------------

static fault open_sessions(struct token_crew *self)
{
    const struct token_tools *tools = &self->tools;
    for (size_t i = 0; i < self->count; i++) {
        struct worker *worker = &self->worker[i];
        worker->crew = self;
        worker->signers = (struct token_signers){{sign, worker}, {sign_next, worker}};
        TRY(token_session_open(tools->token, &worker->session));
        if (tools->next != NULL)
            TRY(token_session_add(worker->session, tools->next));
    }
    return token_desk_try(tools->desk, &self->worker[0].signers);
}

static fault start_threads(struct token_crew *self)
{
    for (size_t i = 0; i < self->count; i++) {
        struct worker *worker = &self->worker[i];
        if (pthread_create(&worker->thread, NULL, run, worker) != 0)
            return RAISE(NO_MEMORY, "no thread for a session");
        worker->runs = true;
    }
    return DONE;
}

fault token_crew_start(int line, const struct token_tools *tools, size_t count,
                       const struct token_unanswered unanswered[TOKEN_SESSIONS_MAX],
                       struct token_crew **out)
{
    struct token_crew *self = owned_new(sizeof *self);
    self->line = line;
    self->tools = *tools;
    self->count = count;
    self->stop = eventfd(0, EFD_CLOEXEC);
    self->ended = eventfd(0, EFD_CLOEXEC);
    fault f =
        self->stop < 0 || self->ended < 0 ? RAISE(IO_FAILED, "eventfd: %m") : open_sessions(self);
    for (size_t i = 0; !failed(f) && i < count; i++)
        self->worker[i].work = unanswered[i];
    if (!failed(f))
        f = start_threads(self);
    if (failed(f))
        token_crew_end(&self, NULL);
    else
        *out = self;
    return f;
}

/* One thread's wait for the module may be as long as a token takes; for ever it may not. */
static void leave_when_hanging(const struct token_crew *self)
{
    int64_t now_ms = clock_steady_ms();
    for (size_t i = 0; i < self->count; i++) {
        int64_t since_ms = atomic_load(&self->worker[i].busy_since_ms);
        if (since_ms != 0 && now_ms - since_ms > TOKEN_HANG_S * 1000LL) {
            EVENT(ERROR, "token.module_hangs", E_NUMBER("seconds", (now_ms - since_ms) / 1000));
            _exit(1);
        }
    }
}

static fault why_of(const struct token_crew *self)
{
    for (size_t i = 0; i < self->count; i++)
        if (failed(self->worker[i].why))
            return RAISE(self->worker[i].why.code, "%s", self->worker[i].detail);
    return DONE;
}

/* Threads that have not ended yet write no `why`: all are told to end and joined first. */
static void join_all(struct token_crew *self)
{
    raise_flag(self->stop);
    alarm(TOKEN_HANG_S);
    for (size_t i = 0; i < self->count; i++)
        if (self->worker[i].runs) {
            pthread_join(self->worker[i].thread, NULL);
            self->worker[i].runs = false;
        }
    alarm(0);
}

fault token_crew_wait(struct token_crew *self)
{
    struct pollfd wait = {.fd = self->ended, .events = POLLIN};
    while (poll(&wait, 1, TOKEN_LOOK_MS) <= 0)
        leave_when_hanging(self);
    join_all(self);
    return why_of(self);
}

void token_crew_end(struct token_crew **self, struct token_unanswered out[TOKEN_SESSIONS_MAX])
{
    if (*self == NULL)
        return;
    struct token_crew *crew = *self;
    if (crew->stop >= 0)
        join_all(crew);
    for (size_t i = 0; i < crew->count; i++) {
        token_session_free(&crew->worker[i].session);
        if (out != NULL)
            out[i] = crew->worker[i].work;
    }
    if (crew->stop >= 0)
        close(crew->stop);
    if (crew->ended >= 0)
        close(crew->ended);
    free(crew);
    *self = NULL;
}
