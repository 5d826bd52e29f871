// SPDX-License-Identifier: MIT
#include "gateway/once_only.h"

#include "gateway/collect.h"
#include "gateway/once_only_ask.h"
#include "gateway/once_only_counts.h"
#include "gateway/plan_json.h"
#include "gateway/qr.h"
#include "gateway/refusal_http.h"
#include "gateway/rest_headers.h"
#include "gateway/uuid.h"
#include "gateway/write.h"
#include "lib/base/text.h"
#include "lib/bus/permit_code.h"
#include "lib/bus/pseudonym.h"
#include "lib/crypto/seal.h"

#include "front.pb-c.h"

#include <stdlib.h>

#define PLAN "/once-only/v1/plan"
#define COLLECT "/once-only/v1/collect"
#define PERMIT "/once-only/v1/ask-permit"
#define LOOK "/permits/"
#define SVG ".svg"
/* Of exchanges of collections; subjects.c has the bit below, and callers' exchanges all others. */
#define EXCHANGE_BIT (UINT64_C(1) << 63)

enum errand { NO_ERRAND, GET_PLAN, GET_EVIDENCE, GET_PERMIT, SEE_PERMIT, SEE_QR };
enum stage { READING_BODY, ASKED, COLLECTING };

/* One caller who waits. */
struct seat {
    struct once_only *owner;
    struct http_connection *connection;
    enum errand errand;
    enum stage stage;
    uint64_t ask;
    uint32_t wait_ms;
    char client[ID_TEXT_BYTES_MAX + 1];
    struct once_only_ask *wanted;
    struct collect *collect;
    struct loop_timer timer;
};

struct once_only {
    struct gateway *gateway;
    uint64_t last_ask;
    struct seat seat[ONCE_ONLY_ASKS_MAX];
    struct once_only_counts counts;
};

struct once_only *once_only_new(struct gateway *gateway)
{
    struct once_only *self = owned_new(sizeof *self);
    self->gateway = gateway;
    for (size_t i = 0; i < ONCE_ONLY_ASKS_MAX; i++)
        self->seat[i].owner = self;
    return self;
}

static void let_go(struct seat *seat)
{
    loop_stop_timer(seat->owner->gateway->loop, &seat->timer);
    collect_free(&seat->collect);
    if (seat->wanted != NULL)
        seal_wipe(seat->wanted, sizeof *seat->wanted); /* it names a person */
    free(seat->wanted);
    *seat = (struct seat){.owner = seat->owner};
}

void once_only_free(struct once_only **self)
{
    if (*self == NULL)
        return;
    for (size_t i = 0; i < ONCE_ONLY_ASKS_MAX; i++)
        let_go(&(*self)->seat[i]);
    once_only_counts_clear(&(*self)->counts);
    free(*self);
    *self = NULL;
}

void once_only_metrics(const struct once_only *self, struct bytes *out)
{
    once_only_counts_write(&self->counts, out);
}

size_t once_only_live(const struct once_only *self)
{
    size_t live = 0;
    for (size_t i = 0; i < ONCE_ONLY_ASKS_MAX; i++)
        live += self->seat[i].errand != NO_ERRAND;
    return live;
}

// --- answering ----------------------------------------------------------------------------------

static void refuse(struct gateway *gateway, struct http_connection *connection, fault f)
{
    uint8_t id[UUID_BYTES];
    char text[UUID_TEXT_ROOM];
    uuid_make(id);
    uuid_text(id, text);
    refusal_send_early(gateway, connection, f, text, NULL);
}

/* The seat is emptied first: an answer may end its connection, and others'. */
static void fail(struct seat *seat, fault f)
{
    struct gateway *gateway = seat->owner->gateway;
    struct http_connection *connection = seat->connection;
    let_go(seat);
    if (connection != NULL)
        refuse(gateway, connection, f);
}

