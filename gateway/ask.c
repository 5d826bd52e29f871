// SPDX-License-Identifier: MIT
#include "gateway/ask.h"

#include "gateway/can_i.h"
#include "gateway/clients.h"
#include "gateway/evidence.h"
#include "gateway/health.h"
#include "gateway/once_only.h"
#include "gateway/refusal_http.h"
#include "gateway/request_hash.h"
#include "gateway/rest_headers.h"
#include "gateway/rest_message.h"
#include "gateway/rest_target.h"
#include "gateway/soap_http.h"
#include "gateway/subjects.h"
#include "gateway/uuid.h"
#include "gateway/write.h"
#include "lib/base/event.h"
#include "lib/base/text.h"
#include "lib/crypto/seal.h"

#include <assert.h>
#include <stdlib.h>

#define GRACE_MS 2000 /* the security server's own deadline comes first */
#define SMALL_BODY_BYTES 16384

enum step { ASK_NEW, ASK_ADMITTING, ASK_BODY, ASK_SENT };

/* One request, from its head to its answer. */
struct ask {
    struct gateway *gateway;
    struct http_connection *connection; /* NULL: the caller went away */
    uint64_t id;
    enum step step;
    struct loop_timer timer;
    int64_t begun_us;
    uint8_t exchange[UUID_BYTES];
    char exchange_text[UUID_TEXT_ROOM];
    uint8_t hash[REQUEST_HASH_BYTES]; /* of the head, then of the whole */
    const char *media;                /* of a refusal */
    char *client, *service, *security_server, *message_id;
    char *purpose, *procedure, *legal_basis, *case_ref, *requirement;
    char *method;
    struct bytes *path;          /* of the service, raw: which endpoint it is */
    struct rest_subject subject; /* wiped when it was sent */
    uint32_t wait_ms;
    uint64_t body_bytes; /* announced; 0 when not known */
    bool has_body;
    size_t body_at; /* in the payload, when its size was announced */
    struct bytes *payload;
};

// --- all of them: numbers that are not used again ------------------------------------------------

struct slot {
    struct ask *ask;
    uint32_t generation;
    uint32_t next_free;
};

struct asks {
    size_t live;
    size_t slots, room;
    struct slot *slot;
    uint32_t first_free; /* place + 1; 0: none */
};

struct asks *asks_new(void)
{
    return owned_new(sizeof(struct asks));
}

void asks_free(struct asks **self)
{
    if (*self == NULL)
        return;
    assert((*self)->live == 0);
    free((*self)->slot);
    free(*self);
    *self = NULL;
}

size_t asks_live(const struct asks *self)
{
    return self->live;
}

static uint64_t asks_add(struct asks *self, struct ask *ask)
{
    uint32_t place = self->first_free;
    if (place == 0) {
        if (self->slots == self->room) {
            self->room = self->room == 0 ? 64 : self->room * 2;
            self->slot = owned_grow(self->slot, self->room, sizeof *self->slot);
        }
        self->slot[self->slots++] = (struct slot){0};
        place = (uint32_t)self->slots;
    } else {
        self->first_free = self->slot[place - 1].next_free;
    }
    struct slot *slot = &self->slot[place - 1];
    slot->ask = ask;
    slot->generation++;
    self->live++;
    return (uint64_t)slot->generation << 32 | place;
}

static struct ask *asks_find(const struct asks *self, uint64_t id)
{
    uint32_t place = (uint32_t)id;
    if (place == 0 || place > self->slots || self->slot[place - 1].generation != id >> 32)
        return NULL;
    return self->slot[place - 1].ask;
}

static void asks_remove(struct asks *self, uint64_t id)
{
    struct slot *slot = &self->slot[(uint32_t)id - 1];
    slot->ask = NULL;
    slot->next_free = self->first_free;
    self->first_free = (uint32_t)id;
    self->live--;
}

// --- one ask -------------------------------------------------------------------------------------

static void on_timer(struct loop_timer *timer);

static void ask_free(struct ask *self)
{
    loop_stop_timer(self->gateway->loop, &self->timer);
    if (self->id != 0)
        asks_remove(self->gateway->asks, self->id);
    char *words[] = {self->client,    self->service,     self->security_server, self->message_id,
                     self->procedure, self->legal_basis, self->case_ref,        self->purpose,
                     self->method,    self->requirement};
    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++)
        free(words[i]);
    bytes_free(&self->payload);
    bytes_free(&self->path);
    seal_wipe(&self->subject, sizeof self->subject);
    free(self);
}

