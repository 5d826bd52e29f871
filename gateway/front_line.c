// SPDX-License-Identifier: MIT
#include "gateway/front_line.h"

#include "lib/base/arena.h"
#include "lib/base/clock.h"
#include "lib/base/event.h"
#include "lib/base/text.h"
#include "lib/bus/limits.h"
#include "lib/crypto/random.h"

#include "front.pb-c.h"

#include <stdlib.h>

#define MESSAGE_VERSION 1

struct front_line {
    struct front_line_options options;
    char *name;
    struct socket *socket;
    struct loop_timer beat;
    uint64_t run;
    size_t subsystems;
    char **subsystem;
    bool leaving;

    bool up;
    int64_t welcome_ms; /* steady time of the last Welcome */
    uint64_t directory_age_ms;
    uint64_t server_run;
    enum fault_code state;
    uint64_t epoch;
    char instance[ID_PART_BYTES_MAX + 1];
    char server[ID_BYTES_MAX + 1];
};

// --- sending -------------------------------------------------------------------------------------

/* The generated structs want `char *` where they only read. */
static char *text(const char *from)
{
    return (char *)(uintptr_t)(from == NULL ? "" : from);
}

static ProtobufCBinaryData binary(struct span from)
{
    return (ProtobufCBinaryData){from.size, (uint8_t *)(uintptr_t)from.at};
}

static fault send_message(struct front_line *self, const Chaski__FrontMessage *message,
                          const struct span *payload)
{
    uint8_t small[2048];
    size_t size = chaski__front_message__get_packed_size(message);
    uint8_t *packed = size <= sizeof small ? small : owned_new(size);
    chaski__front_message__pack(message, packed);
    struct span frames[2] = {span_of(packed, size),
                             payload == NULL ? (struct span){NULL, 0} : *payload};
    fault f = socket_send(self->socket, (struct span){NULL, 0}, frames, payload == NULL ? 1 : 2);
    if (packed != small)
        free(packed);
    return f;
}

static void say_hello(struct front_line *self)
{
    Chaski__FrontMessage message = CHASKI__FRONT_MESSAGE__INIT;
    Chaski__Hello hello = CHASKI__HELLO__INIT;
    message.body_case = CHASKI__FRONT_MESSAGE__BODY_HELLO;
    message.hello = &hello;
    hello.version = MESSAGE_VERSION;
    hello.gateway = self->name;
    hello.n_subsystem = self->subsystems;
    hello.subsystem = self->subsystem;
    hello.run = self->run;
    hello.leaving = self->leaving;
    /* fails while nobody is connected; the next beat says it again */
    ignore(send_message(self, &message, NULL));
}

static void fill_want(const struct front_want *want, Chaski__Want *out)
{
    chaski__want__init(out);
    out->client = text(want->client);
    out->service = text(want->service);
    out->security_server = text(want->security_server);
    out->purpose = text(want->purpose);
    out->procedure = text(want->procedure);
    out->legal_basis = text(want->legal_basis);
    out->case_ref = text(want->case_ref);
    out->requirement = text(want->requirement);
    out->source = text(want->source == NULL ? "" : want->source);
    out->wait_ms = want->wait_ms;
    out->payload_bytes = want->payload_bytes;
    out->exchange_id = binary(want->exchange_id);
    out->method = text(want->method);
    out->path = binary(want->path);
    out->person = text(want->person == NULL ? "" : want->person);
    out->subject = binary(want->subject);
    out->subject_year = want->subject_year;
    out->sealing = text(want->sealing == NULL ? "" : want->sealing);
    out->sealed_until_ms = (uint64_t)want->sealed_until_ms;
}