/* A refusal as the security server worded it. */
static void fail_with(struct seat *seat, const Chaski__Problem *problem)
{
    struct gateway *gateway = seat->owner->gateway;
    struct http_connection *connection = seat->connection;
    uint8_t id[UUID_BYTES];
    char text[UUID_TEXT_ROOM];
    bool known = problem->fault != OK && fault_known(problem->fault);
    struct refusal refusal = {.code = known ? (enum fault_code)problem->fault : INTERNAL,
                              .detail = problem->detail,
                              .remedy = problem->remedy,
                              .exchange = text};
    uuid_make(id);
    uuid_text(id, text);
    let_go(seat);
    if (connection != NULL)
        refusal_send(gateway, connection, &refusal, NULL, NULL);
}

static void answer_body(struct http_connection *connection, const char *type, struct span body)
{
    struct bytes *head = http_connection_begin(connection, 200);
    http_field_write_text(head, "Content-Type", type);
    http_field_write_text(head, "Cache-Control", "no-store");
    http_field_write_text(head, "X-Content-Type-Options", "nosniff");
    http_connection_answer(connection, false, body);
}

/* Takes the JSON over. */
static void answer_json(struct seat *seat, json_t *root)
{
    char *text = root == NULL ? NULL : json_dumps(root, JSON_INDENT(2) | JSON_PRESERVE_ORDER);
    json_decref(root);
    size_t size = text == NULL ? 0 : strlen(text);
    if (text == NULL) {
        fail(seat, RAISE(BAD_FRAME, "an answer that is no UTF-8"));
    } else if (size > HTTP_ANSWER_UNCOUNTED && !http_connection_has_room(seat->connection, size)) {
        fail(seat, RAISE(OVERLOADED, "there is no room for an answer of %zu bytes", size));
    } else {
        struct http_connection *connection = seat->connection;
        let_go(seat);
        answer_body(connection, "application/json; charset=utf-8", span_of(text, size));
    }
    free(text);
}

// --- from the security server -------------------------------------------------------------------

static struct seat *seat_of(struct once_only *self, uint64_t ask)
{
    for (size_t i = 0; i < ONCE_ONLY_ASKS_MAX; i++)
        if (self->seat[i].errand != NO_ERRAND && self->seat[i].stage == ASKED &&
            self->seat[i].ask == ask)
            return &self->seat[i];
    return NULL; /* its time was over, or its caller went away */
}

static uint64_t next_exchange(void *owner)
{
    struct seat *seat = owner;
    return EXCHANGE_BIT | ++seat->owner->last_ask;
}

static void collected(void *owner, json_t *result)
{
    struct seat *seat = owner;
    once_only_counts_add(
        &seat->owner->counts, json_string_value(json_object_get(result, "procedure")),
        json_is_true(json_object_get(result, "complete")) ? COUNT_COMPLETE : COUNT_INCOMPLETE);
    answer_json(seat, result);
}

static void on_collect_timer(struct loop_timer *timer)
{
    struct seat *seat = timer->owner;
    collect_give_up(seat->collect,
                    RAISE(DEADLINE_PASSED, "the security server did not answer in time"));
}

static void begin_collection(struct seat *seat, const Chaski__PlanAnswer *plan)
{
    struct loop *loop = seat->owner->gateway->loop;
    struct collect_options options = {.gateway = seat->owner->gateway,
                                      .client = seat->client,
                                      .wanted = seat->wanted,
                                      .wait_ms = seat->wait_ms,
                                      .next_ask = next_exchange,
                                      .done = collected,
                                      .owner = seat};
    seat->stage = COLLECTING;
    seat->collect = collect_new(&options, plan);
    loop_stop_timer(loop, &seat->timer);
    seat->timer = (struct loop_timer){.fire = on_collect_timer, .owner = seat};
    loop_set_timer(loop, &seat->timer, (int64_t)seat->wait_ms + COLLECT_GRACE_MS);
    collect_start(seat->collect);
}

static void plan_came(struct once_only *self, const Chaski__PlanAnswer *plan)
{
    struct seat *seat = seat_of(self, plan->ask);
    if (seat == NULL)
        return;
    if (plan->problem != NULL)
        fail_with(seat, plan->problem);
    else if (seat->errand == GET_EVIDENCE)
        begin_collection(seat, plan);
    else
        answer_json(seat, plan_json(plan));
}

