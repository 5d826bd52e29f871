// SPDX-License-Identifier: MIT
/*
 * front_peer - stands where a gateway stands, without HTTP: for tests and measurements.
 *
 *   front_peer serve ADDRESS SUBSYSTEM            answers every call with the payload it brought
 *   front_peer ask ADDRESS CLIENT SERVICE COUNT IN_FLIGHT [PURPOSE]
 *                                                 asks, prints outcomes and rate
 */
#include "lib/base/clock.h"
#include "lib/base/text.h"
#include "lib/crypto/random.h"
#include "lib/net/socket.h"

#include "front.pb-c.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

struct peer {
    struct loop *loop;
    struct socket *socket;
    struct loop_timer beat;
    char *subsystem; /* serving */
    const char *client, *service, *purpose;
    uint64_t count, in_flight, next, done, served;
    uint64_t faults[128];
    int64_t *asked_us, *took_us;
    int64_t started_us;
    bool welcome;
};

static bool send_front(struct peer *self, const Chaski__FrontMessage *message, struct span payload,
                       bool has_payload)
{
    uint8_t packed[8192];
    size_t size = chaski__front_message__pack(message, packed);
    struct span frames[] = {span_of(packed, size), payload};
    return !failed(socket_send(self->socket, (struct span){0}, frames, has_payload ? 2 : 1));
}

static void ask_one(struct peer *self)
{
    Chaski__FrontMessage message = CHASKI__FRONT_MESSAGE__INIT;
    Chaski__Ask ask = CHASKI__ASK__INIT;
    Chaski__Want want = CHASKI__WANT__INIT;
    uint8_t id[16];
    static const uint8_t payload[300];
    random_fill(id, sizeof id);
    want.client = (char *)(uintptr_t)self->client;
    want.service = (char *)(uintptr_t)self->service;
    want.purpose = (char *)(uintptr_t)self->purpose;
    want.wait_ms = 10000;
    want.exchange_id = (ProtobufCBinaryData){sizeof id, id};
    ask.ask = self->next;
    ask.want = &want;
    message.body_case = CHASKI__FRONT_MESSAGE__BODY_ASK;
    message.ask = &ask;
    if (send_front(self, &message, span_of(payload, sizeof payload), true))
        self->asked_us[self->next++] = clock_steady_us();
}

static int by_time(const void *a, const void *b)
{
    int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;
    return x < y ? -1 : x > y;
}

static void report(struct peer *self)
{
    double seconds = (double)(clock_steady_us() - self->started_us) / 1e6;
    qsort(self->took_us, self->count, sizeof *self->took_us, by_time);
    printf("asked %" PRIu64 " in %.3f s: %.0f a second; p50 %" PRId64 " us, p99 %" PRId64 " us\n",
           self->count, seconds, (double)self->count / seconds, self->took_us[self->count / 2],
           self->took_us[self->count * 99 / 100]);
    for (unsigned i = 0; i < 128; i++)
        if (self->faults[i] > 0)
            printf("  %-20s %" PRIu64 "\n", fault_name((enum fault_code)i), self->faults[i]);
}

static void take_answer(struct peer *self, const Chaski__Answer *answer)
{
    unsigned code = answer->problem == NULL ? 0 : answer->problem->fault;
    if (code != 0 && code < 128 && self->faults[code] == 0)
        fprintf(stderr, "%s: %s [%s] %s\n", fault_name((enum fault_code)code), answer->problem->detail,
                answer->problem->rule, answer->problem->remedy);
    self->faults[code < 128 ? code : 127]++;
    self->took_us[self->done++] = clock_steady_us() - self->asked_us[answer->ask];
    if (self->done == self->count) {
        report(self);
        loop_stop(self->loop);
    } else if (self->next < self->count) {
        ask_one(self);
    }
}

