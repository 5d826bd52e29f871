// SPDX-License-Identifier: MIT
/*
 * front_peer - stands where a gateway stands, without HTTP: for tests and measurements.
 *
 *   front_peer serve ADDRESS SUBSYSTEM [RECORD]
 *       answers every call with the payload it brought
 *   front_peer ask ADDRESS CLIENT SERVICE COUNT IN_FLIGHT [PURPOSE] [RECORD]
 *       asks, prints outcomes and rate; what is lost with a server that dies counts as lost
 *
 * RECORD: a file that gets a line with the exchange id of every call served, or of every ask that
 * was answered well.
 */
#include "lib/base/clock.h"
#include "lib/base/text.h"
#include "lib/crypto/random.h"
#include "lib/net/socket.h"

#include "front.pb-c.h"

#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

struct peer {
    struct loop *loop;
    struct socket *socket;
    struct loop_timer beat;
    char *subsystem; /* serving */
    const char *client, *service, *purpose;
    uint64_t count, in_flight, next, done;
    uint64_t faults[128], lost;
    int64_t *asked_us, *took_us; /* asked_us 0: over */
    uint8_t (*id)[16];
    int64_t started_us;
    uint64_t run; /* of the server that said welcome; 0: none yet */
    int record;   /* -1: none */
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
    uint8_t *id = self->id[self->next];
    static const uint8_t payload[300];
    random_fill(id, 16);
    want.client = (char *)(uintptr_t)self->client;
    want.service = (char *)(uintptr_t)self->service;
    want.purpose = (char *)(uintptr_t)self->purpose;
    want.wait_ms = 10000;
    want.exchange_id = (ProtobufCBinaryData){16, id};
    ask.ask = self->next;
    ask.want = &want;
    message.body_case = CHASKI__FRONT_MESSAGE__BODY_ASK;
    message.ask = &ask;
    if (send_front(self, &message, span_of(payload, sizeof payload), true))
        self->asked_us[self->next++] = clock_steady_us();
}

static void record(const struct peer *self, const uint8_t id[16])
{
    char line[34];
    if (self->record < 0)
        return;
    text_hex(span_of(id, 16), line, sizeof line);
    line[32] = '\n';
    if (write(self->record, line, 33) != 33)
        abort();
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
    if (self->lost > 0)
        printf("  %-20s %" PRIu64 "\n", "lost", self->lost);
    for (unsigned i = 0; i < 128; i++)
        if (self->faults[i] > 0)
            printf("  %-20s %" PRIu64 "\n", fault_name((enum fault_code)i), self->faults[i]);
}

static void end_ask(struct peer *self, uint64_t ask)
{
    self->took_us[self->done++] = clock_steady_us() - self->asked_us[ask];
    self->asked_us[ask] = 0;
    if (self->done == self->count) {
        report(self);
        loop_stop(self->loop);
    } else if (self->next < self->count) {
        ask_one(self);
    }
}

static void take_answer(struct peer *self, const Chaski__Answer *answer)
{
    unsigned code = answer->problem == NULL ? 0 : answer->problem->fault;
    if (answer->ask >= self->next || self->asked_us[answer->ask] == 0)
        return;
    if (code != 0 && code < 128 && self->faults[code] == 0)
        fprintf(stderr, "%s: %s [%s] %s\n", fault_name((enum fault_code)code),
                answer->problem->detail, answer->problem->rule, answer->problem->remedy);
    self->faults[code < 128 ? code : 127]++;
    if (code == 0)
        record(self, self->id[answer->ask]);
    end_ask(self, answer->ask);
}

/* A new server knows nothing of what the old one was asked. */
static void take_welcome(struct peer *self, uint64_t run)
{
    if (self->run == run || self->count == 0)
        return;
    bool first = self->run == 0;
    self->run = run;
    uint64_t asked = self->next;
    for (uint64_t i = 0; !first && i < asked && self->done < self->count; i++)
        if (self->asked_us[i] != 0) {
            self->lost++;
            end_ask(self, i);
        }
    if (first)
        self->started_us = clock_steady_us();
    while (self->next - self->done < self->in_flight && self->next < self->count) {
        uint64_t before = self->next;
        ask_one(self);
        if (self->next == before)
            break;
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
    if (call->exchange_id.len == 16)
        record(self, call->exchange_id.data);
    send_front(self, &message, payload, true);
}

static void on_message(void *owner, const struct message *message)
{
    struct peer *self = owner;
    Chaski__FrontMessage *front =
        chaski__front_message__unpack(NULL, message->frame[0].size, message->frame[0].at);
    if (front == NULL)
        return;
    if (front->body_case == CHASKI__FRONT_MESSAGE__BODY_WELCOME) {
        take_welcome(self, front->welcome->run);
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
    hello.gateway = (char *)(uintptr_t) "front_peer";
    hello.n_subsystem = self->subsystem != NULL ? 1 : 0;
    hello.subsystem = &self->subsystem;
    message.body_case = CHASKI__FRONT_MESSAGE__BODY_HELLO;
    message.hello = &hello;
    bool sent = send_front(self, &message, (struct span){0}, false);
    loop_set_timer(self->loop, &self->beat, sent ? 100 : 10);
}

static fault open_record(struct peer *self, const char *path)
{
    self->record = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
    return self->record < 0 ? RAISE(IO_FAILED, "%s cannot be written", path) : DONE;
}

static fault run(int argc, char **argv)
{
    struct peer self = {.purpose = "", .record = -1};
    struct net *net = NULL;
    struct socket_options options = {
        .kind = SOCKET_DEALER, .queue_messages = 100000, .message_bytes_max = 1 << 28};
    if (argc >= 4 && strcmp(argv[1], "serve") == 0) {
        self.subsystem = argv[3];
        if (argc > 4)
            TRY(open_record(&self, argv[4]));
    } else if (argc >= 7 && strcmp(argv[1], "ask") == 0) {
        self.client = argv[3];
        self.service = argv[4];
        TRY(text_number(span_of_text(argv[5]), 10000000, &self.count));
        TRY(text_number(span_of_text(argv[6]), 100000, &self.in_flight));
        if (argc > 7)
            self.purpose = argv[7];
        if (argc > 8)
            TRY(open_record(&self, argv[8]));
        self.id = owned_array(self.count, sizeof *self.id);
        self.asked_us = owned_array(self.count, sizeof *self.asked_us);
        self.took_us = owned_array(self.count, sizeof *self.took_us);
    } else {
        return RAISE(BAD_REQUEST,
                     "serve ADDRESS SUBSYSTEM | ask ADDRESS CLIENT SERVICE COUNT IN_FLIGHT");
    }
    TRY(loop_new(&self.loop));
    TRY(net_new(self.loop, &net));
    TRY(socket_open(net, &options, on_message, &self, &self.socket));
    TRY(socket_connect(self.socket, argv[2]));
    self.beat = (struct loop_timer){.fire = say_hello, .owner = &self};
    loop_set_timer(self.loop, &self.beat, 0);
    TRY(loop_run(self.loop));
    free(self.id);
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