static void permit_came(struct once_only *self, const Chaski__PermitAnswer *answer)
{
    struct seat *seat = seat_of(self, answer->ask);
    if (seat == NULL)
        return;
    if (answer->problem != NULL) {
        fail_with(seat, answer->problem);
        return;
    }
    once_only_counts_add(&self->counts, seat->wanted->procedure,
                         answer->permit != NULL ? COUNT_PERMITTED : COUNT_DENIED);
    json_t *root =
        json_pack("{s:s,s:s,s:o}", "outcome", answer->permit != NULL ? "PERMIT" : "DENIED", "why",
                  answer->detail, "receipt", plan_json_receipt(answer->receipt));
    if (answer->permit != NULL) {
        json_object_set_new(root, "permit", plan_json_permit(answer->permit));
    } else {
        json_object_set_new(root, "instead",
                            plan_json_requirement(answer->source, seat->wanted->procedure, ""));
    }
    answer_json(seat, root);
}

static void answer_qr(struct seat *seat, const Chaski__PermitSaid *permit)
{
    const char *base = seat->owner->gateway->config.permits_url;
    struct http_connection *connection = seat->connection;
    char text[1024];
    OWNED(bytes) body = bytes_empty(4096);
    text_format(text, sizeof text, "%s%s%s", base,
                base[0] == '\0' || base[strlen(base) - 1] == '/' ? "" : "/", permit->code);
    fault f = qr_write(text, body);
    if (failed(f)) {
        fail(seat, f);
        return;
    }
    let_go(seat);
    answer_body(connection, "image/svg+xml", bytes_span(body));
}

static void said_came(struct once_only *self, const Chaski__PermitSaid *said)
{
    struct seat *seat = seat_of(self, said->ask);
    if (seat == NULL)
        return;
    if (said->problem != NULL)
        fail_with(seat, said->problem);
    else if (seat->errand == SEE_QR)
        answer_qr(seat, said);
    else
        answer_json(seat, plan_json_permit(said));
}

void once_only_came(struct gateway *gateway, const Chaski__FrontMessage *message)
{
    if (message->body_case == CHASKI__FRONT_MESSAGE__BODY_PLAN_ANSWER)
        plan_came(gateway->once_only, message->plan_answer);
    else if (message->body_case == CHASKI__FRONT_MESSAGE__BODY_PERMIT_ANSWER)
        permit_came(gateway->once_only, message->permit_answer);
    else if (message->body_case == CHASKI__FRONT_MESSAGE__BODY_PERMIT_SAID)
        said_came(gateway->once_only, message->permit_said);
}

bool once_only_answered(struct gateway *gateway, const struct front_answer *answer)
{
    struct once_only *self = gateway->once_only;
    for (size_t i = 0; (answer->ask & EXCHANGE_BIT) != 0 && i < ONCE_ONLY_ASKS_MAX; i++)
        if (self->seat[i].collect != NULL && collect_answered(self->seat[i].collect, answer))
            return true;
    return false;
}

void once_only_lost(struct gateway *gateway)
{
    struct once_only *self = gateway->once_only;
    for (size_t i = 0; i < ONCE_ONLY_ASKS_MAX; i++) {
        struct seat *seat = &self->seat[i];
        if (seat->collect != NULL)
            collect_give_up(seat->collect,
                            RAISE(OUTCOME_UNKNOWN,
                                  "the security server went away; whether the exchange ran is in "
                                  "the log"));
        else if (seat->errand != NO_ERRAND && seat->stage == ASKED)
            fail(seat, RAISE(SERVER_AWAY, "it went away meanwhile"));
    }
}

void once_only_gone(struct gateway *gateway, const struct http_connection *connection)
{
    struct once_only *self = gateway->once_only;
    for (size_t i = 0; i < ONCE_ONLY_ASKS_MAX; i++)
        if (self->seat[i].errand != NO_ERRAND && self->seat[i].connection == connection)
            let_go(&self->seat[i]);
}

// --- to the security server ---------------------------------------------------------------------