fault front_line_admit(struct front_line *self, uint64_t ask, const struct front_want *want)
{
    Chaski__FrontMessage message = CHASKI__FRONT_MESSAGE__INIT;
    Chaski__Admit admit = CHASKI__ADMIT__INIT;
    Chaski__Want wire;
    fill_want(want, &wire);
    message.body_case = CHASKI__FRONT_MESSAGE__BODY_ADMIT;
    message.admit = &admit;
    admit.ask = ask;
    admit.want = &wire;
    return send_message(self, &message, NULL);
}

/* A longer message would end the connection, and with it whatever else is under way on it. */
static fault check_payload(enum fault_code code, struct span payload)
{
    if (payload.size > PAYLOAD_BYTES_MAX)
        return RAISE(code, "%zu bytes with its head", payload.size);
    return DONE;
}

fault front_line_ask(struct front_line *self, uint64_t id, const struct front_want *want,
                     struct span payload)
{
    Chaski__FrontMessage message = CHASKI__FRONT_MESSAGE__INIT;
    Chaski__Ask ask = CHASKI__ASK__INIT;
    Chaski__Want wire;
    TRY(check_payload(BODY_TOO_LARGE, payload));
    fill_want(want, &wire);
    message.body_case = CHASKI__FRONT_MESSAGE__BODY_ASK;
    message.ask = &ask;
    ask.ask = id;
    ask.want = &wire;
    return send_message(self, &message, &payload);
}

fault front_line_witness(struct front_line *self, uint64_t id, struct span body)
{
    Chaski__FrontMessage message = CHASKI__FRONT_MESSAGE__INIT;
    Chaski__WitnessAsk ask = CHASKI__WITNESS_ASK__INIT;
    message.body_case = CHASKI__FRONT_MESSAGE__BODY_WITNESS_ASK;
    message.witness_ask = &ask;
    ask.ask = id;
    ask.body = binary(body);
    return send_message(self, &message, NULL);
}

fault front_line_clients(struct front_line *self, uint64_t id, uint64_t epoch, uint32_t from)
{
    Chaski__FrontMessage message = CHASKI__FRONT_MESSAGE__INIT;
    Chaski__ClientsAsk ask = CHASKI__CLIENTS_ASK__INIT;
    message.body_case = CHASKI__FRONT_MESSAGE__BODY_CLIENTS_ASK;
    message.clients_ask = &ask;
    ask.ask = id;
    ask.epoch = epoch;
    ask.from = from;
    return send_message(self, &message, NULL);
}

fault front_line_servers(struct front_line *self, uint64_t id, uint64_t epoch, uint32_t from)
{
    Chaski__FrontMessage message = CHASKI__FRONT_MESSAGE__INIT;
    Chaski__ServersAsk ask = CHASKI__SERVERS_ASK__INIT;
    message.body_case = CHASKI__FRONT_MESSAGE__BODY_SERVERS_ASK;
    message.servers_ask = &ask;
    ask.ask = id;
    ask.epoch = epoch;
    ask.from = from;
    return send_message(self, &message, NULL);
}

fault front_line_can(struct front_line *self, uint64_t id, const struct front_want *want,
                     int64_t at_ms)
{
    Chaski__FrontMessage message = CHASKI__FRONT_MESSAGE__INIT;
    Chaski__CanAsk ask = CHASKI__CAN_ASK__INIT;
    Chaski__Want wire;
    fill_want(want, &wire);
    message.body_case = CHASKI__FRONT_MESSAGE__BODY_CAN_ASK;
    message.can_ask = &ask;
    ask.ask = id;
    ask.want = &wire;
    ask.at_ms = (uint64_t)at_ms;
    return send_message(self, &message, NULL);
}

fault front_line_send(struct front_line *self, const Chaski__FrontMessage *message)
{
    return send_message(self, message, NULL);
}

static fault send_done(struct front_line *self, Chaski__Done *done, const struct span *payload)
{
    Chaski__FrontMessage message = CHASKI__FRONT_MESSAGE__INIT;
    message.body_case = CHASKI__FRONT_MESSAGE__BODY_DONE;
    message.done = done;
    return send_message(self, &message, payload);
}