/* Counts and forgets it; the answer has been given, or nobody waits for one. */
static void ask_end(struct ask *self, enum fault_code outcome)
{
    metrics_end(&self->gateway->metrics, METRICS_CALLER, outcome,
                loop_now_us(self->gateway->loop) - self->begun_us);
    ask_free(self);
}

static void ask_refuse(struct ask *self, const struct refusal *refusal,
                       const struct receipt *receipt)
{
    bool ours = fault_blame(refusal->code) == BLAME_CALLER;
    EVENT(ours ? INFO : WARN, "ask.refused", E_TEXT("exchange", self->exchange_text),
          E_TEXT("client", self->client), E_TEXT("service", self->service),
          E_TEXT("fault", fault_name(refusal->code)),
          E_TEXT("rule", refusal->rule == NULL ? "" : refusal->rule),
          E_TEXT("detail", refusal->detail == NULL ? "" : refusal->detail));
    if (self->connection != NULL)
        refusal_send(self->gateway, self->connection, refusal, self->media, receipt);
    ask_end(self, refusal->code);
}

static void ask_fail(struct ask *self, fault f)
{
    char detail[DETAIL_BYTES_MAX];
    struct refusal refusal = refusal_of(f, self->exchange_text, detail);
    ask_refuse(self, &refusal, NULL);
}

static void ask_refuse_problem(struct ask *self, const struct front_problem *problem,
                               const struct receipt *receipt)
{
    struct refusal refusal = {.code = problem->code,
                              .at_provider = problem->at_provider,
                              .detail = problem->detail,
                              .rule = problem->rule,
                              .remedy = problem->remedy,
                              .retry_s = problem->retry_s,
                              .exchange = self->exchange_text};
    ask_refuse(self, &refusal, receipt);
}

static void on_timer(struct loop_timer *timer)
{
    struct ask *self = timer->owner;
    ask_fail(self, RAISE(DEADLINE_PASSED, "the security server did not answer within %u ms",
                         self->wait_ms + GRACE_MS));
}

static struct front_want want_of(const struct ask *self)
{
    return (struct front_want){.client = self->client,
                               .service = self->service,
                               .security_server = self->security_server,
                               .purpose = self->purpose,
                               .procedure = self->procedure,
                               .legal_basis = self->legal_basis,
                               .case_ref = self->case_ref,
                               .requirement = self->requirement,
                               .wait_ms = self->wait_ms,
                               .payload_bytes = self->body_bytes,
                               .exchange_id = span_of(self->exchange, UUID_BYTES),
                               .method = self->method,
                               .path = bytes_span(self->path)};
}

/* The payload is complete: from here on the exchange may happen. */
static void ask_send(struct ask *self)
{
    struct front_want want = want_of(self);
    want.payload_bytes = self->payload->size;
    want.person = self->subject.person;
    want.sealing = self->subject.sealing;
    want.sealed_until_ms = self->subject.sealed_until_ms;
    self->step = ASK_SENT;
    loop_set_timer(self->gateway->loop, &self->timer, (int64_t)self->wait_ms + GRACE_MS);
    fault f = front_line_ask(self->gateway->front, self->id, &want, bytes_span(self->payload));
    bytes_free(&self->payload);
    seal_wipe(&self->subject, sizeof self->subject);
    if (failed(f))
        ask_fail(self, f);
}

static void ask_take_body(struct ask *self)
{
    struct bytes *into = NULL;
    self->step = ASK_BODY;
    loop_stop_timer(self->gateway->loop, &self->timer);
    if (self->body_bytes > 0) {
        rest_body_begin((size_t)self->body_bytes, self->payload);
        self->body_at = self->payload->size;
        into = TAKE(self->payload);
    } else {
        into = bytes_empty(0); /* chunked: its size must be known before it can be announced */
    }
    http_connection_take_body(self->connection, &into); /* may end this ask */
}

static void ask_admit(struct ask *self)
{
    struct front_want want = want_of(self);
    self->step = ASK_ADMITTING;
    loop_set_timer(self->gateway->loop, &self->timer, (int64_t)self->wait_ms + GRACE_MS);
    fault f = front_line_admit(self->gateway->front, self->id, &want);
    if (failed(f))
        ask_fail(self, f);
}

// --- from HTTP -----------------------------------------------------------------------------------

static fault check_state(const struct gateway *gateway)
{
    if (gateway->draining)
        return RAISE(DRAINING, "this gateway is shutting down");
    if (!front_line_up(gateway->front))
        return RAISE(SERVER_AWAY, "no word from it at %s", gateway->config.server);
    return DONE;
}