static void on_ask_timer(struct loop_timer *timer)
{
    fail(timer->owner, RAISE(SERVER_AWAY, "it did not answer within %d ms", ONCE_ONLY_WAIT_MS));
}

static char *lend(const char *text)
{
    return (char *)(uintptr_t)text;
}

struct plan_message {
    Chaski__PlanAsk ask;
    Chaski__Known known[PLAN_ANSWERS_MAX], *pointer[PLAN_ANSWERS_MAX];
};

/* All but the subject, the case and the basis. */
static void fill_plan(const struct once_only_ask *wanted, struct plan_message *out)
{
    chaski__plan_ask__init(&out->ask);
    out->ask.procedure = lend(wanted->procedure);
    out->ask.territory = lend(wanted->territory);
    out->ask.version = lend(wanted->version);
    out->ask.requirement = lend(wanted->requirement);
    out->ask.subject = lend(wanted->subject_kind);
    out->ask.n_known = wanted->known;
    out->ask.known = out->pointer;
    for (size_t i = 0; i < wanted->known; i++) {
        chaski__known__init(&out->known[i]);
        out->known[i].name = lend(wanted->selector[i].name);
        out->known[i].value = lend(wanted->selector[i].value);
        out->pointer[i] = &out->known[i];
    }
}

static fault send_plan(struct seat *seat)
{
    struct plan_message plan;
    Chaski__FrontMessage message = CHASKI__FRONT_MESSAGE__INIT;
    fill_plan(seat->wanted, &plan);
    plan.ask.ask = seat->ask;
    plan.ask.client = seat->client; /* of a collection only */
    message.body_case = CHASKI__FRONT_MESSAGE__BODY_PLAN_ASK;
    message.plan_ask = &plan.ask;
    return front_line_send(seat->owner->gateway->front, &message);
}

static fault send_permit(struct seat *seat)
{
    struct plan_message plan;
    Chaski__FrontMessage message = CHASKI__FRONT_MESSAGE__INIT;
    Chaski__PermitAsk ask = CHASKI__PERMIT_ASK__INIT;
    char person[PSEUDONYM_TEXT_ROOM] = "";
    fill_plan(seat->wanted, &plan);
    ask.ask = seat->ask;
    ask.client = seat->client;
    ask.case_ref = seat->wanted->case_ref;
    ask.reason = seat->wanted->reason;
    ask.plan = &plan.ask;
    if (seat->wanted->subject_number[0] != '\0')
        text_format(person, sizeof person, "%s %s", seat->wanted->subject_type,
                    seat->wanted->subject_number);
    ask.person = person;
    message.body_case = CHASKI__FRONT_MESSAGE__BODY_PERMIT_ASK;
    message.permit_ask = &ask;
    fault f = front_line_send(seat->owner->gateway->front, &message);
    seal_wipe(person, sizeof person);
    return f;
}

static fault send_look(struct seat *seat, const char *code)
{
    Chaski__FrontMessage message = CHASKI__FRONT_MESSAGE__INIT;
    Chaski__PermitLook look = CHASKI__PERMIT_LOOK__INIT;
    look.ask = seat->ask;
    look.code = lend(code);
    message.body_case = CHASKI__FRONT_MESSAGE__BODY_PERMIT_LOOK;
    message.permit_look = &look;
    return front_line_send(seat->owner->gateway->front, &message);
}

static fault check_state(const struct gateway *gateway)
{
    if (gateway->draining)
        return RAISE(DRAINING, "this gateway is shutting down");
    if (!front_line_up(gateway->front))
        return RAISE(SERVER_AWAY, "no word from it at %s", gateway->config.server);
    return DONE;
}

/* code: of a look only. */
static fault ask_server(struct seat *seat, const char *code)
{
    struct gateway *gateway = seat->owner->gateway;
    TRY(check_state(gateway));
    seat->stage = ASKED;
    seat->ask = ++seat->owner->last_ask;
    seat->timer = (struct loop_timer){.fire = on_ask_timer, .owner = seat};
    loop_set_timer(gateway->loop, &seat->timer, ONCE_ONLY_WAIT_MS);
    if (code != NULL)
        return send_look(seat, code);
    return seat->errand == GET_PERMIT ? send_permit(seat) : send_plan(seat);
}