fault front_line_done(struct front_line *self, uint64_t call, unsigned status, struct span payload)
{
    TRY(check_payload(SERVICE_TOO_LARGE, payload));
    Chaski__Done done = CHASKI__DONE__INIT;
    done.call = call;
    done.status = status;
    return send_done(self, &done, &payload);
}

fault front_line_done_badly(struct front_line *self, uint64_t call,
                            const struct front_problem *problem)
{
    Chaski__Done done = CHASKI__DONE__INIT;
    Chaski__Problem wire = CHASKI__PROBLEM__INIT;
    done.call = call;
    done.problem = &wire;
    wire.fault = (uint32_t)problem->code;
    wire.detail = text(problem->detail);
    wire.rule = text(problem->rule);
    wire.remedy = text(problem->remedy);
    wire.at_provider = problem->at_provider;
    return send_done(self, &done, NULL);
}

// --- arriving ------------------------------------------------------------------------------------

static struct front_problem problem_of(const Chaski__Problem *wire)
{
    if (wire == NULL)
        return (struct front_problem){OK, "", "", "", false, 0};
    enum fault_code code =
        wire->fault != OK && fault_known(wire->fault) ? (enum fault_code)wire->fault : INTERNAL;
    return (struct front_problem){code,         wire->detail,      wire->rule,
                                  wire->remedy, wire->at_provider, wire->retry_s};
}

static void take_welcome(struct front_line *self, const Chaski__Welcome *welcome)
{
    bool restarted = self->server_run != 0 && welcome->run != self->server_run;
    bool was_up = self->up;
    self->server_run = welcome->run;
    self->welcome_ms = clock_steady_ms();
    self->up = true;
    self->state = welcome->state == OK          ? OK
                  : fault_known(welcome->state) ? (enum fault_code)welcome->state
                                                : INTERNAL;
    self->epoch = welcome->epoch;
    self->directory_age_ms = welcome->directory_age_ms;
    text_format(self->instance, sizeof self->instance, "%s", welcome->instance);
    text_format(self->server, sizeof self->server, "%s", welcome->server);
    if (restarted) {
        EVENT(WARN, "front.server_restarted", E_TEXT("server", self->server));
        self->options.handler->lost(self->options.owner, FRONT_RESTARTED);
    } else if (!was_up) {
        EVENT(INFO, "front.server_found", E_TEXT("server", self->server),
              E_TEXT("state", fault_name(self->state)));
    }
}

static void take_answer(struct front_line *self, const Chaski__Answer *wire, struct span payload)
{
    struct front_answer answer = {.ask = wire->ask,
                                  .problem = problem_of(wire->problem),
                                  .origin = "",
                                  .client = wire->client,
                                  .service = wire->service,
                                  .payload = payload};
    if (wire->receipt != NULL) {
        answer.has_receipt = true;
        answer.origin = wire->receipt->origin;
        answer.index = wire->receipt->index;
        answer.leaf_hash = span_of(wire->receipt->leaf_hash.data, wire->receipt->leaf_hash.len);
    }
    self->options.handler->answered(self->options.owner, &answer);
}

static struct front_withheld *withheld_of(Chaski__WithheldColumn *const *wire, size_t count)
{
    struct front_withheld *list = owned_array(count + 1, sizeof *list);
    for (size_t i = 0; i < count; i++)
        list[i] = (struct front_withheld){wire[i]->column, wire[i]->rule};
    return list;
}

static bool are_sound(const Chaski__Offer *offer)
{
    for (size_t i = 0; i < offer->n_parts; i++)
        if (offer->parts[i]->n_allowed != offer->parts[i]->n_endpoint)
            return false;
    return true;
}

