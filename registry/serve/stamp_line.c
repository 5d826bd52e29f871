// SPDX-License-Identifier: MIT
#include "registry/serve/stamp_line.h"

#include "lib/base/clock.h"
#include "lib/base/cursor.h"
#include "lib/base/event.h"
#include "lib/base/jail.h"
#include "lib/bus/limits.h"
#include "registry/stamping.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#define SERIAL_BYTES 8
#define QUESTION_BYTES_MAX (SERIAL_BYTES + STAMP_REQUEST_BYTES_MAX)
#define ANSWER_BYTES_MAX (1 + STAMP_RESPONSE_BYTES_MAX)

static fault send_datagram(int fd, struct span datagram)
{
    for (;;) {
        ssize_t sent = send(fd, datagram.at, datagram.size, MSG_NOSIGNAL);
        if (sent == (ssize_t)datagram.size)
            return DONE;
        if (sent < 0 && errno == EINTR)
            continue;
        return RAISE(INTERNAL, "the line for time stamps: %m");
    }
}

/* An empty one: the other side has gone. */
static fault receive_datagram(int fd, uint8_t *room, size_t size, struct span *out)
{
    for (;;) {
        ssize_t got = recv(fd, room, size, MSG_TRUNC);
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0 || (size_t)got > size)
            return RAISE(INTERNAL, "the line for time stamps: %m");
        *out = span_of(room, (size_t)got);
        return DONE;
    }
}

// --- the process with the key -------------------------------------------------------------------

static fault answer(struct stamper *stamper, int fd, struct span question, uint64_t *last)
{
    struct cursor left = cursor_over(question);
    enum stamp_verdict verdict = STAMP_GARBAGE;
    uint64_t serial = 0;
    OWNED(bytes) response = NULL;
    OWNED(bytes) datagram = bytes_empty(ANSWER_BYTES_MAX);
    TRY(cursor_take_u64(&left, &serial));
    if (serial <= *last)
        return RAISE(INTERNAL, "a serial number that does not grow");
    *last = serial;
    TRY(stamper_answer(stamper, left.left, clock_wall_ms(), serial, &verdict, &response));
    TRY(bytes_append(datagram, span_of(&(uint8_t){(uint8_t)verdict}, 1)));
    TRY(bytes_append(datagram, bytes_span(response)));
    return send_datagram(fd, bytes_span(datagram));
}

/* What OpenSSL and the C library load when it is first needed must be there before the jail closes:
 * once each way through. The token is of nothing and goes nowhere. */
static fault warm_up(struct stamper *stamper)
{
    static const struct sha256 nothing;
    enum stamp_verdict verdict = STAMP_GARBAGE;
    OWNED(bytes) request = NULL;
    OWNED(bytes) stamped = NULL;
    OWNED(bytes) rejected = NULL;
    uint64_t nonce = 0;
    TRY(stamp_request(&nothing, &request, &nonce));
    TRY(stamper_answer(stamper, bytes_span(request), clock_wall_ms(), 1, &verdict, &stamped));
    if (verdict != STAMP_GRANTED)
        return RAISE(INTERNAL, "the stamper does not stamp");
    return stamper_answer(stamper, span_of_text("-"), clock_wall_ms(), 1, &verdict, &rejected);
}

static fault run(const char *store, int fd)
{
    static uint8_t question[QUESTION_BYTES_MAX];
    OWNED(stamper) stamper = NULL;
    uint64_t last = 0;
    TRY(stamping_load(store, &stamper));
    TRY(warm_up(stamper));
    TRY(jail_enter(JAIL_KEYS));
    TRY(send_datagram(fd, span_of_text("!")));
    for (;;) {
        struct span received;
        TRY(receive_datagram(fd, question, sizeof question, &received));
        if (received.size == 0)
            return DONE;
        TRY(answer(stamper, fd, received, &last));
    }
}

