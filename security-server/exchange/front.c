// SPDX-License-Identifier: MIT
#include "security-server/exchange/front.h"

#include "lib/base/clock.h"
#include "lib/base/event.h"
#include "lib/base/text.h"
#include "lib/bus/bus_id.h"
#include "lib/bus/metaservice.h"
#include "lib/bus/offer.h"
#include "lib/bus/once_only.h"
#include "lib/bus/pseudonym.h"
#include "lib/crypto/seal.h"
#include "lib/net/door.h"
#include "security-server/exchange/can_i.h"
#include "security-server/exchange/client_list.h"
#include "security-server/exchange/columns_told.h"
#include "security-server/exchange/offer_parts.h"
#include "security-server/exchange/directory_freshness.h"
#include "security-server/exchange/endpoints.h"
#include "security-server/exchange/exchange_steps.h"
#include "security-server/exchange/exchange_table.h"
#include "security-server/exchange/node.h"
#include "security-server/exchange/server_list.h"
#include "security-server/exchange/subject_keys.h"
#include "security-server/exchange/once_only_desk.h"
#include "security-server/exchange/outages.h"
#include "security-server/exchange/permit_look.h"
#include "security-server/exchange/witness_desk.h"

#include "front.pb-c.h"

#include <stdlib.h>

#define SUBSYSTEMS_MAX 4096
#define ZAP_DOMAIN "front"

struct gateway {
    uint8_t route[256];
    size_t route_size;
    uint64_t run;
    int64_t beat_ms; /* steady time of its last Hello */
    bool leaving;
    size_t subsystems;
    char **subsystem;
};

struct front {
    struct node *node;
    struct client_list *clients;
    struct server_list *servers;
    struct door *door;
    size_t gateways;
    struct gateway gateway[FRONT_GATEWAYS_MAX];
    size_t turn; /* gateways are used in turn */
};

// --- sending ------------------------------------------------------------------------------------

static fault send_message(struct front *self, struct span route,
                          const Chaski__FrontMessage *message, const struct span *payload)
{
    OWNED(bytes) packed = NULL;
    fault f = bytes_new(chaski__front_message__get_packed_size(message), &packed);
    if (!failed(f)) {
        chaski__front_message__pack(message, packed->data);
        struct span frames[2] = {bytes_span(packed)};
        if (payload != NULL)
            frames[1] = *payload;
        f = socket_send(door_socket(self->door), route, frames, payload == NULL ? 1 : 2);
    }
    if (failed(f))
        EVENT(WARN, "front.message_not_sent", E_FAULT(f));
    return f;
}

static void fill_problem(const struct problem *problem, Chaski__Problem *out)
{
    chaski__problem__init(out);
    out->fault = problem->fault;
    out->detail = (char *)(uintptr_t)problem->detail;
    out->rule = (char *)(uintptr_t)problem->rule;
    out->remedy = (char *)(uintptr_t)problem->remedy;
    out->at_provider = problem->at_provider;
    out->retry_s = problem->retry_s;
}

void front_answer(struct front *self, const struct exchange *x)
{
    Chaski__FrontMessage message = CHASKI__FRONT_MESSAGE__INIT;
    Chaski__Answer answer = CHASKI__ANSWER__INIT;
    Chaski__Receipt receipt = CHASKI__RECEIPT__INIT;
    Chaski__Problem problem;
    message.body_case = CHASKI__FRONT_MESSAGE__BODY_ANSWER;
    message.answer = &answer;
    answer.ask = x->ask;
    answer.client = x->client;
    answer.service = x->service;
    if (x->answer.durable) {
        receipt.origin = x->node->log_key.name;
        receipt.index = x->answer.index;
        receipt.leaf_hash =
            (ProtobufCBinaryData){SHA256_BYTES, (uint8_t *)(uintptr_t)x->answer.leaf_hash.at};
        answer.receipt = &receipt;
    }
    struct span payload = {0};
    if (x->problem.fault != OK) {
        fill_problem(&x->problem, &problem);
        answer.problem = &problem;
    } else {
        payload = letter_payload(bytes_span(x->answer.blob));
    }
    /* a gateway that is gone: the answer stands in the log */
    ignore(send_message(self, span_of(x->gateway, x->gateway_size), &message,
                        x->problem.fault != OK ? NULL : &payload));
}

void front_send(struct front *self, struct span route, const Chaski__FrontMessage *message)
{
    ignore(send_message(self, route, message, NULL)); /* its gateway has a deadline of its own */
}

enum step_end step_deliver(struct exchange *x)
{
    outages_note(x->node->outages, x);
    if (x->gateway_size > 0) /* else a crash came between, and nobody waits any more */
        front_answer(x->node->front, x);
    return STEP_DONE;
}