// --- from callers -------------------------------------------------------------------------------

static struct seat *free_seat(struct once_only *self)
{
    for (size_t i = 0; i < ONCE_ONLY_ASKS_MAX; i++)
        if (self->seat[i].errand == NO_ERRAND)
            return &self->seat[i];
    return NULL;
}

/* Strangers take no more than their part of the seats. */
static size_t looks(const struct once_only *self)
{
    size_t count = 0;
    for (size_t i = 0; i < ONCE_ONLY_ASKS_MAX; i++)
        count += self->seat[i].errand == SEE_PERMIT || self->seat[i].errand == SEE_QR;
    return count;
}

static fault take_seat(struct gateway *gateway, struct http_connection *connection,
                       enum errand errand, struct seat **out)
{
    struct seat *seat = free_seat(gateway->once_only);
    bool is_look = errand == SEE_PERMIT || errand == SEE_QR;
    TRY(check_state(gateway));
    if (is_look && looks(gateway->once_only) >= PERMIT_LOOKS_MAX)
        return RAISE(OVERLOADED, "too many look at permits; ask again shortly");
    if (seat == NULL)
        return RAISE(OVERLOADED, "%d callers wait for such an answer already", ONCE_ONLY_ASKS_MAX);
    seat->connection = connection;
    seat->errand = errand;
    seat->wanted = owned_new(sizeof *seat->wanted);
    *out = seat;
    return DONE;
}

static fault read_client(struct gateway *gateway, const struct http_head *head, struct seat *seat)
{
    struct rest_fields header;
    struct rest_want want;
    rest_headers_of_request(head, &header);
    TRY(rest_headers_read_want(&header, (uint32_t)gateway->config.deadline_ms, &want));
    if (want.client.parts == ID_MEMBER)
        return RAISE(UNKNOWN_CLIENT, "a member cannot call by itself; name one of its subsystems");
    bus_id_text(&want.client, ID_SUBSYSTEM, seat->client, sizeof seat->client);
    seat->wait_ms = want.wait_ms;
    return DONE;
}

static fault check_method(const struct http_head *head, const char *method)
{
    bool has_body = head->chunked || (head->has_length && head->length > 0);
    if (!span_is_text(head->method, method))
        return RAISE(BAD_METHOD, "only %s is here", method);
    if (strcmp(method, "GET") == 0 && has_body)
        return RAISE(BAD_REQUEST, "a GET with a body");
    if (strcmp(method, "POST") == 0 && !has_body)
        return RAISE(BAD_QUESTION, "the question is missing: a JSON object as the body");
    if (has_body && head->has_length && head->length > ONCE_ONLY_BODY_BYTES_MAX)
        return RAISE(BODY_TOO_LARGE, "at most %d bytes", ONCE_ONLY_BODY_BYTES_MAX);
    return DONE;
}

static fault take_plan(struct gateway *gateway, struct http_connection *connection,
                       const struct http_head *head, struct span query, struct seat **out)
{
    TRY(check_method(head, "GET"));
    TRY(take_seat(gateway, connection, GET_PLAN, out));
    TRY(once_only_ask_read_query(query, (*out)->wanted));
    return ask_server(*out, NULL);
}

/* The connection is the seat's from here on; its body may be there at once. */
static fault take_question(struct gateway *gateway, struct http_connection *connection,
                           const struct http_head *head, enum errand errand, struct seat **out)
{
    TRY(check_method(head, "POST"));
    TRY(take_seat(gateway, connection, errand, out));
    TRY(read_client(gateway, head, *out));
    (*out)->stage = READING_BODY;
    struct bytes *into = bytes_empty(head->has_length ? (size_t)head->length : 4096);
    http_connection_set_owner(connection, *out);
    http_connection_take_body(connection, &into);
    bytes_free(&into);
    return DONE;
}