static void take_parts(struct arena *memory, const Chaski__Offer *wire, struct front_call *call)
{
    struct front_parts *list = arena_make(memory, (wire->n_parts + 1) * sizeof *list);
    for (size_t i = 0; i < wire->n_parts; i++) {
        const Chaski__OfferParts *from = wire->parts[i];
        struct front_endpoint *endpoint =
            arena_make(memory, (from->n_endpoint + 1) * sizeof *endpoint);
        for (size_t k = 0; k < from->n_endpoint; k++)
            endpoint[k] =
                (struct front_endpoint){from->endpoint[k]->method, from->endpoint[k]->path};
        list[i] = (struct front_parts){.place = from->place,
                                       .lists_columns = from->lists_columns,
                                       .given = from->n_given,
                                       .given_column = (const char *const *)from->given,
                                       .endpoints = from->n_endpoint,
                                       .endpoint = endpoint,
                                       .allowed = from->allowed,
                                       .rest = from->rest};
    }
    call->parts = wire->n_parts;
    call->part = list;
}

static void take_call(struct front_line *self, const Chaski__Call *wire, struct span payload)
{
    struct front_call call = {.call = wire->call,
                              .exchange_id = span_of(wire->exchange_id.data, wire->exchange_id.len),
                              .client = wire->client,
                              .service = wire->service,
                              .purpose = wire->purpose,
                              .wait_ms = wire->wait_ms,
                              .payload = payload,
                              .endpoints = wire->n_endpoint,
                              .endpoint_id = wire->endpoint_id,
                              .source = wire->source,
                              .source_path = wire->source_path};
    struct front_endpoint *endpoint = owned_array(call.endpoints + 1, sizeof *endpoint);
    for (size_t i = 0; i < call.endpoints; i++)
        endpoint[i] = (struct front_endpoint){wire->endpoint[i]->method, wire->endpoint[i]->path};
    call.endpoint = endpoint;
    struct front_withheld *withheld = withheld_of(wire->withheld, wire->n_withheld);
    call.withheld = wire->n_withheld;
    call.withheld_column = withheld;
    call.given = wire->n_given;
    call.given_column = (const char *const *)wire->given;
    struct arena memory = {0};
    if (wire->offer != NULL && are_sound(wire->offer)) {
        call.has_offer = true;
        take_parts(&memory, wire->offer, &call);
        call.codes = wire->offer->n_code;
        call.code = (const char *const *)wire->offer->code;
        call.subjects = wire->offer->n_subject;
        call.subject = (const char *const *)wire->offer->subject;
    }
    self->options.handler->called(self->options.owner, &call);
    free(endpoint);
    free(withheld);
    arena_clear(&memory);
}

static void take_clients(struct front_line *self, const Chaski__ClientsPage *wire)
{
    struct front_clients page = {.ask = wire->ask,
                                 .problem = problem_of(wire->problem),
                                 .epoch = wire->epoch,
                                 .from = wire->from,
                                 .total = wire->total,
                                 .count = wire->n_client};
    if (self->options.handler->clients == NULL)
        return;
    struct front_client *client = owned_array(page.count == 0 ? 1 : page.count, sizeof *client);
    for (size_t i = 0; i < page.count; i++)
        client[i] = (struct front_client){wire->client[i]->id, wire->client[i]->name,
                                          wire->client[i]->subsystem_name};
    page.client = client;
    self->options.handler->clients(self->options.owner, &page);
    free(client);
}

static void take_years(const Chaski__ServersPage *wire, struct front_year *out)
{
    for (size_t i = 0; i < wire->n_subject_year; i++) {
        unsigned state = wire->subject_year[i]->state;
        bool known = state == FRONT_YEAR_HELD || state == FRONT_YEAR_DESTROYED;
        out[i] = (struct front_year){wire->subject_year[i]->year,
                                     known ? (enum front_year_state)state : FRONT_YEAR_MISSING};
    }
}