/* For what never became an exchange: too much in flight, or not well formed. */
static void answer_at_once(struct front *self, struct span route, uint64_t ask, fault f)
{
    struct problem problem = {.fault = f.code};
    text_format(problem.detail, sizeof problem.detail, "%s", fault_detail());
    text_format(problem.remedy, sizeof problem.remedy, "%s", node_remedy(f.code));
    Chaski__FrontMessage message = CHASKI__FRONT_MESSAGE__INIT;
    Chaski__Answer answer = CHASKI__ANSWER__INIT;
    Chaski__Problem wire;
    fill_problem(&problem, &wire);
    answer.ask = ask;
    answer.problem = &wire;
    message.body_case = CHASKI__FRONT_MESSAGE__BODY_ANSWER;
    message.answer = &answer;
    ignore(send_message(self, route, &message, NULL)); /* its gateway has a deadline of its own */
}

// --- gateways -----------------------------------------------------------------------------------

static void gateway_clear(struct gateway *gateway)
{
    for (size_t i = 0; i < gateway->subsystems; i++)
        free(gateway->subsystem[i]);
    free(gateway->subsystem);
    *gateway = (struct gateway){0};
}

static void forget_silent(struct front *self)
{
    int64_t now_ms = clock_steady_ms();
    for (size_t i = 0; i < self->gateways;) {
        if (now_ms - self->gateway[i].beat_ms <= FRONT_LOST_MS) {
            i++;
            continue;
        }
        gateway_clear(&self->gateway[i]);
        self->gateway[i] = self->gateway[--self->gateways];
        self->gateway[self->gateways] = (struct gateway){0}; /* its texts have moved */
        EVENT(WARN, "front.gateway_lost", E_NUMBER("gateways", self->gateways));
    }
}

static struct gateway *gateway_of(struct front *self, struct span route)
{
    for (size_t i = 0; i < self->gateways; i++)
        if (span_equal(span_of(self->gateway[i].route, self->gateway[i].route_size), route))
            return &self->gateway[i];
    forget_silent(self);
    if (self->gateways == FRONT_GATEWAYS_MAX || route.size > sizeof self->gateway[0].route)
        return NULL;
    struct gateway *gateway = &self->gateway[self->gateways++];
    memcpy(gateway->route, route.at, route.size);
    gateway->route_size = route.size;
    EVENT(INFO, "front.gateway_arrived", E_NUMBER("gateways", self->gateways));
    return gateway;
}

static void welcome(struct front *self, struct span route)
{
    Chaski__FrontMessage message = CHASKI__FRONT_MESSAGE__INIT;
    Chaski__Welcome welcome = CHASKI__WELCOME__INIT;
    message.body_case = CHASKI__FRONT_MESSAGE__BODY_WELCOME;
    message.welcome = &welcome;
    welcome.server = self->node->config->server;
    welcome.run = self->node->run;
    welcome.state = node_ready(self->node).code;
    welcome.body_bytes_max = (uint64_t)self->node->config->body_bytes_max;
    welcome.instance = (char *)(uintptr_t)directory_instance(self->node->directory);
    welcome.epoch = directory_epoch(self->node->directory);
    welcome.directory_age_ms = (uint64_t)directory_freshness_age_ms(self->node->freshness);
    ignore(send_message(self, route, &message, NULL)); /* its gateway has a deadline of its own */
}

static void take_hello(struct front *self, struct span route, const Chaski__Hello *hello)
{
    struct gateway *gateway = gateway_of(self, route);
    if (gateway == NULL || hello->n_subsystem > SUBSYSTEMS_MAX)
        return;
    for (size_t i = 0; i < gateway->subsystems; i++)
        free(gateway->subsystem[i]);
    gateway->subsystem = owned_grow(gateway->subsystem, hello->n_subsystem, sizeof(char *));
    gateway->subsystems = hello->n_subsystem;
    for (size_t i = 0; i < hello->n_subsystem; i++)
        gateway->subsystem[i] = owned_text(hello->subsystem[i]);
    gateway->run = hello->run;
    gateway->leaving = hello->leaving;
    gateway->beat_ms = clock_steady_ms();
    welcome(self, route);
}

// --- asking -------------------------------------------------------------------------------------

static fault check_id_text(const char *what, const char *text, unsigned parts, bool may_be_empty)
{
    struct bus_id id;
    char canonical[ID_TEXT_BYTES_MAX + 1];
    if (text[0] == '\0' && may_be_empty)
        return DONE;
    TRY(bus_id_parse(span_of_text(text), parts, parts, &id));
    bus_id_text(&id, parts, canonical, sizeof canonical);
    return strcmp(canonical, text) == 0 ? DONE : RAISE(BAD_NAME, "%s is not canonical", what);
}

static bool words_hold_number(const Chaski__Want *want, const char *person)
{
    const char *words[] = {want->purpose, want->procedure, want->legal_basis, want->case_ref,
                           want->requirement};
    bool any = false;
    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++)
        any = any || pseudonym_is_told_by(words[i], person);
    return any;
}

