// SPDX-License-Identifier: MIT
#include "registry/serve/stamp_line.h"

#include "lib/base/clock.h"
#include "lib/base/cursor.h"
#include "lib/base/jail.h"
#include "lib/bus/limits.h"
#include "registry/serve/datagram.h"
#include "registry/stamping.h"

#include <stdlib.h>

#define SERIAL_BYTES 8
#define QUESTION_BYTES_MAX (SERIAL_BYTES + STAMP_REQUEST_BYTES_MAX)
#define ANSWER_BYTES_MAX (1 + STAMP_RESPONSE_BYTES_MAX)

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
    return datagram_send(fd, bytes_span(datagram));
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

static fault run(void *owner, int fd)
{
    const char *store = owner;
    static uint8_t question[QUESTION_BYTES_MAX];
    OWNED(stamper) stamper = NULL;
    uint64_t last = 0;
    TRY(stamping_load(store, &stamper));
    TRY(warm_up(stamper));
    TRY(jail_enter(JAIL_KEYS));
    TRY(datagram_send(fd, span_of_text("!")));
    for (;;) {
        struct span received;
        TRY(datagram_receive(fd, question, sizeof question, &received));
        if (received.size == 0)
            return DONE;
        TRY(answer(stamper, fd, received, &last));
    }
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
    datagram_stop(&self->fd, &self->pid, 0); /* it keeps nothing; a hanging one would hang us */
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
    return datagram_await(self->fd, REGISTRY_STAMP_WAIT_MS, "the process that stamps", self->answer,
                          sizeof self->answer, out);
}

fault stamp_line_start(const char *store, struct stamp_line **out)
{
    OWNED(stamp_line) self = owned_new(sizeof *self);
    const struct datagram_child child = {"chaski-stamp", run, (void *)(uintptr_t)store};
    struct span ready;
    self->fd = -1;
    TRY(datagram_start(&child, &self->fd, &self->pid));
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
    TRY(datagram_send(self->fd, bytes_span(question)));
    TRY(receive_answer(self, &received));
    struct cursor left = cursor_over(received);
    if (failed(cursor_take_u8(&left, &found)) || found > STAMP_GARBAGE)
        return RAISE(INTERNAL, "the process that stamps speaks another language");
    TRY(bytes_copy(left.left, response_der));
    *verdict = (enum stamp_verdict)found;
    return DONE;
}
