// SPDX-License-Identifier: MIT
#include "gateway/clients.h"

#include "gateway/client_list.h"
#include "gateway/refusal_http.h"
#include "gateway/uuid.h"
#include "lib/base/text.h"

#include <stdlib.h>

#define PATH "/listClients"
#define INSTANCE_WORD "xRoadInstance="

/* One caller who waits. */
struct waiting {
    struct http_connection *connection; /* NULL: free */
    bool json;
};

struct clients {
    struct gateway *gateway;
    struct client_list list;   /* the last whole one */
    struct client_list making; /* while `ask` is not 0 */
    uint64_t ask, next_ask;
    unsigned tries;
    struct loop_timer timer;
    struct waiting waiting[CLIENTS_ASKS_MAX];
};

struct clients *clients_new(struct gateway *gateway)
{
    struct clients *self = owned_new(sizeof *self);
    self->gateway = gateway;
    self->next_ask = 1;
    return self;
}

void clients_free(struct clients **self)
{
    if (*self == NULL)
        return;
    loop_stop_timer((*self)->gateway->loop, &(*self)->timer);
    client_list_clear(&(*self)->list);
    client_list_clear(&(*self)->making);
    free(*self);
    *self = NULL;
}

size_t clients_live(const struct clients *self)
{
    size_t live = 0;
    for (size_t i = 0; i < CLIENTS_ASKS_MAX; i++)
        live += self->waiting[i].connection != NULL;
    return live;
}

// --- answering -----------------------------------------------------------------------------------

static void refuse(struct gateway *gateway, const struct waiting *waiting, fault f)
{
    uint8_t id[UUID_BYTES];
    char text[UUID_TEXT_ROOM];
    uuid_make(id);
    uuid_text(id, text);
    refusal_send_early(gateway, waiting->connection, f, text, waiting->json ? NULL : "text/xml");
}

static void answer(struct clients *self, const struct waiting *waiting)
{
    struct http_connection *connection = waiting->connection;
    struct span body = bytes_span(waiting->json ? self->list.json : self->list.xml);
    if (!http_connection_has_room(connection, body.size)) {
        refuse(self->gateway, waiting,
               RAISE(OVERLOADED, "no room for an answer of %zu bytes", body.size));
        return;
    }
    struct bytes *head = http_connection_begin(connection, 200);
    http_field_write_text(head, "Content-Type",
                          waiting->json ? "application/json; charset=utf-8"
                                        : "text/xml; charset=utf-8");
    http_connection_answer(connection, false, body);
}

static void stop_gathering(struct clients *self)
{
    loop_stop_timer(self->gateway->loop, &self->timer);
    client_list_clear(&self->making);
    self->ask = 0;
}

/* An answer may end its connection, and others': each place is emptied before it is answered. */
static void answer_all(struct clients *self)
{
    for (size_t i = 0; i < CLIENTS_ASKS_MAX; i++) {
        struct waiting waiting = self->waiting[i];
        self->waiting[i] = (struct waiting){0};
        if (waiting.connection != NULL)
            answer(self, &waiting);
    }
}

static void fail_all(struct clients *self, fault f)
{
    char detail[DETAIL_BYTES_MAX];
    text_format(detail, sizeof detail, "%s", fault_detail());
    stop_gathering(self);
    for (size_t i = 0; i < CLIENTS_ASKS_MAX; i++) {
        struct waiting waiting = self->waiting[i];
        self->waiting[i] = (struct waiting){0};
        if (waiting.connection != NULL)
            refuse(self->gateway, &waiting, RAISE(f.code, "%s", detail));
    }
}

// --- gathering -----------------------------------------------------------------------------------

static void on_timer(struct loop_timer *timer)
{
    fail_all(timer->owner, RAISE(SERVER_AWAY,
                                 "it did not tell who is in the directory within "
                                 "%d ms",
                                 CLIENTS_WAIT_MS));
}

static fault ask_page(struct clients *self)
{
    self->ask = self->next_ask++;
    return front_line_clients(self->gateway->front, self->ask, self->making.epoch,
                              self->making.count);
}

static fault begin(struct clients *self)
{
    self->tries = 0;
    fault f = ask_page(self);
    if (failed(f)) {
        self->ask = 0;
        return f;
    }
    self->timer = (struct loop_timer){.fire = on_timer, .owner = self};
    loop_set_timer(self->gateway->loop, &self->timer, CLIENTS_WAIT_MS);
    return DONE;
}

static fault check_page(const struct clients *self, const struct front_clients *page)
{
    if (page->problem.code != OK)
        return RAISE(page->problem.code, "%s", page->problem.detail);
    if (page->total > CLIENTS_MAX)
        return RAISE(SERVICE_TOO_LARGE, "%u members and subsystems", page->total);
    if (page->from != 0 && (page->epoch != self->making.epoch || page->from != self->making.count))
        return RAISE(BAD_FRAME, "a page of another list than was asked for");
    if (page->count == 0 && page->total > page->from)
        return RAISE(BAD_FRAME, "a page with nothing on it");
    return DONE;
}