static fault check_person(const Chaski__Want *want)
{
    char person[PSEUDONYM_TEXT_ROOM];
    bool year = want->subject_year >= SUBJECT_YEAR_FIRST && want->subject_year <= SUBJECT_YEAR_LAST;
    if ((want->subject_year != 0 && !year) ||
        (want->subject.len != 0 && (want->subject.len != PSEUDONYM_BYTES || !year)) ||
        (want->subject.len != 0 && want->person[0] != '\0'))
        return RAISE(SUBJECT_BAD, "a pseudonym has %d bytes and a year, and stands alone",
                     PSEUDONYM_BYTES);
    if ((want->sealed_until_ms != 0) != (want->sealing[0] != '\0') ||
        strlen(want->sealing) > WORD_BYTES_MAX || !text_is_plain(span_of_text(want->sealing)) ||
        want->sealed_until_ms > INT64_MAX)
        return RAISE(SUBJECT_BAD, "a seal names an act and a day");
    if (want->person[0] == '\0')
        return DONE;
    fault f = pseudonym_normalise(span_of_text(want->person), person);
    bool same = failed(f) || strcmp(person, want->person) == 0;
    bool written = !failed(f) && words_hold_number(want, person);
    seal_wipe(person, sizeof person);
    if (written)
        return RAISE(SUBJECT_BAD, "case, procedure, requirement, legal basis or purpose hold the "
                                  "number itself, and are signed in the clear: name a case");
    return same ? f : RAISE(SUBJECT_BAD, "a document that is not in its one form");
}

static fault check_want(const Chaski__Want *want)
{
    TRY(check_id_text("client", want->client, ID_SUBSYSTEM, false));
    TRY(check_id_text("service", want->service, ID_SERVICE, false));
    TRY(check_id_text("security server", want->security_server, ID_SERVER, true));
    const char *words[] = {want->purpose,  want->procedure,   want->legal_basis,
                           want->case_ref, want->requirement, want->source};
    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++)
        if (strlen(words[i]) > WORD_BYTES_MAX || !text_is_plain(span_of_text(words[i])))
            return RAISE(BAD_REQUEST,
                         "purpose, procedure, requirement, source, legal basis or case is not "
                         "plain text of at most %d bytes",
                         WORD_BYTES_MAX);
    if (want->wait_ms < DEADLINE_MS_LEAST || want->wait_ms > DEADLINE_MS_MAX)
        return RAISE(DEADLINE_BAD, "%u ms is outside %d..%d", want->wait_ms, DEADLINE_MS_LEAST,
                     DEADLINE_MS_MAX);
    if (want->exchange_id.len != EXCHANGE_ID_BYTES)
        return RAISE(BAD_REQUEST, "no exchange id");
    return check_person(want);
}

static struct exchange *exchange_of(struct front *self, struct span route, uint64_t ask,
                                    const Chaski__Want *want, const char *endpoint)
{
    struct exchange *x = exchange_new(self->node, ROLE_CONSUMER, want->exchange_id.data);
    x->client = owned_text(want->client);
    x->service = owned_text(want->service);
    x->wanted_server = owned_text(want->security_server);
    x->purpose = owned_text(want->purpose);
    x->procedure = owned_text(want->procedure);
    x->legal_basis = owned_text(want->legal_basis);
    x->case_ref = owned_text(want->case_ref);
    x->endpoint = owned_text(endpoint);
    x->requirement = owned_text(want->requirement);
    x->source = owned_text(want->source);
    x->deadline_ms = clock_wall_ms() + want->wait_ms;
    text_format(x->person, sizeof x->person, "%s", want->person);
    seal_wipe(want->person, strlen(want->person));
    if (want->subject.len == PSEUDONYM_BYTES)
        memcpy(x->subject.at, want->subject.data, PSEUDONYM_BYTES);
    x->subject_year = want->subject_year;
    x->sealing = owned_text(want->sealing);
    x->sealed_until_ms = (int64_t)want->sealed_until_ms;
    memcpy(x->gateway, route.at, route.size);
    x->gateway_size = route.size;
    x->ask = ask;
    return x;
}

static fault take_ask(struct front *self, struct span route, const Chaski__Ask *ask,
                      struct span payload)
{
    const Chaski__Want *want = ask->want;
    TRY(node_begun(self->node));
    if (want == NULL)
        return RAISE(BAD_REQUEST, "an ask without a want");
    const char *endpoint = "";
    TRY(check_want(want));
    TRY(endpoints_wanted(self->node->directory, want, &endpoint));
    if (payload.size > PAYLOAD_BYTES_MAX)
        return RAISE(BODY_TOO_LARGE, "%zu bytes", payload.size);
    OWNED(bytes) blob = NULL;
    TRY(letter_blob(payload, &blob));
    struct exchange *x = exchange_of(self, route, ask->ask, want, endpoint);
    x->request.blob = TAKE(blob);
    fault f = exchange_table_add(self->node->table, x);
    if (failed(f)) {
        exchange_free(&x);
        return f;
    }
    exchange_start(x);
    return DONE;
}

