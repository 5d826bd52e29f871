// SPDX-License-Identifier: MIT
#include "gateway/can_i.h"

#include "gateway/refusal_http.h"
#include "gateway/rest_headers.h"
#include "gateway/rest_target.h"
#include "gateway/uuid.h"
#include "gateway/write.h"
#include "lib/base/day.h"
#include "lib/base/text.h"

#include <jansson.h>
#include <stdlib.h>

#define PATH "/can-i"
#define WAIT_MS 5000
#define NOON_MS INT64_C(43200000)

struct waiting {
    struct http_connection *connection; /* NULL: free */
    uint64_t ask;
    struct can_i *owner;
    struct loop_timer timer;
};

struct can_i {
    struct gateway *gateway;
    uint64_t last_ask;
    struct waiting waiting[CAN_I_ASKS_MAX];
};

struct can_i *can_i_new(struct gateway *gateway)
{
    struct can_i *self = owned_new(sizeof *self);
    self->gateway = gateway;
    for (size_t i = 0; i < CAN_I_ASKS_MAX; i++)
        self->waiting[i].owner = self;
    return self;
}

static void let_go(struct waiting *waiting)
{
    loop_stop_timer(waiting->owner->gateway->loop, &waiting->timer);
    waiting->connection = NULL;
    waiting->ask = 0;
}

void can_i_free(struct can_i **self)
{
    if (*self == NULL)
        return;
    for (size_t i = 0; i < CAN_I_ASKS_MAX; i++)
        let_go(&(*self)->waiting[i]);
    free(*self);
    *self = NULL;
}

size_t can_i_live(const struct can_i *self)
{
    size_t live = 0;
    for (size_t i = 0; i < CAN_I_ASKS_MAX; i++)
        live += self->waiting[i].connection != NULL;
    return live;
}

// --- answering -----------------------------------------------------------------------------------

static void refuse(struct gateway *gateway, struct http_connection *connection, fault f)
{
    uint8_t id[UUID_BYTES];
    char text[UUID_TEXT_ROOM];
    uuid_make(id);
    uuid_text(id, text);
    refusal_send_early(gateway, connection, f, text, NULL);
}

/* Its place is emptied first: an answer may end its connection, and others'. */
static void fail(struct waiting *waiting, fault f)
{
    struct http_connection *connection = waiting->connection;
    let_go(waiting);
    if (connection != NULL)
        refuse(waiting->owner->gateway, connection, f);
}

static json_t *steps_json(const struct front_can *answer)
{
    json_t *steps = json_array();
    for (size_t i = 0; i < answer->steps; i++)
        json_array_append_new(steps,
                              json_pack("{s:s,s:b,s:s}", "look", answer->step[i].name, "holds",
                                        answer->step[i].holds, "detail", answer->step[i].detail));
    return steps;
}

static json_t *withheld_json(const struct front_can *answer)
{
    json_t *columns = json_array();
    for (size_t i = 0; i < answer->withheld; i++)
        json_array_append_new(columns,
                              json_pack("{s:s,s:s}", "column", answer->withheld_column[i].name,
                                        "rule", answer->withheld_column[i].rule));
    return columns;
}

static json_t *answer_json(const struct front_can *answer)
{
    bool may = answer->problem.code == OK;
    json_t *root = json_pack("{s:b,s:s,s:I,s:o}", "allowed", may, "rule",
                             may ? answer->rule : answer->problem.rule, "epoch",
                             (json_int_t)answer->epoch, "trace", steps_json(answer));
    if (root != NULL && answer->volume_a_day > 0)
        json_object_set_new(root, "volume",
                            json_pack("{s:I,s:I}", "a_day", (json_int_t)answer->volume_a_day,
                                      "used_today", (json_int_t)answer->used_today));
    if (root != NULL && answer->rate > 0)
        json_object_set_new(root, "rate_a_second", json_integer(answer->rate));
    if (root != NULL && answer->subject_required)
        json_object_set_new(root, "subject_required", json_true());
    if (root != NULL && answer->withheld > 0)
        json_object_set_new(root, "withheld", withheld_json(answer));
    if (root == NULL || may)
        return root;
    json_object_set_new(root, "fault", json_string(fault_name(answer->problem.code)));
    json_object_set_new(root, "reason", json_string(answer->problem.detail));
    json_object_set_new(root, "remedy", json_string(answer->problem.remedy));
    if (answer->missing[0] != '\0')
        json_object_set_new(root, "missing",
                            json_pack("{s:s,s:s,s:s}", "what", answer->missing, "from",
                                      answer->supplier, "command", answer->command));
    return root;
}