static const char *word_or(const char *given, const char *otherwise)
{
    return given[0] != '\0' || otherwise == NULL ? given : otherwise;
}

/* What the headers say, else the config's defaults for this client. */
static void set_words(struct ask *self, const struct rest_want *want)
{
    const struct client_section *client = services_client(self->gateway->services, self->client);
    bool known = client != NULL;
    self->security_server = owned_text(want->security_server);
    self->purpose = owned_text(word_or(want->purpose, known ? client->purpose : NULL));
    self->procedure = owned_text(word_or(want->procedure, known ? client->procedure : NULL));
    self->legal_basis = owned_text(word_or(want->legal_basis, known ? client->legal_basis : NULL));
    self->case_ref = owned_text(want->case_ref);
    self->requirement = owned_text(want->requirement);
    self->wait_ms = want->wait_ms;
}

static char *text_of_id(const struct bus_id *id, unsigned parts)
{
    char text[ID_TEXT_BYTES_MAX + 1];
    bus_id_text(id, parts, text, sizeof text);
    return owned_text(text);
}

/* The message id that the answer repeats; made here when the caller sent none. */
static void set_message_id(struct ask *self, const struct rest_want *want,
                           struct rest_fields *header)
{
    struct span given = want->message_id;
    size_t room = given.at != NULL ? given.size + 1 : ID_PART_BYTES_MAX + 1 + UUID_TEXT_ROOM;
    self->message_id = owned_new(room);
    if (given.at != NULL) {
        if (given.size > 0)
            memcpy(self->message_id, given.at, given.size);
        return;
    }
    const char *instance = word_or(front_line_instance(self->gateway->front), want->client.part[0]);
    text_format(self->message_id, room, "%s-%s", instance, self->exchange_text);
    rest_headers_add(header, "x-road-id", span_of_text(self->message_id));
}

/* Everything about a request that can be judged here. */
static fault read_request(struct gateway *gateway, const struct http_head *head, struct span target,
                          struct rest_fields *header, struct rest_target *service,
                          struct rest_want *want)
{
    if (!rest_method_is_carried(head->method))
        return RAISE(BAD_METHOD, REST_METHODS " are");
    TRY(rest_target_parse(target, service));
    TRY(rest_headers_read_want(header, (uint32_t)gateway->config.deadline_ms, want));
    if (want->client.parts == ID_MEMBER)
        return RAISE(UNKNOWN_CLIENT, "a member cannot call by itself; name one of its subsystems");
    return check_state(gateway);
}

static void make_payload(struct ask *self, const struct http_head *head, struct span target,
                         const struct rest_want *want, struct rest_fields *header)
{
    rest_headers_add(header, "x-road-request-id", span_of_text(self->exchange_text));
    set_message_id(self, want, header);
    request_hash_head(head->method, target, header, self->hash);
    self->payload = bytes_empty(1024);
    rest_request_write(head->method, target, header, self->payload);
}

static void start_ask(struct ask *self, const struct http_head *head, size_t here)
{
    self->has_body = head->chunked || (head->has_length && head->length > 0);
    self->body_bytes = head->has_length ? head->length : 0;
    bool small = head->has_length && head->length <= SMALL_BODY_BYTES && here >= head->length;
    if (!self->has_body)
        ask_send(self);
    else if (small)
        ask_take_body(self);
    else
        ask_admit(self);
}

static void exchange_request(struct gateway *gateway, struct http_connection *connection,
                             const struct http_head *head, struct span target, size_t here)
{
    struct rest_fields header;
    struct rest_target service;
    struct rest_want want;
    struct rest_subject subject = {.sealed_until_ms = 0};
    uint8_t exchange[UUID_BYTES];
    char exchange_text[UUID_TEXT_ROOM];
    uuid_make(exchange);
    uuid_text(exchange, exchange_text);
    rest_headers_of_request(head, &header);
    const char *media = refusal_media(header.field, header.count);
    fault f = read_request(gateway, head, target, &header, &service, &want);
    if (!failed(f))
        f = rest_headers_read_subject(head, &subject);
    if (failed(f)) {
        refusal_send_early(gateway, connection, f, exchange_text, media);
        return;
    }
    struct ask *self = owned_new(sizeof *self);
    self->gateway = gateway;
    self->connection = connection;
    self->begun_us = loop_now_us(gateway->loop);
    self->media = media;
    self->timer = (struct loop_timer){.fire = on_timer, .owner = self};
    memcpy(self->exchange, exchange, sizeof exchange);
    memcpy(self->exchange_text, exchange_text, sizeof exchange_text);
    self->client = text_of_id(&want.client, ID_SUBSYSTEM);
    self->service = text_of_id(&service.service, ID_SERVICE);
    set_words(self, &want);
    self->method = owned_new(head->method.size + 1);
    memcpy(self->method, head->method.at, head->method.size);
    self->path = bytes_empty(service.path.size + 1);
    write_span(self->path, service.path);
    self->subject = subject;
    seal_wipe(&subject, sizeof subject);
    make_payload(self, head, target, &want, &header);
    self->id = asks_add(gateway->asks, self);
    http_connection_set_owner(connection, self);
    metrics_begin(&gateway->metrics, METRICS_CALLER);
    start_ask(self, head, here);
}