static void answer_admit(struct front *self, struct span route, uint64_t ask,
                         const struct problem *problem)
{
    Chaski__FrontMessage message = CHASKI__FRONT_MESSAGE__INIT;
    Chaski__Admitted admitted = CHASKI__ADMITTED__INIT;
    Chaski__Problem wire;
    message.body_case = CHASKI__FRONT_MESSAGE__BODY_ADMITTED;
    message.admitted = &admitted;
    admitted.ask = ask;
    if (problem->fault != OK) {
        fill_problem(problem, &wire);
        admitted.problem = &wire;
    }
    ignore(send_message(self, route, &message, NULL)); /* its gateway has a deadline of its own */
}

/* Admitted, or refused at once. A refusal is evidence as it would be with its body: it walks, and
 * the gateway hears an Answer with a receipt in place of the Admitted. */
static void take_admit(struct front *self, struct span route, const Chaski__Admit *question)
{
    struct problem problem = {0};
    const struct directory_server *peer = NULL;
    const Chaski__Want *want = question->want;
    const char *endpoint = "";
    fault f = node_begun(self->node);
    if (!failed(f))
        f = want == NULL ? RAISE(BAD_REQUEST, "an admit without a want") : check_want(want);
    if (!failed(f))
        f = endpoints_wanted(self->node->directory, want, &endpoint);
    if (failed(f)) {
        problem.fault = f.code;
        text_format(problem.detail, sizeof problem.detail, "%s", fault_detail());
        text_format(problem.remedy, sizeof problem.remedy, "%s", node_remedy(f.code));
        answer_admit(self, route, question->ask, &problem);
        return;
    }
    struct admission admission = {.client = want->client,
                                  .service = want->service,
                                  .wanted_server = want->security_server,
                                  .purpose = want->purpose,
                                  .payload_bytes = want->payload_bytes,
                                  .endpoint = endpoint,
                                  .procedure = want->procedure,
                                  .requirement = want->requirement,
                                  .source = want->source,
                                  .names_nobody =
                                      want->person[0] == '\0' && want->subject.len == 0};
    admit(self->node, &admission, &problem, &peer);
    if (problem.fault == OK) {
        answer_admit(self, route, question->ask, &problem);
        return;
    }
    struct exchange *x = exchange_of(self, route, question->ask, want, endpoint);
    x->problem = problem;
    if (failed(exchange_table_add(self->node->table, x))) {
        exchange_free(&x);
        answer_admit(self, route, question->ask, &problem);
        return;
    }
    exchange_start_refused(x);
}

// --- witnessing ---------------------------------------------------------------------------------

void front_answer_witness(struct front *self, struct span route, uint64_t ask, unsigned status,
                          struct span body)
{
    Chaski__FrontMessage message = CHASKI__FRONT_MESSAGE__INIT;
    Chaski__WitnessAnswer answer = CHASKI__WITNESS_ANSWER__INIT;
    message.body_case = CHASKI__FRONT_MESSAGE__BODY_WITNESS_ANSWER;
    message.witness_answer = &answer;
    answer.ask = ask;
    answer.status = status;
    answer.body = (ProtobufCBinaryData){body.size, (uint8_t *)(uintptr_t)body.at};
    ignore(send_message(self, route, &message, NULL)); /* the log asks again */
}

static void take_witness_ask(struct front *self, struct span route, const Chaski__WitnessAsk *ask)
{
    struct log_talk_reply reply = {.id = ask->ask, .route_size = route.size};
    if (route.size > sizeof reply.route)
        return;
    memcpy(reply.route, route.at, route.size);
    witness_desk_take(self->node->witness, NULL, span_of(ask->body.data, ask->body.len), &reply);
}

// --- who there is ------------------------------------------------------------------------------

static void fill_clients(const struct client_page *page, Chaski__Client *client,
                         Chaski__Client **pointer, Chaski__ClientsPage *out)
{
    out->epoch = page->epoch;
    out->from = page->from;
    out->total = page->total;
    out->n_client = page->count;
    out->client = pointer;
    for (size_t i = 0; i < page->count; i++) {
        chaski__client__init(&client[i]);
        client[i].id = (char *)(uintptr_t)page->client[i].id;
        client[i].name = (char *)(uintptr_t)page->client[i].name;
        client[i].subsystem_name = (char *)(uintptr_t)page->client[i].subsystem_name;
        pointer[i] = &client[i];
    }
}