/* The first page of a list, or of the one that has taken its place meanwhile. */
static fault take_page(struct clients *self, const struct front_clients *page)
{
    TRY(check_page(self, page));
    if (page->from == 0) {
        if (self->tries++ == CLIENTS_TRIES_MAX)
            return RAISE(OVERLOADED, "the directory changes faster than it can be listed");
        client_list_begin(&self->making, page->epoch, page->total);
    }
    for (size_t i = 0; i < page->count; i++)
        TRY(client_list_add(&self->making, &page->client[i]));
    if (self->making.count < self->making.total)
        return ask_page(self);
    TRY(client_list_end(&self->making));
    client_list_clear(&self->list);
    self->list = self->making;
    self->making = (struct client_list){0};
    stop_gathering(self);
    answer_all(self);
    return DONE;
}

void clients_came(struct gateway *gateway, const struct front_clients *page)
{
    struct clients *self = gateway->clients;
    if (self->ask == 0 || page->ask != self->ask)
        return; /* its time was over */
    fault f = take_page(self, page);
    if (failed(f))
        fail_all(self, f);
}

void clients_lost(struct gateway *gateway)
{
    if (gateway->clients->ask != 0)
        fail_all(gateway->clients, RAISE(SERVER_AWAY, "it went away before it had told all"));
}

void clients_gone(struct gateway *gateway, struct http_connection *connection)
{
    for (size_t i = 0; i < CLIENTS_ASKS_MAX; i++)
        if (gateway->clients->waiting[i].connection == connection)
            gateway->clients->waiting[i] = (struct waiting){0};
}

// --- asking --------------------------------------------------------------------------------------

/* As X-Road does it: the words anywhere in the field, whatever their weight. */
static bool wants_json(const struct http_head *head)
{
    static const char json[] = "application/json";
    for (size_t f = 0; f < head->fields; f++)
        if (text_same_word(head->field[f].name, span_of_text("accept")) &&
            memmem(head->field[f].value.at, head->field[f].value.size, json, sizeof json - 1) !=
                NULL)
            return true;
    return false;
}

static fault check_instance(const struct gateway *gateway, struct span value)
{
    char instance[ID_PART_BYTES_MAX + 1];
    if (failed(text_percent_decode(value, instance, sizeof instance)) || instance[0] == '\0')
        return RAISE(BAD_QUESTION, INSTANCE_WORD " is not followed by the name of an instance");
    if (strcmp(instance, front_line_instance(gateway->front)) != 0)
        return RAISE(NOT_FOUND, "the instance here is %s, and no other is connected",
                     front_line_instance(gateway->front));
    return DONE;
}

/* Other words of the query mean nothing, as in X-Road. */
static fault check_query(const struct gateway *gateway, struct span query)
{
    static const char word[] = INSTANCE_WORD;
    bool named = false;
    size_t start = 0;
    for (size_t i = 0; i <= query.size; i++) {
        if (i < query.size && query.at[i] != '&')
            continue;
        struct span part = span_of(query.at + start, i - start);
        start = i + 1;
        if (part.size < sizeof word - 1 || memcmp(part.at, word, sizeof word - 1) != 0)
            continue;
        if (named)
            return RAISE(BAD_QUESTION, INSTANCE_WORD " stands there twice");
        named = true;
        TRY(check_instance(gateway,
                           span_of(part.at + sizeof word - 1, part.size - (sizeof word - 1))));
    }
    return DONE;
}

static fault check(const struct gateway *gateway, const struct http_head *head, struct span query)
{
    if (!span_is_text(head->method, "GET"))
        return RAISE(BAD_METHOD, "only GET is at " PATH);
    if (head->chunked || (head->has_length && head->length > 0))
        return RAISE(BAD_REQUEST, "a GET with a body");
    if (gateway->draining)
        return RAISE(DRAINING, "this gateway is shutting down");
    if (!front_line_up(gateway->front))
        return RAISE(SERVER_AWAY, "no word from it at %s", gateway->config.server);
    if (front_line_state(gateway->front) != OK)
        return RAISE(front_line_state(gateway->front), "said by %s",
                     front_line_server(gateway->front));
    return query.size == 0 ? DONE : check_query(gateway, query);
}

static fault wait(struct clients *self, const struct waiting *waiting)
{
    for (size_t i = 0; i < CLIENTS_ASKS_MAX; i++) {
        if (self->waiting[i].connection != NULL)
            continue;
        if (self->ask == 0)
            TRY(begin(self));
        self->waiting[i] = *waiting;
        return DONE;
    }
    return RAISE(OVERLOADED, "%d callers wait for this list already", CLIENTS_ASKS_MAX);
}

bool clients_take(struct gateway *gateway, struct http_connection *connection,
                  const struct http_head *head, struct span target)
{
    struct clients *self = gateway->clients;
    struct waiting waiting = {connection, wants_json(head)};
    const uint8_t *mark = target.size == 0 ? NULL : memchr(target.at, '?', target.size);
    size_t length = mark == NULL ? target.size : (size_t)(mark - target.at);
    struct span query =
        mark == NULL ? (struct span){NULL, 0} : span_of(mark + 1, target.size - length - 1);
    if (!span_is_text(span_of(target.at, length), PATH))
        return false;
    fault f = check(gateway, head, query);
    if (!failed(f) && self->list.json != NULL &&
        self->list.epoch == front_line_epoch(gateway->front)) {
        answer(self, &waiting);
        return true;
    }
    if (!failed(f))
        f = wait(self, &waiting);
    if (failed(f))
        refuse(gateway, &waiting, f);
    return true;
}