static void on_request(void *owner, struct http_connection *connection,
                       const struct http_head *head, size_t here)
{
    struct gateway *gateway = owner;
    struct span target = rest_target_origin(head->target);
    if (rest_target_is(target)) {
        exchange_request(gateway, connection, head, target, here);
        return;
    }
    if (health_answer(gateway, connection, head->method, target) ||
        evidence_take(gateway, connection, head, target) ||
        clients_take(gateway, connection, head, target) ||
        can_i_take(gateway, connection, head, target) ||
        subjects_take(gateway, connection, head, target) ||
        once_only_take(gateway, connection, head, target) ||
        soap_take(gateway, connection, head, target))
        return;
    uint8_t exchange[UUID_BYTES];
    char exchange_text[UUID_TEXT_ROOM];
    uuid_make(exchange);
    uuid_text(exchange, exchange_text);
    refusal_send_early(gateway, connection,
                       rest_method_is_carried(head->method)
                           ? RAISE(NOT_FOUND, "exchanges begin with /r1/; there are also "
                                              "/listClients, /can-i, /once-only/v1/plan, collect "
                                              "and ask-permit, /permits/CODE, /subjects/, /asic, "
                                              "/verificationconf, /healthz, /readyz and /metrics")
                           : RAISE(BAD_METHOD, REST_METHODS " are"),
                       exchange_text, refusal_media(head->field, head->fields));
}

static void on_body(void *owner, struct http_connection *connection, struct bytes **into)
{
    if (soap_owns(connection)) {
        soap_body(owner, connection, bytes_span(*into));
        return;
    }
    if (subjects_owns(owner, connection)) {
        subjects_body(owner, connection, *into);
        return;
    }
    if (once_only_owns(owner, connection)) {
        once_only_body(owner, connection, bytes_span(*into));
        return;
    }
    struct ask *self = http_connection_owner(connection);
    struct span body = bytes_span(*into);
    if (self->payload == NULL) {
        body = span_of(body.at + self->body_at, body.size - self->body_at);
        self->payload = TAKE(*into);
    } else {
        rest_body_begin(body.size, self->payload);
        if (failed(bytes_append(self->payload, body))) {
            ask_fail(self, RAISE(OVERLOADED, "no room for a body of %zu bytes", body.size));
            return;
        }
    }
    request_hash_whole(self->hash, body, self->hash);
    bytes_free(into);
    fault f = check_state(self->gateway);
    if (failed(f))
        ask_fail(self, f);
    else
        ask_send(self);
}

static void on_broken(void *owner, struct http_connection *connection, fault f,
                      const struct http_head *head)
{
    if (soap_owns(connection)) {
        soap_broken(owner, connection, f);
        return;
    }
    if (subjects_owns(owner, connection)) {
        subjects_broken(owner, connection, f);
        return;
    }
    if (once_only_owns(owner, connection)) {
        once_only_broken(owner, connection, f);
        return;
    }
    struct ask *self = http_connection_owner(connection);
    if (self != NULL) {
        ask_fail(self, f);
        return;
    }
    uint8_t exchange[UUID_BYTES];
    char exchange_text[UUID_TEXT_ROOM];
    uuid_make(exchange);
    uuid_text(exchange, exchange_text);
    refusal_send_early(owner, connection, f, exchange_text,
                       head == NULL ? NULL : refusal_media(head->field, head->fields));
}

/* What was sent goes on to its end; its answer finds nobody. */
static void on_gone(void *owner, struct http_connection *connection)
{
    bool elsewhere = soap_owns(connection) || subjects_owns(owner, connection) ||
                     once_only_owns(owner, connection);
    struct ask *self = elsewhere ? NULL : http_connection_owner(connection);
    if (self == NULL) {
        once_only_gone(owner, connection);
        evidence_gone(owner, connection);
        clients_gone(owner, connection);
        can_i_gone(owner, connection);
        subjects_gone(owner, connection);
        return;
    }
    self->connection = NULL;
    if (self->step != ASK_SENT)
        ask_end(self, SLOW_CALLER);
}

