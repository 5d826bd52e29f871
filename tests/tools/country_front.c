// SPDX-License-Identifier: MIT
/*
 * country_front - stands where a security server stands, before one gateway, and for all the others
 * of a country: tells of so many servers, and answers for each of them who looked at a person.
 *
 *   country_front ADDRESS SERVERS SILENT_PER_MILLE [LIAR]
 *
 * Of 1,000 servers so many are silent: what is asked of them ends with DEADLINE_PASSED when its
 * wait is over. The others answer after 5 to 300 ms with one exchange. LIAR: that many entries that
 * the server number 7 makes up.
 */
#include "lib/base/clock.h"
#include "lib/base/event.h"
#include "lib/base/text.h"
#include "lib/bus/limits.h"
#include "lib/crypto/random.h"
#include "lib/net/socket.h"

#include "front.pb-c.h"
#include "subject.pb-c.h"

#include <stdio.h>
#include <stdlib.h>

#define LIAR 7
#define NAME_ROOM 64

struct country {
    struct loop *loop;
    struct socket *socket;
    uint64_t run;
    unsigned servers, silent_per_mille;
    uint64_t liar;
    size_t live, live_most;
};

struct ask {
    struct country *country;
    struct loop_timer timer;
    uint8_t route[64];
    size_t route_size;
    uint64_t ask, after;
    unsigned server;
    bool silent;
    char *client, *service;
};

static char *text(const char *from)
{
    return (char *)(uintptr_t)from;
}

static void send_front(struct country *self, struct span to, const Chaski__FrontMessage *message,
                       const struct span *payload)
{
    static uint8_t packed[65536];
    size_t size = chaski__front_message__pack(message, packed);
    struct span frames[] = {span_of(packed, size), payload == NULL ? (struct span){0} : *payload};
    fault f = socket_send(self->socket, to, frames, payload == NULL ? 1 : 2);
    if (failed(f))
        EVENT(WARN, "message.not_sent", E_FAULT(f));
}

static void server_name(unsigned number, char out[NAME_ROOM])
{
    text_format(out, NAME_ROOM, "CO/GOV/%u/SS", number);
}

static void welcome(struct country *self, struct span from)
{
    Chaski__FrontMessage message = CHASKI__FRONT_MESSAGE__INIT;
    Chaski__Welcome body = CHASKI__WELCOME__INIT;
    message.body_case = CHASKI__FRONT_MESSAGE__BODY_WELCOME;
    message.welcome = &body;
    body.server = text("CO/GOV/1/SS");
    body.run = self->run;
    body.body_bytes_max = HTTP_BODY_BYTES_DEFAULT;
    body.instance = text("CO");
    body.epoch = 7;
    send_front(self, from, &message, NULL);
}

static void tell_servers(struct country *self, struct span from, const Chaski__ServersAsk *ask)
{
    static char names[SERVERS_PAGE_MAX][NAME_ROOM], subsystems[SERVERS_PAGE_MAX][NAME_ROOM];
    Chaski__FrontMessage message = CHASKI__FRONT_MESSAGE__INIT;
    Chaski__ServersPage page = CHASKI__SERVERS_PAGE__INIT;
    Chaski__Server server[SERVERS_PAGE_MAX], *pointer[SERVERS_PAGE_MAX];
    Chaski__SubjectYear year = CHASKI__SUBJECT_YEAR__INIT, *years[] = {&year};
    message.body_case = CHASKI__FRONT_MESSAGE__BODY_SERVERS_PAGE;
    message.servers_page = &page;
    page.ask = ask->ask;
    page.epoch = 7;
    page.from = ask->from;
    page.total = self->servers;
    page.server = pointer;
    year.year = 2026;
    year.state = 1;
    page.subject_year = years;
    page.n_subject_year = ask->from == 0;
    for (unsigned at = ask->from; at < self->servers && page.n_server < SERVERS_PAGE_MAX; at++) {
        size_t i = page.n_server++;
        chaski__server__init(&server[i]);
        server_name(at + 1, names[i]);
        text_format(subsystems[i], NAME_ROOM, "CO/GOV/%u/S", at + 1);
        server[i].id = names[i];
        server[i].subsystem = subsystems[i];
        server[i].name = text("Entidad");
        pointer[i] = &server[i];
    }
    send_front(self, from, &message, NULL);
}

static void fill_page(const struct ask *ask, Chaski__SubjectPage *page,
                      Chaski__SubjectEntry entry[SUBJECT_PAGE_MAX],
                      uint8_t id[SUBJECT_PAGE_MAX][16], Chaski__SubjectReceipt *receipt)
{
    uint64_t all = ask->server == LIAR && ask->country->liar > 0 ? ask->country->liar : 1;
    for (; page->n_entry < SUBJECT_PAGE_MAX && ask->after + page->n_entry < all; page->n_entry++) {
        size_t i = page->n_entry;
        uint64_t number = ask->after + i;
        chaski__subject_entry__init(&entry[i]);
        memset(id[i], 0, 16);
        memcpy(id[i], &ask->server, sizeof ask->server);
        memcpy(id[i] + 8, &number, sizeof number);
        entry[i].exchange_id = (ProtobufCBinaryData){16, id[i]};
        entry[i].time_ms = (uint64_t)clock_wall_ms();
        entry[i].caller = text("CO/GOV/1/S");
        entry[i].service = text("CO/GOV/2/S/X");
        entry[i].request = receipt;
        page->entry[i] = &entry[i];
    }
    page->next = ask->after + page->n_entry < all ? ask->after + page->n_entry : 0;
}