static void take_clients_ask(struct front *self, struct span route, const Chaski__ClientsAsk *ask)
{
    Chaski__FrontMessage message = CHASKI__FRONT_MESSAGE__INIT;
    Chaski__ClientsPage wire = CHASKI__CLIENTS_PAGE__INIT;
    Chaski__Client client[CLIENTS_PAGE_MAX], *pointer[CLIENTS_PAGE_MAX];
    Chaski__Problem wire_problem;
    struct problem problem = {0};
    struct client_page page;
    message.body_case = CHASKI__FRONT_MESSAGE__BODY_CLIENTS_PAGE;
    message.clients_page = &wire;
    wire.ask = ask->ask;
    fault f = node_ready(self->node);
    if (!failed(f)) {
        client_list_page(self->clients, self->node->directory, ask->epoch, ask->from, &page);
        fill_clients(&page, client, pointer, &wire);
    } else {
        problem.fault = f.code;
        text_format(problem.detail, sizeof problem.detail, "%s", fault_detail());
        fill_problem(&problem, &wire_problem);
        wire.problem = &wire_problem;
    }
    ignore(send_message(self, route, &message, NULL)); /* its gateway has a deadline of its own */
}

// --- whose logs there are -----------------------------------------------------------------------

/* A year has one key, so there are no more of them than years. */
static size_t fill_years(const struct front *self,
                         Chaski__SubjectYear year[SUBJECT_YEAR_LAST - SUBJECT_YEAR_FIRST + 1])
{
    const struct directory *directory = self->node->directory;
    const struct directory_subject_key *key = NULL;
    size_t count = 0, step = 0;
    while (count <= SUBJECT_YEAR_LAST - SUBJECT_YEAR_FIRST &&
           (key = directory_next_subject_key(directory, &step)) != NULL) {
        bool held = subject_keys_holds(self->node->subject_keys, key->year);
        chaski__subject_year__init(&year[count]);
        year[count].year = key->year;
        year[count++].state = key->destroyed ? 3 : held ? 1 : 2;
    }
    return count;
}

static void take_servers_ask(struct front *self, struct span route, const Chaski__ServersAsk *ask)
{
    Chaski__FrontMessage message = CHASKI__FRONT_MESSAGE__INIT;
    Chaski__ServersPage wire = CHASKI__SERVERS_PAGE__INIT;
    Chaski__Server server[SERVERS_PAGE_MAX], *pointer[SERVERS_PAGE_MAX];
    Chaski__SubjectYear year[SUBJECT_YEAR_LAST - SUBJECT_YEAR_FIRST + 1],
        *years[sizeof year / sizeof year[0]];
    Chaski__Problem wire_problem;
    struct problem problem = {0};
    message.body_case = CHASKI__FRONT_MESSAGE__BODY_SERVERS_PAGE;
    message.servers_page = &wire;
    wire.ask = ask->ask;
    fault f = node_ready(self->node);
    if (failed(f)) {
        problem.fault = f.code;
        text_format(problem.detail, sizeof problem.detail, "%s", fault_detail());
        fill_problem(&problem, &wire_problem);
        wire.problem = &wire_problem;
    } else {
        size_t total = server_list_look(self->servers, self->node->directory);
        wire.epoch = directory_epoch(self->node->directory);
        wire.from = ask->epoch != 0 && ask->epoch != wire.epoch ? 0 : ask->from;
        wire.total = (uint32_t)total;
        wire.server = pointer;
        wire.subject_year = years;
        wire.n_subject_year = wire.from == 0 ? fill_years(self, year) : 0;
        for (size_t i = 0; i < wire.n_subject_year; i++)
            years[i] = &year[i];
        for (size_t at = wire.from; at < total && wire.n_server < SERVERS_PAGE_MAX; at++) {
            const struct server_line *line = server_list_at(self->servers, at);
            pointer[wire.n_server] = &server[wire.n_server];
            chaski__server__init(&server[wire.n_server]);
            server[wire.n_server].id = (char *)(uintptr_t)line->server;
            server[wire.n_server].subsystem = (char *)(uintptr_t)line->subsystem;
            server[wire.n_server++].name = (char *)(uintptr_t)line->name;
        }
    }
    ignore(send_message(self, route, &message, NULL)); /* its gateway has a deadline of its own */
}

// --- may I? ------------------------------------------------------------------------------------

static char *lend(const char *text)
{
    return (char *)(uintptr_t)text;
}