static void answer_with(struct waiting *waiting, const struct front_can *answer)
{
    struct http_connection *connection = waiting->connection;
    json_t *root = answer_json(answer);
    char *text = root == NULL ? NULL : json_dumps(root, JSON_INDENT(2) | JSON_PRESERVE_ORDER);
    json_decref(root);
    if (text == NULL) {
        fail(waiting, RAISE(BAD_FRAME, "an answer that is no UTF-8"));
        return;
    }
    let_go(waiting);
    struct bytes *head = http_connection_begin(connection, 200);
    http_field_write_text(head, "Content-Type", "application/json; charset=utf-8");
    http_connection_answer(connection, false, span_of_text(text));
    free(text);
}

void can_i_came(struct gateway *gateway, const struct front_can *answer)
{
    struct can_i *self = gateway->can_i;
    for (size_t i = 0; i < CAN_I_ASKS_MAX; i++)
        if (self->waiting[i].connection != NULL && self->waiting[i].ask == answer->ask) {
            answer_with(&self->waiting[i], answer);
            return;
        }
}

void can_i_lost(struct gateway *gateway)
{
    for (size_t i = 0; i < CAN_I_ASKS_MAX; i++)
        if (gateway->can_i->waiting[i].connection != NULL)
            fail(&gateway->can_i->waiting[i], RAISE(SERVER_AWAY, "it went away meanwhile"));
}

void can_i_gone(struct gateway *gateway, struct http_connection *connection)
{
    for (size_t i = 0; i < CAN_I_ASKS_MAX; i++)
        if (gateway->can_i->waiting[i].connection == connection)
            let_go(&gateway->can_i->waiting[i]);
}

// --- asking --------------------------------------------------------------------------------------

static void on_timer(struct loop_timer *timer)
{
    struct waiting *waiting = timer->owner;
    fail(waiting, RAISE(SERVER_AWAY, "it did not answer within %d ms", WAIT_MS));
}

struct asked {
    char service[ID_TEXT_BYTES_MAX + 1], client[ID_TEXT_BYTES_MAX + 1];
    struct rest_want want;
    int64_t at_ms;                              /* 0: now */
    char method[16], path[HTTP_HEAD_BYTES_MAX]; /* which endpoint; "": none is asked for */
};

static fault read_service(struct span value, char out[ID_TEXT_BYTES_MAX + 1])
{
    struct bus_id id;
    if (failed(bus_id_parse(value, ID_SERVICE, ID_SERVICE, &id)))
        return RAISE(BAD_QUESTION, "service is INSTANCE/CLASS/MEMBER/SUBSYSTEM/SERVICE: %s",
                     fault_detail());
    bus_id_text(&id, ID_SERVICE, out, ID_TEXT_BYTES_MAX + 1);
    return DONE;
}

/* The value of a word of the query; false: it is not there. */
static bool word_of(struct span query, const char *word, struct span *out)
{
    size_t start = 0, length = strlen(word);
    for (size_t i = 0; i <= query.size; i++) {
        if (i < query.size && query.at[i] != '&')
            continue;
        struct span part = span_of(query.at + start, i - start);
        start = i + 1;
        if (part.size > length && memcmp(part.at, word, length) == 0 && part.at[length] == '=') {
            *out = span_of(part.at + length + 1, part.size - length - 1);
            return true;
        }
    }
    return false;
}

/* The path as a request would have it, percent-encoded once more as a value of a query. */
static fault read_endpoint(struct span query, struct asked *out)
{
    struct span value;
    out->method[0] = out->path[0] = '\0';
    if (word_of(query, "path", &value) &&
        failed(text_percent_decode(value, out->path, sizeof out->path)))
        return RAISE(BAD_QUESTION, "the path is too long, or not percent-encoded");
    if (word_of(query, "method", &value) && !text_format(out->method, sizeof out->method, "%.*s",
                                                         (int)value.size, (const char *)value.at))
        return RAISE(BAD_QUESTION, "the method is none");
    if (out->path[0] != '\0' && out->method[0] == '\0')
        memcpy(out->method, "GET", sizeof "GET");
    return DONE;
}