static void answer_page(struct ask *ask)
{
    static uint8_t hash[32], id[SUBJECT_PAGE_MAX][16], packed[65536];
    Chaski__FrontMessage message = CHASKI__FRONT_MESSAGE__INIT;
    Chaski__Answer body = CHASKI__ANSWER__INIT;
    Chaski__SubjectPage page = CHASKI__SUBJECT_PAGE__INIT;
    Chaski__SubjectEntry entry[SUBJECT_PAGE_MAX], *entries[SUBJECT_PAGE_MAX];
    Chaski__SubjectReceipt receipt = CHASKI__SUBJECT_RECEIPT__INIT;
    char name[NAME_ROOM];
    receipt.leaf_hash = (ProtobufCBinaryData){sizeof hash, hash};
    server_name(ask->server, name);
    page.context = text("chaski subject page v1");
    page.server = name;
    page.log_size = 1000;
    page.entry = entries;
    fill_page(ask, &page, entry, id, &receipt);
    message.body_case = CHASKI__FRONT_MESSAGE__BODY_ANSWER;
    message.answer = &body;
    body.ask = ask->ask;
    body.client = ask->client;
    body.service = ask->service;
    struct span payload = span_of(packed, chaski__subject_page__pack(&page, packed));
    send_front(ask->country, span_of(ask->route, ask->route_size), &message, &payload);
}

static void answer_silence(struct ask *ask)
{
    Chaski__FrontMessage message = CHASKI__FRONT_MESSAGE__INIT;
    Chaski__Answer body = CHASKI__ANSWER__INIT;
    Chaski__Problem problem = CHASKI__PROBLEM__INIT;
    message.body_case = CHASKI__FRONT_MESSAGE__BODY_ANSWER;
    message.answer = &body;
    body.ask = ask->ask;
    body.client = ask->client;
    body.service = ask->service;
    body.problem = &problem;
    problem.fault = DEADLINE_PASSED;
    problem.detail = text("no answer in time");
    send_front(ask->country, span_of(ask->route, ask->route_size), &message, NULL);
}

static void on_timer(struct loop_timer *timer)
{
    struct ask *ask = timer->owner;
    if (ask->silent)
        answer_silence(ask);
    else
        answer_page(ask);
    ask->country->live--;
    free(ask->client);
    free(ask->service);
    free(ask);
}

static void take_ask(struct country *self, struct span from, const Chaski__Ask *wire,
                     struct span payload)
{
    Chaski__SubjectAsk *question = chaski__subject_ask__unpack(NULL, payload.size, payload.at);
    struct ask *ask = owned_new(sizeof *ask);
    uint32_t random = 0;
    if (question == NULL || sscanf(wire->want->security_server, "CO/GOV/%u/SS", &ask->server) != 1)
        abort();
    random_fill((uint8_t *)&random, sizeof random);
    ask->country = self;
    memcpy(ask->route, from.at, from.size);
    ask->route_size = from.size;
    ask->ask = wire->ask;
    ask->after = question->after;
    ask->client = owned_text(wire->want->client);
    ask->service = owned_text(wire->want->service);
    /* spread over the list, and never the gateway's own */
    ask->silent = ask->server > 1 && ask->server * 7919u % 1000 < self->silent_per_mille;
    ask->timer = (struct loop_timer){.fire = on_timer, .owner = ask};
    if (++self->live > self->live_most) {
        self->live_most = self->live;
        EVENT(INFO, "country.live", E_NUMBER("most", self->live_most));
    }
    loop_set_timer(self->loop, &ask->timer, ask->silent ? wire->want->wait_ms : 5 + random % 296);
    chaski__subject_ask__free_unpacked(question, NULL);
}

static void on_message(void *owner, const struct message *message)
{
    struct country *self = owner;
    Chaski__FrontMessage *front =
        chaski__front_message__unpack(NULL, message->frame[0].size, message->frame[0].at);
    struct span payload = message->count == 2 ? message->frame[1] : (struct span){0};
    if (front == NULL)
        return;
    if (front->body_case == CHASKI__FRONT_MESSAGE__BODY_HELLO)
        welcome(self, message->from);
    else if (front->body_case == CHASKI__FRONT_MESSAGE__BODY_SERVERS_ASK)
        tell_servers(self, message->from, front->servers_ask);
    else if (front->body_case == CHASKI__FRONT_MESSAGE__BODY_ASK)
        take_ask(self, message->from, front->ask, payload);
    chaski__front_message__free_unpacked(front, NULL);
}

static fault serve(const char *address, struct country *self)
{
    struct net *net = NULL;
    struct socket_options options = {.kind = SOCKET_ROUTER,
                                     .queue_messages = FRONT_QUEUE_MESSAGES,
                                     .message_bytes_max = PAYLOAD_BYTES_MAX};
    TRY(loop_new(&self->loop));
    TRY(net_new(self->loop, &net));
    TRY(socket_open(net, &options, on_message, self, &self->socket));
    TRY(socket_bind(self->socket, address));
    return loop_run(self->loop);
}

int main(int argc, char **argv)
{
    static struct country self;
    if (argc < 4 || argc > 5) {
        fputs("country_front ADDRESS SERVERS SILENT_PER_MILLE [LIAR]\n", stderr);
        return 2;
    }
    event_setup("country-front", INFO);
    random_fill((uint8_t *)&self.run, sizeof self.run);
    self.servers = (unsigned)strtoul(argv[2], NULL, 10);
    self.silent_per_mille = (unsigned)strtoul(argv[3], NULL, 10);
    self.liar = argc == 5 ? strtoull(argv[4], NULL, 10) : 0;
    fault f = serve(argv[1], &self);
    if (failed(f))
        EVENT(ERROR, "server.failed", E_FAULT(f));
    return 1;
}
