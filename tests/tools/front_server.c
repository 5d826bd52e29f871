// SPDX-License-Identifier: MIT
/*
 * front_server - stands where a security server stands, before one gateway: what is asked comes
 * back to the same gateway as a call, and what that says becomes the answer. Nothing is signed.
 *
 *   front_server ADDRESS [STATE]
 *
 * STATE: fault number in its Welcome. The purpose of a request chooses what happens to it:
 *   deny           refused with a rule, a remedy and a receipt
 *   silent         never answered
 *   other-client   answered in another client's name
 *   other-request  the call carries another request than was asked
 *   provider-deny  refused in the provider's name
 *   connect        the call carries the method CONNECT
 *   lie-...        the call carries one header field more, before the others: see `lies`
 */
#include "lib/base/clock.h"
#include "lib/base/event.h"
#include "lib/bus/limits.h"
#include "lib/crypto/random.h"
#include "lib/net/socket.h"

#include "front.pb-c.h"
#include "rest.pb-c.h"

#include <stdio.h>
#include <stdlib.h>

#define LIVE_MAX 65536

struct exchange {
    bool live;
    uint8_t route[64];
    size_t route_size;
    uint64_t ask;
    char *client, *service;
};

struct server {
    struct socket *socket;
    uint64_t run;
    uint32_t state;
    uint64_t next;
    struct exchange exchange[LIVE_MAX];
};

static void send_front(struct server *self, struct span to, const Chaski__FrontMessage *message,
                       const struct span *payload)
{
    uint8_t packed[16384];
    size_t size = chaski__front_message__pack(message, packed);
    struct span frames[] = {span_of(packed, size), payload == NULL ? (struct span){0} : *payload};
    fault f = socket_send(self->socket, to, frames, payload == NULL ? 1 : 2);
    if (failed(f))
        EVENT(WARN, "message.not_sent", E_FAULT(f));
}

static char *text(const char *from)
{
    return (char *)(uintptr_t)from;
}

static void welcome(struct server *self, struct span from)
{
    Chaski__FrontMessage message = CHASKI__FRONT_MESSAGE__INIT;
    Chaski__Welcome body = CHASKI__WELCOME__INIT;
    message.body_case = CHASKI__FRONT_MESSAGE__BODY_WELCOME;
    message.welcome = &body;
    body.server = text("CO/GOV/1/SS");
    body.run = self->run;
    body.state = self->state;
    body.body_bytes_max = HTTP_BODY_BYTES_DEFAULT;
    body.instance = text("CO");
    body.epoch = 7;
    send_front(self, from, &message, NULL);
}

static bool fill_problem(const char *purpose, Chaski__Problem *out)
{
    bool denied = strcmp(purpose, "deny") == 0, provider = strcmp(purpose, "provider-deny") == 0;
    chaski__problem__init(out);
    out->fault = ACCESS_DENIED;
    out->detail = text("the service is restricted");
    out->rule = text("R-2026-0007");
    out->remedy = text("ask for access with \"chaski request\"");
    out->at_provider = provider;
    return denied || provider;
}

static void take_admit(struct server *self, struct span from, const Chaski__Admit *admit)
{
    Chaski__FrontMessage message = CHASKI__FRONT_MESSAGE__INIT;
    Chaski__Admitted body = CHASKI__ADMITTED__INIT;
    Chaski__Problem problem;
    message.body_case = CHASKI__FRONT_MESSAGE__BODY_ADMITTED;
    message.admitted = &body;
    body.ask = admit->ask;
    if (fill_problem(admit->want->purpose, &problem))
        body.problem = &problem;
    send_front(self, from, &message, NULL);
}

static void answer(struct server *self, const struct exchange *x, Chaski__Problem *problem,
                   const struct span *payload)
{
    static uint8_t hash[32] = {0xab, 0xcd};
    Chaski__FrontMessage message = CHASKI__FRONT_MESSAGE__INIT;
    Chaski__Answer body = CHASKI__ANSWER__INIT;
    Chaski__Receipt receipt = CHASKI__RECEIPT__INIT;
    message.body_case = CHASKI__FRONT_MESSAGE__BODY_ANSWER;
    message.answer = &body;
    body.ask = x->ask;
    body.problem = problem;
    body.client = x->client;
    body.service = x->service;
    body.receipt = &receipt;
    receipt.origin = text("chaski.test/log/1");
    receipt.index = self->next;
    receipt.leaf_hash = (ProtobufCBinaryData){sizeof hash, hash};
    send_front(self, span_of(x->route, x->route_size), &message, payload);
}

/* What a consumer's server may put into a message that it signed. */
static const struct {
    const char *purpose, *name, *value;
} lies[] = {
    {"lie-client", "X-Road-Client", "CO/GOV/1/VICTIM"},
    {"lie-twin", "X_Road_Client", "CO/GOV/1/VICTIM"},
    {"lie-party", "X-Road-Represented-Party", "GOV/1"},
    {"lie-exchange", "x-road-request-id", "0b7d9a52-0000-4000-8000-000000000001"},
    {"lie-id", "x-road-id", "forged"},
    {"lie-purpose", "Chaski-Purpose", "forged"},
    {"lie-hash", "X-Road-Request-Hash", "forged"},
};