static void take_servers(struct front_line *self, const Chaski__ServersPage *wire)
{
    struct front_server server[SERVERS_PAGE_MAX];
    struct front_year year[SERVERS_PAGE_MAX];
    struct front_servers page = {.ask = wire->ask,
                                 .problem = problem_of(wire->problem),
                                 .epoch = wire->epoch,
                                 .from = wire->from,
                                 .total = wire->total,
                                 .server = server,
                                 .years = wire->n_subject_year,
                                 .year = year};
    if (self->options.handler->servers == NULL || wire->n_server > SERVERS_PAGE_MAX ||
        wire->n_subject_year > SERVERS_PAGE_MAX)
        return;
    take_years(wire, year);
    for (; page.count < wire->n_server; page.count++)
        server[page.count] =
            (struct front_server){wire->server[page.count]->id, wire->server[page.count]->subsystem,
                                  wire->server[page.count]->name};
    self->options.handler->servers(self->options.owner, &page);
}

static void take_can(struct front_line *self, const Chaski__CanAnswer *wire)
{
    struct front_can answer = {.ask = wire->ask,
                               .problem = problem_of(wire->problem),
                               .rule = wire->rule,
                               .epoch = wire->epoch,
                               .steps = wire->n_step,
                               .missing = wire->missing,
                               .supplier = wire->supplier,
                               .command = wire->command};
    if (self->options.handler->can == NULL)
        return;
    struct front_can_step *step = owned_array(answer.steps + 1, sizeof *step);
    for (size_t i = 0; i < answer.steps; i++)
        step[i] = (struct front_can_step){wire->step[i]->name, wire->step[i]->holds,
                                          wire->step[i]->detail};
    answer.step = step;
    struct front_withheld *withheld = withheld_of(wire->withheld, wire->n_withheld);
    answer.volume_a_day = wire->volume_a_day;
    answer.used_today = wire->used_today;
    answer.rate = wire->rate;
    answer.subject_required = wire->subject_required;
    answer.withheld = wire->n_withheld;
    answer.withheld_column = withheld;
    self->options.handler->can(self->options.owner, &answer);
    free(step);
    free(withheld);
}

static void take_message(struct front_line *self, const Chaski__FrontMessage *message,
                         struct span payload)
{
    struct front_problem problem;
    switch (message->body_case) {
    case CHASKI__FRONT_MESSAGE__BODY_WELCOME:
        take_welcome(self, message->welcome);
        return;
    case CHASKI__FRONT_MESSAGE__BODY_ADMITTED:
        problem = problem_of(message->admitted->problem);
        self->options.handler->admitted(self->options.owner, message->admitted->ask, &problem);
        return;
    case CHASKI__FRONT_MESSAGE__BODY_ANSWER:
        take_answer(self, message->answer, payload);
        return;
    case CHASKI__FRONT_MESSAGE__BODY_WITNESS_ANSWER:
        if (self->options.handler->witnessed != NULL)
            self->options.handler->witnessed(
                self->options.owner, message->witness_answer->ask, message->witness_answer->status,
                span_of(message->witness_answer->body.data, message->witness_answer->body.len));
        return;
    case CHASKI__FRONT_MESSAGE__BODY_CLIENTS_PAGE:
        take_clients(self, message->clients_page);
        return;
    case CHASKI__FRONT_MESSAGE__BODY_SERVERS_PAGE:
        take_servers(self, message->servers_page);
        return;
    case CHASKI__FRONT_MESSAGE__BODY_CAN_ANSWER:
        take_can(self, message->can_answer);
        return;
    case CHASKI__FRONT_MESSAGE__BODY_CALL:
        take_call(self, message->call, payload);
        return;
    case CHASKI__FRONT_MESSAGE__BODY_PLAN_ANSWER:
    case CHASKI__FRONT_MESSAGE__BODY_PERMIT_ANSWER:
    case CHASKI__FRONT_MESSAGE__BODY_PERMIT_SAID:
        if (self->options.handler->once_only != NULL)
            self->options.handler->once_only(self->options.owner, message);
        return;
    default:
        EVENT(WARN, "front.message_refused", E_TEXT("detail", "of no kind that a gateway takes"));
    }
}