/* Noon (UTC) of a day: deadlines end at midnight of the country, which is neither day's for all. */
static fault read_day(struct span query, struct asked *out)
{
    struct span value;
    char text[16];
    int year = 0, month = 0, day = 0;
    out->at_ms = 0;
    if (!word_of(query, "on", &value))
        return DONE;
    if (!text_format(text, sizeof text, "%.*s", (int)value.size, (const char *)value.at) ||
        failed(day_read(text, &year, &month, &day)) || year < 2000 || year > 2049)
        return RAISE(BAD_QUESTION, "on=YYYY-MM-DD is a day of the years 2000 to 2049");
    out->at_ms = day_midnight_ms(year, month, day) + NOON_MS;
    return DONE;
}

static fault read_question(struct gateway *gateway, const struct http_head *head, struct span query,
                           struct asked *out)
{
    struct rest_fields header;
    struct span value;
    if (!span_is_text(head->method, "GET"))
        return RAISE(BAD_METHOD, "only GET is at " PATH);
    if (head->chunked || (head->has_length && head->length > 0))
        return RAISE(BAD_REQUEST, "a GET with a body");
    rest_headers_of_request(head, &header);
    TRY(rest_headers_read_want(&header, (uint32_t)gateway->config.deadline_ms, &out->want));
    if (out->want.client.parts == ID_MEMBER)
        return RAISE(UNKNOWN_CLIENT, "a member cannot call by itself; name one of its subsystems");
    bus_id_text(&out->want.client, ID_SUBSYSTEM, out->client, sizeof out->client);
    if (!word_of(query, "service", &value))
        return RAISE(BAD_QUESTION, PATH "?service=ID is missing");
    TRY(read_service(value, out->service));
    if (word_of(query, "purpose", &value) &&
        failed(text_percent_decode(value, out->want.purpose, sizeof out->want.purpose)))
        return RAISE(BAD_QUESTION, "the purpose is longer than %d bytes, or not percent-encoded",
                     WORD_BYTES_MAX);
    TRY(read_day(query, out));
    return read_endpoint(query, out);
}

static fault check_state(const struct gateway *gateway)
{
    if (gateway->draining)
        return RAISE(DRAINING, "this gateway is shutting down");
    if (!front_line_up(gateway->front))
        return RAISE(SERVER_AWAY, "no word from it at %s", gateway->config.server);
    return DONE;
}

static fault ask(struct can_i *self, struct http_connection *connection, const struct asked *asked)
{
    const struct client_section *client = services_client(self->gateway->services, asked->client);
    uint8_t id[UUID_BYTES]; /* of the exchange that it would be */
    uuid_make(id);
    bool by_default = asked->want.purpose[0] == '\0' && client != NULL && client->purpose != NULL;
    struct front_want want = {.client = asked->client,
                              .service = asked->service,
                              .security_server = asked->want.security_server,
                              .purpose = by_default ? client->purpose : asked->want.purpose,
                              .procedure = asked->want.procedure,
                              .legal_basis = asked->want.legal_basis,
                              .case_ref = asked->want.case_ref,
                              .requirement = asked->want.requirement,
                              .wait_ms = WAIT_MS,
                              .exchange_id = span_of(id, sizeof id),
                              .method = asked->method,
                              .path = span_of_text(asked->path)};
    for (size_t i = 0; i < CAN_I_ASKS_MAX; i++) {
        struct waiting *waiting = &self->waiting[i];
        if (waiting->connection != NULL)
            continue;
        TRY(front_line_can(self->gateway->front, ++self->last_ask, &want, asked->at_ms));
        waiting->connection = connection;
        waiting->ask = self->last_ask;
        waiting->timer = (struct loop_timer){.fire = on_timer, .owner = waiting};
        loop_set_timer(self->gateway->loop, &waiting->timer, WAIT_MS);
        return DONE;
    }
    return RAISE(OVERLOADED, "%d callers wait for such an answer already", CAN_I_ASKS_MAX);
}

bool can_i_take(struct gateway *gateway, struct http_connection *connection,
                const struct http_head *head, struct span target)
{
    struct asked asked;
    const uint8_t *mark = target.size == 0 ? NULL : memchr(target.at, '?', target.size);
    size_t length = mark == NULL ? target.size : (size_t)(mark - target.at);
    struct span query = mark == NULL ? span_of("", 0) : span_of(mark + 1, target.size - length - 1);
    if (!span_is_text(span_of(target.at, length), PATH))
        return false;
    fault f = read_question(gateway, head, query, &asked);
    if (!failed(f))
        f = check_state(gateway);
    if (!failed(f))
        f = ask(gateway->can_i, connection, &asked);
    if (failed(f))
        refuse(gateway, connection, f);
    return true;
}
