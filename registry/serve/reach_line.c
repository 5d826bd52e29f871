// SPDX-License-Identifier: MIT
#include "registry/serve/reach_line.h"

#include "lib/base/text.h"
#include "registry/errand.h"
#include "registry/serve/datagram.h"

#include "registry.pb-c.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#define QUESTION_BYTES_MAX \
    (REGISTRY_ENROLMENT_BYTES_MAX + 4096) /* as many addresses as fit there */
#define ANSWER_BYTES_MAX 4096
#define START_WAIT_MS 5000

// --- the process that has it done ---------------------------------------------------------------

static_assert(sizeof(struct reach) <= ERRAND_RESULT_BYTES_MAX, "it comes back through a pipe");

static fault call(void *owner, void *result)
{
    return reach_call(owner, result);
}

static void have_called(const struct reach_ask *ask, struct reach *out)
{
    const struct errand errand = {.work = call,
                                  .owner = (void *)(uintptr_t)ask,
                                  .event = "request.call_failed",
                                  .wait_ms = REACH_CALL_MS};
    if (!failed(errand_run(&errand, out, sizeof *out)))
        return;
    *out = (struct reach){.all = false};
    text_format(out->ipv4, sizeof out->ipv4, "not tried: the call was not ended");
    text_format(out->ipv6, sizeof out->ipv6, "%s", out->ipv4);
}

static fault answer(const Chaski__ReachAsk *question, bool private_too, int fd)
{
    struct reach_ask ask = {.addresses = question->n_address, .private_too = private_too};
    struct reach seen;
    uint8_t packed[ANSWER_BYTES_MAX];
    Chaski__ReachAnswer reply = CHASKI__REACH_ANSWER__INIT;
    if (question->n_address > DIRECTORY_ADDRESSES_MAX ||
        question->transport_key.len != sizeof ask.transport_key)
        return RAISE(INTERNAL, "a question in another language");
    for (size_t i = 0; i < ask.addresses; i++)
        ask.address[i] = question->address[i];
    memcpy(ask.transport_key, question->transport_key.data, sizeof ask.transport_key);
    have_called(&ask, &seen);
    reply.answered = true;
    reply.ipv4 = seen.ipv4;
    reply.ipv6 = seen.ipv6;
    reply.all = seen.all;
    size_t size = chaski__reach_answer__get_packed_size(&reply);
    if (size > sizeof packed)
        return RAISE(INTERNAL, "an answer of %zu bytes", size);
    chaski__reach_answer__pack(&reply, packed);
    return datagram_send(fd, span_of(packed, size));
}

static fault run(void *owner, int fd)
{
    static uint8_t room[QUESTION_BYTES_MAX];
    const bool *private_too = owner;
    TRY(datagram_send(fd, span_of_text("!")));
    for (;;) {
        struct span received;
        TRY(datagram_receive(fd, room, sizeof room, &received));
        if (received.size == 0)
            return DONE;
        Chaski__ReachAsk *question = chaski__reach_ask__unpack(NULL, received.size, received.at);
        fault f = question == NULL ? RAISE(INTERNAL, "a question in another language")
                                   : answer(question, *private_too, fd);
        if (question != NULL)
            chaski__reach_ask__free_unpacked(question, NULL);
        TRY(f);
    }
}

// --- the other end ------------------------------------------------------------------------------

#define WHO "the process that calls agencies back"

struct reach_line {
    int fd;
    pid_t pid;
};

void reach_line_free(struct reach_line **owner)
{
    struct reach_line *self = *owner;
    *owner = NULL;
    if (self == NULL)
        return;
    datagram_stop(&self->fd, &self->pid, 0);
    free(self);
}

int reach_line_fd(const struct reach_line *self)
{
    return self->fd;
}

fault reach_line_start(bool private_too, struct reach_line **out)
{
    OWNED(reach_line) self = owned_new(sizeof *self);
    const struct datagram_child child = {"chaski-callback", run, &private_too};
    uint8_t ready[8];
    struct span received;
    self->fd = -1;
    TRY(datagram_start(&child, &self->fd, &self->pid));
    TRY(datagram_await(self->fd, START_WAIT_MS, WHO, ready, sizeof ready, &received));
    *out = TAKE(self);
    return DONE;
}

fault reach_line_begin(struct reach_line *self, const struct reach_ask *ask)
{
    Chaski__ReachAsk question = CHASKI__REACH_ASK__INIT;
    char *address[DIRECTORY_ADDRESSES_MAX];
    uint8_t packed[QUESTION_BYTES_MAX];
    for (size_t i = 0; i < ask->addresses; i++)
        address[i] = (char *)(uintptr_t)ask->address[i];
    question.n_address = ask->addresses;
    question.address = address;
    question.transport_key =
        (ProtobufCBinaryData){sizeof ask->transport_key, (uint8_t *)(uintptr_t)ask->transport_key};
    size_t size = chaski__reach_ask__get_packed_size(&question);
    if (size > sizeof packed)
        return RAISE(INTERNAL, "addresses of %zu bytes", size);
    chaski__reach_ask__pack(&question, packed);
    return datagram_send(self->fd, span_of(packed, size));
}

fault reach_line_take(struct reach_line *self, struct reach *out)
{
    uint8_t packed[ANSWER_BYTES_MAX];
    struct span received;
    TRY(datagram_await(self->fd, 0, WHO, packed, sizeof packed, &received));
    Chaski__ReachAnswer *got = chaski__reach_answer__unpack(NULL, received.size, received.at);
    if (got == NULL)
        return RAISE(INTERNAL, WHO " speaks another language");
    *out = (struct reach){.all = got->all};
    text_format(out->ipv4, sizeof out->ipv4, "%s", got->ipv4);
    text_format(out->ipv6, sizeof out->ipv6, "%s", got->ipv6);
    chaski__reach_answer__free_unpacked(got, NULL);
    return DONE;
}