static void answer_can(struct front *self, struct span route, uint64_t ask, const struct can_i *can)
{
    Chaski__FrontMessage message = CHASKI__FRONT_MESSAGE__INIT;
    Chaski__CanAnswer wire = CHASKI__CAN_ANSWER__INIT;
    Chaski__CanStep step[POLICY_STEPS_MAX], *pointer[POLICY_STEPS_MAX];
    Chaski__Problem problem;
    message.body_case = CHASKI__FRONT_MESSAGE__BODY_CAN_ANSWER;
    message.can_answer = &wire;
    fill_problem(&can->problem, &problem);
    wire.ask = ask;
    wire.problem = can->problem.fault == OK ? NULL : &problem;
    wire.rule = lend(can->problem.rule);
    wire.epoch = can->epoch;
    wire.step = pointer;
    for (; wire.n_step < can->trace.steps; wire.n_step++) {
        const struct policy_step *from = &can->trace.step[wire.n_step];
        chaski__can_step__init(&step[wire.n_step]);
        step[wire.n_step].name = lend(from->name);
        step[wire.n_step].holds = from->holds;
        step[wire.n_step].detail = lend(from->detail);
        pointer[wire.n_step] = &step[wire.n_step];
    }
    OWNED(columns_told) told = columns_told_can(&can->columns, &wire);
    wire.volume_a_day = can->volume_a_day;
    wire.used_today = can->used_today;
    wire.rate = can->rate;
    wire.subject_required = can->subject_required;
    wire.missing = lend(can->trace.missing == NULL ? "" : can->trace.missing);
    wire.supplier = lend(can->trace.supplier);
    wire.command = lend(can->trace.command);
    ignore(send_message(self, route, &message, NULL)); /* its gateway has a deadline of its own */
}

static void take_can_ask(struct front *self, struct span route, const Chaski__CanAsk *question)
{
    struct can_i can = {0};
    const Chaski__Want *want = question->want;
    const char *endpoint = "";
    fault f = node_begun(self->node);
    if (!failed(f))
        f = want == NULL || question->at_ms > CAN_I_MS_MAX
                ? RAISE(BAD_REQUEST, "a question without a want, or about no time")
                : check_want(want);
    if (!failed(f))
        f = endpoints_wanted(self->node->directory, want, &endpoint);
    if (failed(f)) {
        can.problem.fault = f.code;
        text_format(can.problem.detail, sizeof can.problem.detail, "%s", fault_detail());
        text_format(can.problem.remedy, sizeof can.problem.remedy, "%s", node_remedy(f.code));
    } else {
        struct admission admission = {.client = want->client,
                                      .service = want->service,
                                      .wanted_server = want->security_server,
                                      .purpose = want->purpose,
                                      .endpoint = endpoint,
                                      .procedure = want->procedure,
                                      .requirement = want->requirement,
                                      .source = want->source,
                                      .at_ms = (int64_t)question->at_ms};
        can_i(self->node, &admission, &can);
    }
    answer_can(self, route, question->ask, &can);
}

// --- calling our own service --------------------------------------------------------------------

static bool serves(const struct gateway *gateway, const char *subsystem)
{
    for (size_t i = 0; i < gateway->subsystems; i++)
        if (strcmp(gateway->subsystem[i], subsystem) == 0)
            return true;
    return false;
}

static bool serves_somebody_of(const struct gateway *gateway, const char *subsystem)
{
    struct span member = bus_id_prefix(span_of_text(subsystem), ID_MEMBER);
    for (size_t i = 0; i < gateway->subsystems; i++)
        if (span_equal(bus_id_prefix(span_of_text(gateway->subsystem[i]), ID_MEMBER), member))
            return true;
    return false;
}

static bool serves_nobody(const struct gateway *gateway, const char *subsystem)
{
    (void)subsystem;
    return gateway->subsystems == 0;
}

static struct gateway *next_gateway(struct front *self, const char *subsystem,
                                    bool (*fits)(const struct gateway *, const char *))
{
    for (size_t i = 0; i < self->gateways; i++) {
        struct gateway *gateway = &self->gateway[(self->turn + i) % self->gateways];
        if (!gateway->leaving && fits(gateway, subsystem)) {
            self->turn = (self->turn + i + 1) % self->gateways;
            return gateway;
        }
    }
    return NULL;
}

/* A subsystem that only calls has no services and no gateway that serves it, and still says so
 * when it is asked what it offers: by a gateway of its own member, or of nobody. Never by one of
 * another member, which would read what was asked. */
static struct gateway *choose_gateway(struct front *self, const char *subsystem, bool metadata)
{
    forget_silent(self);
    struct gateway *gateway = next_gateway(self, subsystem, serves);
    if (gateway == NULL && metadata)
        gateway = next_gateway(self, subsystem, serves_somebody_of);
    if (gateway == NULL && metadata)
        gateway = next_gateway(self, subsystem, serves_nobody);
    return gateway;
}