static void take_call(struct peer *self, const Chaski__Call *call, struct span payload)
{
    Chaski__FrontMessage message = CHASKI__FRONT_MESSAGE__INIT;
    Chaski__Done done = CHASKI__DONE__INIT;
    done.call = call->call;
    done.status = 200;
    message.body_case = CHASKI__FRONT_MESSAGE__BODY_DONE;
    message.done = &done;
    self->served++;
    send_front(self, &message, payload, true);
}

static void on_message(void *owner, const struct message *message)
{
    struct peer *self = owner;
    Chaski__FrontMessage *front =
        chaski__front_message__unpack(NULL, message->frame[0].size, message->frame[0].at);
    if (front == NULL)
        return;
    if (front->body_case == CHASKI__FRONT_MESSAGE__BODY_WELCOME && !self->welcome) {
        self->welcome = true;
        self->started_us = clock_steady_us();
        for (uint64_t i = 0; i < self->in_flight && self->next < self->count; i++)
            ask_one(self);
    } else if (front->body_case == CHASKI__FRONT_MESSAGE__BODY_ANSWER) {
        take_answer(self, front->answer);
    } else if (front->body_case == CHASKI__FRONT_MESSAGE__BODY_CALL) {
        take_call(self, front->call, message->count > 1 ? message->frame[1] : (struct span){0});
    }
    chaski__front_message__free_unpacked(front, NULL);
}

static void say_hello(struct loop_timer *timer)
{
    struct peer *self = timer->owner;
    Chaski__FrontMessage message = CHASKI__FRONT_MESSAGE__INIT;
    Chaski__Hello hello = CHASKI__HELLO__INIT;
    hello.version = 1;
    hello.gateway = (char *)(uintptr_t)"front_peer";
    hello.n_subsystem = self->subsystem != NULL ? 1 : 0;
    hello.subsystem = &self->subsystem;
    message.body_case = CHASKI__FRONT_MESSAGE__BODY_HELLO;
    message.hello = &hello;
    bool sent = send_front(self, &message, (struct span){0}, false);
    loop_set_timer(self->loop, &self->beat, sent ? 500 : 20);
}

static fault run(int argc, char **argv)
{
    struct peer self = {.purpose = ""};
    struct net *net = NULL;
    struct socket_options options = {
        .kind = SOCKET_DEALER, .queue_messages = 100000, .message_bytes_max = 1 << 28};
    if (argc == 4 && strcmp(argv[1], "serve") == 0) {
        self.subsystem = argv[3];
    } else if (argc >= 7 && strcmp(argv[1], "ask") == 0) {
        self.client = argv[3];
        self.service = argv[4];
        TRY(text_number(span_of_text(argv[5]), 10000000, &self.count));
        TRY(text_number(span_of_text(argv[6]), 100000, &self.in_flight));
        if (argc > 7)
            self.purpose = argv[7];
        self.asked_us = owned_array(self.count, sizeof *self.asked_us);
        self.took_us = owned_array(self.count, sizeof *self.took_us);
    } else {
        return RAISE(BAD_REQUEST, "serve ADDRESS SUBSYSTEM | ask ADDRESS CLIENT SERVICE COUNT IN_FLIGHT");
    }
    TRY(loop_new(&self.loop));
    TRY(net_new(self.loop, &net));
    TRY(socket_open(net, &options, on_message, &self, &self.socket));
    TRY(socket_connect(self.socket, argv[2]));
    self.beat = (struct loop_timer){.fire = say_hello, .owner = &self};
    loop_set_timer(self.loop, &self.beat, 0);
    TRY(loop_run(self.loop));
    free(self.asked_us);
    free(self.took_us);
    socket_close(&self.socket);
    net_free(&net);
    loop_free(&self.loop);
    return DONE;
}

int main(int argc, char **argv)
{
    fault f = run(argc, argv);
    if (failed(f))
        fprintf(stderr, "front_peer: %s\n", fault_detail());
    return failed(f) ? 1 : 0;
}