static fault take_look(struct gateway *gateway, struct http_connection *connection,
                       const struct http_head *head, struct span rest, struct seat **out)
{
    char name[WORD_BYTES_MAX + 1], code[PERMIT_CODE_ROOM];
    TRY(check_method(head, "GET"));
    if (failed(text_percent_decode(rest, name, sizeof name)))
        return RAISE(PERMIT_UNKNOWN, "that is no code");
    size_t length = strlen(name), end = strlen(SVG);
    bool as_qr = length > end && strcmp(name + length - end, SVG) == 0;
    if (as_qr)
        name[length - end] = '\0';
    if (!permit_code_read(name, code))
        return RAISE(PERMIT_UNKNOWN,
                     "a code has %d characters, of which the last checks the "
                     "others: is it mistyped?",
                     PERMIT_CODE_BYTES);
    TRY(take_seat(gateway, connection, as_qr ? SEE_QR : SEE_PERMIT, out));
    return ask_server(*out, code);
}

static void end_take(struct gateway *gateway, struct http_connection *connection, struct seat *seat,
                     fault f)
{
    if (!failed(f))
        return;
    if (seat != NULL)
        fail(seat, f);
    else
        refuse(gateway, connection, f);
}

struct target {
    struct span path, query;
};

static struct target parts_of(struct span target)
{
    const uint8_t *mark = target.size == 0 ? NULL : memchr(target.at, '?', target.size);
    size_t length = mark == NULL ? target.size : (size_t)(mark - target.at);
    return (struct target){span_of(target.at, length),
                           mark == NULL ? span_of("", 0)
                                        : span_of(mark + 1, target.size - length - 1)};
}

bool once_only_take_open(struct gateway *gateway, struct http_connection *connection,
                         const struct http_head *head, struct span target)
{
    struct target parts = parts_of(target);
    struct seat *seat = NULL;
    size_t length = strlen(LOOK);
    if (parts.path.size < length || memcmp(parts.path.at, LOOK, length) != 0)
        return false;
    fault f = take_look(gateway, connection, head,
                        span_of(parts.path.at + length, parts.path.size - length), &seat);
    end_take(gateway, connection, seat, f);
    return true;
}

bool once_only_take(struct gateway *gateway, struct http_connection *connection,
                    const struct http_head *head, struct span target)
{
    struct target parts = parts_of(target);
    struct seat *seat = NULL;
    fault f;
    if (span_is_text(parts.path, PLAN))
        f = take_plan(gateway, connection, head, parts.query, &seat);
    else if (span_is_text(parts.path, COLLECT))
        f = take_question(gateway, connection, head, GET_EVIDENCE, &seat);
    else if (span_is_text(parts.path, PERMIT))
        f = take_question(gateway, connection, head, GET_PERMIT, &seat);
    else
        return once_only_take_open(gateway, connection, head, target);
    end_take(gateway, connection, seat, f);
    return true;
}

// --- a body -------------------------------------------------------------------------------------

static struct seat *seat_of_connection(const struct gateway *gateway,
                                       const struct http_connection *connection)
{
    struct once_only *self = gateway->once_only;
    const void *owner = http_connection_owner(connection);
    for (size_t i = 0; self != NULL && i < ONCE_ONLY_ASKS_MAX; i++)
        if (owner == &self->seat[i])
            return &self->seat[i];
    return NULL;
}

bool once_only_owns(const struct gateway *gateway, const struct http_connection *connection)
{
    return seat_of_connection(gateway, connection) != NULL;
}

void once_only_body(struct gateway *gateway, struct http_connection *connection, struct span body)
{
    struct seat *seat = seat_of_connection(gateway, connection);
    if (seat == NULL)
        return; /* whoever is asked here owns the connection */
    fault f = once_only_ask_read(body, seat->errand == GET_PERMIT ? ASK_PERMIT : ASK_COLLECT,
                                 seat->wanted);
    if (!failed(f))
        f = ask_server(seat, NULL);
    if (failed(f))
        fail(seat, f);
}

void once_only_broken(struct gateway *gateway, struct http_connection *connection, fault f)
{
    struct seat *seat = seat_of_connection(gateway, connection);
    if (seat != NULL)
        fail(seat, f);
}