/* The directory's part of an answer about what is offered, by the directory of now. */
static fault make_offer(const struct exchange *x, enum metaservice metaservice,
                        const struct policy_question *caller, struct offer *out)
{
    const struct directory *directory = x->node->directory;
    const struct directory_subsystem *provider =
        directory_subsystem(directory, header_of(x->request.read)->receiver);
    if (provider == NULL)
        return RAISE(UNKNOWN_SERVICE, "%s", x->service);
    return offer_of(directory, provider, metaservice == METASERVICE_ALLOWED_METHODS ? caller : NULL,
                    out);
}

static fault fill_offer(const struct exchange *x, enum metaservice metaservice, struct offer *offer,
                        struct arena *memory, Chaski__Offer *out)
{
    const struct header *request = header_of(x->request.read);
    const struct policy_question caller = {
        .client = request->sender, .purpose = request->purpose, .at_ms = clock_wall_ms()};
    TRY(make_offer(x, metaservice, &caller, offer));
    offer_parts_tell(memory, x->node->directory, offer, metaservice, &caller, out);
    out->n_code = offer->count;
    out->code = owned_array(offer->count == 0 ? 1 : offer->count, sizeof *out->code);
    for (size_t i = 0; i < offer->count; i++)
        out->code[i] = (char *)(uintptr_t)(strrchr(offer->service[i]->id, '/') + 1);
    out->subject = owned_array(offer->count + 1, sizeof *out->subject);
    for (size_t i = 0; i < offer->count; i++)
        if (offer->service[i]->subject_required)
            out->subject[out->n_subject++] = out->code[i];
    return DONE;
}

/* The gateway alone reads the request: is it the query of the source that the header names? */
static fault tell_source(const struct exchange *x, Chaski__Call *call)
{
    struct span named = header_of(x->request.read)->source;
    if (named.size == 0)
        return DONE;
    const struct directory_source *source = directory_source(x->node->directory, named);
    if (source == NULL)
        return RAISE(UNKNOWN_ENDPOINT, "the source that it names is no longer in the directory");
    call->source = lend(source->id);
    call->source_path = lend(source->path);
    return DONE;
}

static fault send_call(struct front *self, const struct gateway *gateway, struct exchange *x,
                       int64_t wait_ms, Chaski__Offer *offer)
{
    Chaski__FrontMessage message = CHASKI__FRONT_MESSAGE__INIT;
    Chaski__Call call = CHASKI__CALL__INIT;
    OWNED(endpoint_rules) rules = NULL;
    TRY(endpoints_tell(self->node->directory, header_of(x->request.read)->service, x->endpoint,
                       &call, &rules));
    OWNED(columns_told) told = columns_told_call(x->columns, &call);
    TRY(tell_source(x, &call));
    exchange_table_call(self->node->table, x);
    message.body_case = CHASKI__FRONT_MESSAGE__BODY_CALL;
    message.call = &call;
    call.call = x->call;
    call.exchange_id = (ProtobufCBinaryData){EXCHANGE_ID_BYTES, x->id};
    call.client = x->client;
    call.service = x->service;
    call.purpose = x->purpose;
    call.wait_ms = (uint32_t)wait_ms;
    call.offer = offer;
    struct span payload = letter_payload(bytes_span(x->request.blob));
    memcpy(x->gateway, gateway->route, gateway->route_size);
    x->gateway_size = gateway->route_size;
    fault f = send_message(self, span_of(x->gateway, x->gateway_size), &message, &payload);
    if (!failed(f))
        return DONE;
    exchange_table_called_back(self->node->table, x);
    return RAISE(SERVICE_DOWN, "the gateway that serves %s takes nothing", x->service);
}

fault front_call(struct front *self, struct exchange *x, int64_t wait_ms)
{
    const struct header *request = header_of(x->request.read);
    char subsystem[ID_TEXT_BYTES_MAX + 1];
    text_format(subsystem, sizeof subsystem, "%.*s", (int)request->receiver.size,
                (const char *)request->receiver.at);
    enum metaservice metaservice = metaservice_of(request->service);
    struct gateway *gateway = choose_gateway(self, subsystem, metaservice != METASERVICE_NONE);
    if (gateway == NULL)
        return RAISE(SERVICE_DOWN, "no gateway that serves %s is connected", subsystem);
    struct offer offer = {0};
    struct arena memory = {0};
    Chaski__Offer wire = CHASKI__OFFER__INIT;
    if (metaservice != METASERVICE_NONE)
        TRY(fill_offer(x, metaservice, &offer, &memory, &wire)); /* takes nothing when it fails */
    fault f = send_call(self, gateway, x, wait_ms, metaservice == METASERVICE_NONE ? NULL : &wire);
    free(wire.code);
    free(wire.subject);
    arena_clear(&memory);
    offer_clear(&offer);
    return f;
}

static fault problem_of(const Chaski__Problem *problem)
{
    enum fault_code code = fault_known(problem->fault) && problem->fault != OK
                               ? (enum fault_code)problem->fault
                               : INTERNAL;
    return RAISE(code, "%s", problem->detail);
}