static void add_first(Chaski__RestRequest *request, const char *name, const char *value)
{
    Chaski__Field *field = owned_new(sizeof *field);
    chaski__field__init(field);
    field->name = owned_text(name);
    field->value = (ProtobufCBinaryData){strlen(value), (uint8_t *)owned_text(value)};
    request->header = owned_grow(request->header, request->n_header + 1, sizeof *request->header);
    memmove(request->header + 1, request->header, request->n_header * sizeof *request->header);
    request->header[0] = field;
    request->n_header++;
}

static bool is_altered(const char *purpose)
{
    return strcmp(purpose, "other-request") == 0 || strcmp(purpose, "connect") == 0 ||
           strncmp(purpose, "lie-", 4) == 0;
}

static struct span altered(struct span payload, const char *purpose, struct bytes **out)
{
    Chaski__RestRequest *request = chaski__rest_request__unpack(NULL, payload.size, payload.at);
    for (size_t i = 0; i < sizeof lies / sizeof lies[0]; i++)
        if (strcmp(purpose, lies[i].purpose) == 0)
            add_first(request, lies[i].name, lies[i].value);
    if (strcmp(purpose, "connect") == 0) {
        free(request->method);
        request->method = owned_text("CONNECT");
    } else if (strcmp(purpose, "other-request") == 0) {
        /* one byte of the target changes: the provider's gateway hashes something else */
        request->target[strlen(request->target) - 1] ^= 1;
    }
    if (failed(bytes_new(chaski__rest_request__get_packed_size(request), out)))
        abort();
    chaski__rest_request__pack(request, (*out)->data);
    chaski__rest_request__free_unpacked(request, NULL);
    return bytes_span(*out);
}

static void take_ask(struct server *self, struct span from, const Chaski__Ask *ask,
                     struct span payload)
{
    const char *purpose = ask->want->purpose;
    OWNED(bytes) other = NULL;
    struct exchange *x = &self->exchange[++self->next % LIVE_MAX];
    if (strcmp(purpose, "silent") == 0)
        return;
    free(x->client);
    free(x->service);
    x->live = true;
    memcpy(x->route, from.at, from.size);
    x->route_size = from.size;
    x->ask = ask->ask;
    x->client = owned_text(ask->want->client);
    x->service = owned_text(ask->want->service);
    Chaski__Problem problem;
    if (fill_problem(purpose, &problem)) {
        answer(self, x, &problem, NULL);
        return;
    }
    if (is_altered(purpose))
        payload = altered(payload, purpose, &other);
    Chaski__FrontMessage message = CHASKI__FRONT_MESSAGE__INIT;
    Chaski__Call call = CHASKI__CALL__INIT;
    message.body_case = CHASKI__FRONT_MESSAGE__BODY_CALL;
    message.call = &call;
    call.call = self->next;
    call.exchange_id = ask->want->exchange_id;
    call.client = ask->want->client;
    call.service = ask->want->service;
    call.purpose = ask->want->purpose;
    call.wait_ms = ask->want->wait_ms;
    send_front(self, from, &message, &payload);
    if (strcmp(purpose, "other-client") == 0) {
        free(x->client);
        x->client = owned_text("CO/GOV/2/OTHER");
    }
}

static void take_done(struct server *self, const Chaski__Done *done, struct span payload)
{
    struct exchange *x = &self->exchange[done->call % LIVE_MAX];
    if (!x->live)
        return;
    x->live = false;
    answer(self, x, done->problem, done->problem == NULL ? &payload : NULL);
}

static void on_message(void *owner, const struct message *message)
{
    struct server *self = owner;
    Chaski__FrontMessage *front =
        chaski__front_message__unpack(NULL, message->frame[0].size, message->frame[0].at);
    struct span payload = message->count == 2 ? message->frame[1] : (struct span){0};
    if (front == NULL)
        return;
    switch (front->body_case) {
    case CHASKI__FRONT_MESSAGE__BODY_HELLO:
        welcome(self, message->from);
        break;
    case CHASKI__FRONT_MESSAGE__BODY_ADMIT:
        take_admit(self, message->from, front->admit);
        break;
    case CHASKI__FRONT_MESSAGE__BODY_ASK:
        take_ask(self, message->from, front->ask, payload);
        break;
    case CHASKI__FRONT_MESSAGE__BODY_DONE:
        take_done(self, front->done, payload);
        break;
    default:
        break;
    }
    chaski__front_message__free_unpacked(front, NULL);
}

static fault serve(const char *address, struct server *self)
{
    struct loop *loop = NULL;
    struct net *net = NULL;
    struct socket_options options = {.kind = SOCKET_ROUTER,
                                     .queue_messages = FRONT_QUEUE_MESSAGES,
                                     .message_bytes_max = PAYLOAD_BYTES_MAX};
    TRY(loop_new(&loop));
    TRY(net_new(loop, &net));
    TRY(socket_open(net, &options, on_message, self, &self->socket));
    TRY(socket_bind(self->socket, address));
    return loop_run(loop);
}

int main(int argc, char **argv)
{
    static struct server self;
    if (argc < 2 || argc > 3) {
        fputs("front_server ADDRESS [STATE]\n", stderr);
        return 2;
    }
    event_setup("front-server", INFO);
    random_fill((uint8_t *)&self.run, sizeof self.run);
    self.state = argc == 3 ? (uint32_t)strtoul(argv[2], NULL, 10) : 0;
    fault f = serve(argv[1], &self);
    if (failed(f))
        EVENT(ERROR, "server.failed", E_FAULT(f));
    return 1;
}