/* Asked to end by the line closing, not by a signal: the server may need stamps to the end. */
static _Noreturn void be_the_process(const char *store, int fd, pid_t parent)
{
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    prctl(PR_SET_NAME, "chaski-stamp");
    if (getppid() != parent)
        _exit(1);
    signal(SIGTERM, SIG_IGN);
    signal(SIGINT, SIG_IGN);
    signal(SIGHUP, SIG_IGN);
    if (fd > 3)
        close_range(3, (unsigned)fd - 1, 0);
    close_range((unsigned)fd + 1, ~0u, 0);
    event_setup("chaski-stamp", INFO);
    fault f = run(store, fd);
    if (failed(f))
        EVENT(ERROR, "stamp.failed", E_FAULT(f));
    _exit(failed(f));
}

// --- the other end ------------------------------------------------------------------------------

struct stamp_line {
    int fd;
    pid_t pid;
    uint8_t answer[ANSWER_BYTES_MAX];
};

void stamp_line_free(struct stamp_line **owner)
{
    struct stamp_line *self = *owner;
    *owner = NULL;
    if (self == NULL)
        return;
    if (self->fd >= 0)
        close(self->fd);
    if (self->pid > 0)
        kill(self->pid, SIGKILL); /* it keeps nothing; a hanging one would hang us */
    while (self->pid > 0 && waitpid(self->pid, NULL, 0) < 0 && errno == EINTR)
        ;
    free(self);
}

int stamp_line_fd(const struct stamp_line *self)
{
    return self->fd;
}

pid_t stamp_line_pid(const struct stamp_line *self)
{
    return self->pid;
}

static fault receive_answer(struct stamp_line *self, struct span *out)
{
    struct pollfd wait = {.fd = self->fd, .events = POLLIN};
    int ready = 0;
    while ((ready = poll(&wait, 1, REGISTRY_STAMP_WAIT_MS)) < 0 && errno == EINTR)
        ;
    if (ready != 1)
        return RAISE(INTERNAL, "the process that stamps does not answer");
    TRY(receive_datagram(self->fd, self->answer, sizeof self->answer, out));
    return out->size == 0 ? RAISE(INTERNAL, "the process that stamps has gone") : DONE;
}

fault stamp_line_start(const char *store, struct stamp_line **out)
{
    OWNED(stamp_line) self = owned_new(sizeof *self);
    struct span ready;
    int pair[2] = {-1, -1};
    pid_t parent = getpid();
    self->fd = -1;
    if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) != 0)
        return RAISE(INTERNAL, "the line for time stamps: %m");
    self->pid = fork();
    if (self->pid == 0)
        be_the_process(store, pair[1], parent);
    close(pair[1]);
    self->fd = pair[0];
    if (self->pid < 0)
        return RAISE(INTERNAL, "starting the process that stamps: %m");
    TRY(receive_answer(self, &ready));
    *out = TAKE(self);
    return DONE;
}

fault stamp_line_ask(struct stamp_line *self, struct span request_der, uint64_t serial,
                     enum stamp_verdict *verdict, struct bytes **response_der)
{
    uint8_t number[SERIAL_BYTES];
    struct span received;
    uint8_t found = 0;
    OWNED(bytes) question = bytes_empty(QUESTION_BYTES_MAX);
    if (request_der.size > STAMP_REQUEST_BYTES_MAX)
        return RAISE(BODY_TOO_LARGE, "a time stamp request of %zu bytes", request_der.size);
    put_u64(number, serial);
    TRY(bytes_append(question, span_of(number, sizeof number)));
    TRY(bytes_append(question, request_der));
    TRY(send_datagram(self->fd, bytes_span(question)));
    TRY(receive_answer(self, &received));
    struct cursor left = cursor_over(received);
    if (failed(cursor_take_u8(&left, &found)) || found > STAMP_GARBAGE)
        return RAISE(INTERNAL, "the process that stamps speaks another language");
    TRY(bytes_copy(left.left, response_der));
    *verdict = (enum stamp_verdict)found;
    return DONE;
}