static void take_done(struct front *self, struct span route, const Chaski__Done *done,
                      struct span payload)
{
    struct exchange *x = exchange_table_called(self->node->table, done->call);
    if (x == NULL || x->wait != WAIT_SERVICE)
        return; /* its deadline passed meanwhile */
    if (!span_equal(span_of(x->gateway, x->gateway_size), route)) {
        EVENT(WARN, "front.message_refused",
              E_TEXT("detail", "an answer to a call that was given to another gateway"));
        return;
    }
    exchange_table_called_back(self->node->table, x);
    loop_stop_timer(self->node->loop, &x->deadline);
    fault f = done->problem != NULL ? problem_of(done->problem) : DONE;
    if (!failed(f) && payload.size > node_payload_bytes_max(self->node))
        f = RAISE(SERVICE_TOO_LARGE, "%zu bytes", payload.size);
    if (!failed(f))
        f = letter_blob(payload, &x->answer.blob);
    x->status = done->status;
    if (failed(f))
        exchange_fail(x, f);
    else
        exchange_resume(x);
}

// --- arriving -----------------------------------------------------------------------------------

static void take_message(struct front *self, struct span route, const Chaski__FrontMessage *message,
                         struct span payload)
{
    fault f;
    switch (message->body_case) {
    case CHASKI__FRONT_MESSAGE__BODY_HELLO:
        take_hello(self, route, message->hello);
        return;
    case CHASKI__FRONT_MESSAGE__BODY_ADMIT:
        take_admit(self, route, message->admit);
        return;
    case CHASKI__FRONT_MESSAGE__BODY_ASK:
        f = take_ask(self, route, message->ask, payload);
        if (failed(f))
            answer_at_once(self, route, message->ask->ask, f);
        return;
    case CHASKI__FRONT_MESSAGE__BODY_WITNESS_ASK:
        take_witness_ask(self, route, message->witness_ask);
        return;
    case CHASKI__FRONT_MESSAGE__BODY_CLIENTS_ASK:
        take_clients_ask(self, route, message->clients_ask);
        return;
    case CHASKI__FRONT_MESSAGE__BODY_SERVERS_ASK:
        take_servers_ask(self, route, message->servers_ask);
        return;
    case CHASKI__FRONT_MESSAGE__BODY_CAN_ASK:
        take_can_ask(self, route, message->can_ask);
        return;
    case CHASKI__FRONT_MESSAGE__BODY_PLAN_ASK:
        once_only_plan(self->node, route, message->plan_ask);
        return;
    case CHASKI__FRONT_MESSAGE__BODY_PERMIT_ASK:
        once_only_permit(self->node, route, message->permit_ask);
        return;
    case CHASKI__FRONT_MESSAGE__BODY_PERMIT_LOOK:
        permit_look(self->node, route, message->permit_look);
        return;
    case CHASKI__FRONT_MESSAGE__BODY_DONE:
        take_done(self, route, message->done, payload);
        return;
    default:
        EVENT(WARN, "front.message_refused", E_TEXT("detail", "of no known kind"));
    }
}

static void on_message(void *owner, const struct message *message)
{
    struct front *self = owner;
    struct span head = message->count > 0 ? message->frame[0] : (struct span){0};
    Chaski__FrontMessage *front = NULL;
    if (message->count >= 1 && message->count <= 2 && head.size <= FRONT_HEAD_BYTES_MAX * 8)
        front = chaski__front_message__unpack(NULL, head.size, head.at);
    if (front == NULL) {
        EVENT(WARN, "front.message_refused", E_NUMBER("frames", message->count));
        return;
    }
    take_message(self, message->from, front,
                 message->count == 2 ? message->frame[1] : (struct span){0});
    chaski__front_message__free_unpacked(front, NULL);
}

fault front_open(struct node *node, const char *address, struct front **out)
{
    OWNED(front) self = owned_new(sizeof *self);
    struct door_options options = {
        .loop = node->loop,
        .net = node->net,
        .address = address,
        .domain = ZAP_DOMAIN,
        .own = &node->transport,
        .keys = &node->config->gateway_keys,
        .queue_messages = FRONT_QUEUE_MESSAGES,
        .message_bytes_max = PAYLOAD_BYTES_MAX,
    };
    self->node = node;
    self->clients = client_list_new();
    self->servers = server_list_new();
    TRY(door_open(&options, on_message, self, &self->door));
    *out = TAKE(self);
    return DONE;
}

void front_free(struct front **self)
{
    if (*self == NULL)
        return;
    door_free(&(*self)->door);
    client_list_free(&(*self)->clients);
    server_list_free(&(*self)->servers);
    for (size_t i = 0; i < (*self)->gateways; i++)
        gateway_clear(&(*self)->gateway[i]);
    free(*self);
    *self = NULL;
}