const struct http_handler ask_http_handler = {on_request, on_body, on_broken, on_gone};

// --- from the security server --------------------------------------------------------------------

void ask_admitted(struct gateway *gateway, uint64_t id, const struct front_problem *problem)
{
    struct ask *self = asks_find(gateway->asks, id);
    if (self == NULL || self->step != ASK_ADMITTING)
        return;
    if (problem->code != OK)
        ask_refuse_problem(self, problem, NULL);
    else
        ask_take_body(self);
}

static fault check_answer(const struct ask *self, const struct front_answer *answer,
                          struct rest_response *out)
{
    TRY(rest_response_read(answer->payload, out));
    TRY(rest_headers_check(&out->header));
    if (out->status < 200 || out->status > 999)
        return RAISE(BAD_FRAME, "a status of %u", out->status);
    if (strcmp(answer->client, self->client) != 0)
        return RAISE(INCONSISTENT, "it is for another client");
    if (strcmp(answer->service, self->service) != 0)
        return RAISE(INCONSISTENT, "it is from another service");
    if (!span_equal(out->request_hash, span_of(self->hash, sizeof self->hash)))
        return RAISE(INCONSISTENT, "the provider saw another request than was sent");
    return DONE;
}

static void send_answer(struct ask *self, const struct rest_response *response,
                        const struct receipt *receipt)
{
    struct rest_fields header;
    char hash[REQUEST_HASH_TEXT_ROOM];
    bool dated = false;
    rest_headers_of_answer(&response->header, &header);
    struct bytes *head = http_connection_begin(self->connection, response->status);
    for (size_t i = 0; i < header.count; i++) {
        http_field_write(head, header.field[i].name, header.field[i].value);
        dated = dated || text_same_word(header.field[i].name, span_of_text("date"));
    }
    text_base64(span_of(self->hash, sizeof self->hash), hash, sizeof hash);
    http_field_write_text(head, "x-road-id", self->message_id);
    http_field_write_text(head, "x-road-client", self->client);
    http_field_write_text(head, "x-road-service", self->service);
    http_field_write_text(head, "x-road-request-id", self->exchange_text);
    http_field_write_text(head, "x-road-request-hash", hash);
    receipt_write(head, receipt);
    http_connection_answer(self->connection, dated, response->body);
}

void ask_answered(struct gateway *gateway, const struct front_answer *answer)
{
    struct ask *self = asks_find(gateway->asks, answer->ask);
    struct rest_response response;
    if (subjects_answered(gateway, answer))
        return;
    bool refused_early = answer->problem.code != OK && self != NULL && self->step == ASK_ADMITTING;
    if (self == NULL || (self->step != ASK_SENT && !refused_early))
        return;
    struct receipt receipt = {answer->origin, answer->index, answer->leaf_hash};
    const struct receipt *given = answer->has_receipt ? &receipt : NULL;
    if (answer->problem.code != OK) {
        ask_refuse_problem(self, &answer->problem, given);
        return;
    }
    fault f = check_answer(self, answer, &response);
    if (!failed(f) && self->connection != NULL &&
        !http_connection_has_room(self->connection, response.body.size))
        f = RAISE(OVERLOADED, "the exchange ran, but there is no room for its answer of %zu bytes",
                  response.body.size);
    if (failed(f)) {
        char detail[DETAIL_BYTES_MAX];
        struct refusal refusal = refusal_of(f, self->exchange_text, detail);
        ask_refuse(self, &refusal, given);
        return;
    }
    EVENT(DEBUG, "ask.answered", E_TEXT("exchange", self->exchange_text),
          E_TEXT("client", self->client), E_TEXT("service", self->service),
          E_NUMBER("status", response.status));
    if (self->connection != NULL)
        send_answer(self, &response, given);
    ask_end(self, OK);
}

void ask_lost(struct gateway *gateway, enum front_loss loss)
{
    struct asks *asks = gateway->asks;
    for (size_t i = 0; i < asks->slots; i++) {
        struct ask *self = asks->slot[i].ask;
        if (self == NULL || self->step == ASK_BODY || self->step == ASK_NEW)
            continue;
        if (self->step == ASK_ADMITTING)
            ask_fail(self, RAISE(SERVER_AWAY, "it went away before the request was sent"));
        else
            ask_fail(self, RAISE(OUTCOME_UNKNOWN,
                                 "the security server %s; whether the exchange ran is in the log",
                                 loss == FRONT_RESTARTED ? "restarted" : "fell silent"));
    }
}