void front_line_take(struct front_line *self, const struct message *message)
{
    Chaski__FrontMessage *front = NULL;
    if (message->count >= 1 && message->count <= 2)
        front = chaski__front_message__unpack(NULL, message->frame[0].size, message->frame[0].at);
    if (front == NULL) {
        EVENT(WARN, "front.message_refused", E_NUMBER("frames", message->count));
        return;
    }
    take_message(self, front, message->count == 2 ? message->frame[1] : (struct span){NULL, 0});
    chaski__front_message__free_unpacked(front, NULL);
}

static void on_message(void *owner, const struct message *message)
{
    front_line_take(owner, message);
}

// --- the line ------------------------------------------------------------------------------------

static void on_beat(struct loop_timer *timer)
{
    struct front_line *self = timer->owner;
    say_hello(self);
    loop_set_timer(self->options.loop, timer, self->up ? FRONT_BEAT_MS : FRONT_BEAT_MS / 5);
    if (!self->up || clock_steady_ms() - self->welcome_ms <= FRONT_LOST_MS)
        return;
    self->up = false;
    EVENT(WARN, "front.server_lost", E_TEXT("server", self->server),
          E_NUMBER("silent_ms", clock_steady_ms() - self->welcome_ms));
    self->options.handler->lost(self->options.owner, FRONT_LOST);
}

fault front_line_open(const struct front_line_options *options, struct front_line **out)
{
    OWNED(front_line) self = owned_new(sizeof *self);
    struct socket_options socket_options = {
        .kind = SOCKET_DEALER,
        .queue_messages = FRONT_QUEUE_MESSAGES,
        .message_bytes_max = PAYLOAD_BYTES_MAX,
        .own = options->own,
        .server_key = options->server_key,
    };
    self->options = *options;
    self->name = owned_text(options->name);
    random_fill((uint8_t *)&self->run, sizeof self->run);
    TRY(socket_open(options->net, &socket_options, on_message, self, &self->socket));
    TRY(socket_connect(self->socket, options->address));
    self->beat = (struct loop_timer){.fire = on_beat, .owner = self};
    loop_set_timer(options->loop, &self->beat, 0);
    *out = TAKE(self);
    return DONE;
}

static void clear_subsystems(struct front_line *self)
{
    for (size_t i = 0; i < self->subsystems; i++)
        free(self->subsystem[i]);
    free(self->subsystem);
    self->subsystem = NULL;
    self->subsystems = 0;
}

void front_line_free(struct front_line **self)
{
    if (*self == NULL)
        return;
    loop_stop_timer((*self)->options.loop, &(*self)->beat);
    socket_close(&(*self)->socket);
    clear_subsystems(*self);
    free((*self)->name);
    free(*self);
    *self = NULL;
}

void front_line_serve(struct front_line *self, const char *const *subsystem, size_t count)
{
    clear_subsystems(self);
    if (count > 0)
        self->subsystem = owned_array(count, sizeof *self->subsystem);
    for (size_t i = 0; i < count; i++)
        self->subsystem[self->subsystems++] = owned_text(subsystem[i]);
    say_hello(self);
}

void front_line_leave(struct front_line *self)
{
    self->leaving = true;
    front_line_serve(self, NULL, 0);
}

bool front_line_up(const struct front_line *self)
{
    return self->up;
}

enum fault_code front_line_state(const struct front_line *self)
{
    return self->up ? self->state : SERVER_AWAY;
}

uint64_t front_line_directory_age_ms(const struct front_line *self)
{
    return self->up ? self->directory_age_ms : 0;
}

const char *front_line_instance(const struct front_line *self)
{
    return self->instance;
}

const char *front_line_server(const struct front_line *self)
{
    return self->server;
}

uint64_t front_line_epoch(const struct front_line *self)
{
    return self->epoch;
}
