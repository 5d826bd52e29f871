// SPDX-License-Identifier: MIT
#include "gateway/subjects.h"

#include "gateway/refusal_http.h"
#include "gateway/rest_headers.h"
#include "gateway/subject_merge.h"
#include "gateway/subject_question.h"
#include "gateway/subject_queue.h"
#include "gateway/subject_years.h"
#include "gateway/uuid.h"
#include "lib/base/clock.h"
#include "lib/base/event.h"
#include "lib/base/text.h"
#include "lib/crypto/seal.h"

#include "subject.pb-c.h"

#include <stdlib.h>

#define ASK_CONTEXT "chaski subject ask v1"
/* Of asks for a view; those of exchanges that callers ask for stay below, and the bit above is
 * once_only.c's. */
#define ASK_MARK (UINT64_C(1) << 62)

/* One server, asked for one year after the other. */
struct target {
    char *server, *subsystem;
    size_t merged; /* its number there */
    uint64_t ask;  /* under way; 0: none */
    bool again;    /* that ask is of one that was silent */
    bool silent;   /* once: it is not asked a third time */
    uint64_t after;
    size_t token; /* of the question, that is asked for now */
};

/* One caller who waits. */
struct view {
    struct subjects *home;
    struct http_connection *connection; /* NULL: the place is free */
    struct subject_question question;
    uint64_t list_ask, epoch;
    bool listed, allowed; /* all servers are known; the first exchange was let through */
    size_t targets, room;
    struct target *target;
    struct subject_queue queue;
    struct subject_cover cover;
    int64_t end_ms; /* steady */
    struct subject_merge *merge;
    struct loop_timer timer;
};

struct subjects {
    struct gateway *gateway;
    uint64_t last_ask;
    struct view view[SUBJECT_ASKED_VIEWS_MAX];
};

struct subjects *subjects_new(struct gateway *gateway)
{
    struct subjects *self = owned_new(sizeof *self);
    self->gateway = gateway;
    for (size_t i = 0; i < SUBJECT_ASKED_VIEWS_MAX; i++)
        self->view[i].home = self;
    return self;
}

static void view_clear(struct view *self)
{
    struct subjects *home = self->home;
    loop_stop_timer(home->gateway->loop, &self->timer);
    for (size_t i = 0; i < self->targets; i++) {
        free(self->target[i].server);
        free(self->target[i].subsystem);
    }
    free(self->target);
    subject_queue_clear(&self->queue);
    subject_merge_free(&self->merge);
    seal_wipe(&self->question, sizeof self->question);
    *self = (struct view){.home = home};
}

void subjects_free(struct subjects **self)
{
    if (*self == NULL)
        return;
    for (size_t i = 0; i < SUBJECT_ASKED_VIEWS_MAX; i++)
        view_clear(&(*self)->view[i]);
    free(*self);
    *self = NULL;
}

size_t subjects_live(const struct subjects *self)
{
    size_t live = 0;
    for (size_t i = 0; i < SUBJECT_ASKED_VIEWS_MAX; i++)
        live += self->view[i].connection != NULL;
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
static void fail(struct view *self, fault f)
{
    struct http_connection *connection = self->connection;
    struct gateway *gateway = self->home->gateway;
    char detail[DETAIL_BYTES_MAX];
    text_format(detail, sizeof detail, "%s", fault_detail());
    view_clear(self);
    refuse(gateway, connection, RAISE(f.code, "%s", detail));
}

static void refuse_problem(struct view *self, const struct front_problem *problem)
{
    struct http_connection *connection = self->connection;
    struct gateway *gateway = self->home->gateway;
    uint8_t id[UUID_BYTES];
    char text[UUID_TEXT_ROOM];
    uuid_make(id);
    uuid_text(id, text);
    struct refusal refusal = {.code = problem->code,
                              .at_provider = problem->at_provider,
                              .detail = problem->detail,
                              .rule = problem->rule,
                              .remedy = problem->remedy,
                              .exchange = text};
    view_clear(self);
    refusal_send(gateway, connection, &refusal, NULL, NULL);
}

static void finish(struct view *self)
{
    struct http_connection *connection = self->connection;
    struct gateway *gateway = self->home->gateway;
    json_t *root = subject_merge_json(self->merge, clock_wall_ms());
    json_object_set_new(root, "years", subject_years_json(&self->cover));
    if (!self->cover.whole)
        json_object_set_new(root, "complete", json_false());
    char *text = root == NULL ? NULL : json_dumps(root, JSON_INDENT(1) | JSON_PRESERVE_ORDER);
    json_decref(root);
    view_clear(self);
    if (text == NULL || !http_connection_has_room(connection, strlen(text))) {
        free(text);
        refuse(gateway, connection, RAISE(OVERLOADED, "no room for the answer"));
        return;
    }
    struct bytes *head = http_connection_begin(connection, 200);
    http_field_write_text(head, "Content-Type", "application/json; charset=utf-8");
    http_field_write_text(head, "Cache-Control", "no-store");
    http_connection_answer(connection, false, span_of_text(text));
    free(text);
}

// --- one server ----------------------------------------------------------------------------------

static uint32_t wait_of(const struct view *self, const struct target *target)
{
    int64_t wait_ms = target->again ? SUBJECT_SECOND_WAIT_MS : SUBJECT_FIRST_WAIT_MS;
    int64_t left_ms = self->end_ms - clock_steady_ms();
    wait_ms = wait_ms < left_ms ? wait_ms : left_ms;
    return (uint32_t)(wait_ms > DEADLINE_MS_LEAST ? wait_ms : DEADLINE_MS_LEAST);
}

static fault send_ask(struct view *self, struct target *target)
{
    const struct subject_question *question = &self->question;
    const struct subject_token *token = &question->token[target->token];
    char service[ID_TEXT_BYTES_MAX + 1];
    uint8_t packed[96], exchange[UUID_BYTES];
    Chaski__SubjectAsk ask = CHASKI__SUBJECT_ASK__INIT;
    char context[] = ASK_CONTEXT;
    ask.context = context;
    ask.after = target->after;
    ask.from_ms = (uint64_t)question->from_ms;
    ask.until_ms = (uint64_t)question->until_ms;
    uuid_make(exchange);
    if (!text_format(service, sizeof service, "%s/subjectAccesses", target->subsystem))
        return RAISE(BAD_NAME, "the name of a subsystem is too long");
    struct front_want want = {.client = question->client,
                              .service = service,
                              .security_server = target->server,
                              .purpose = question->purpose,
                              .procedure = "",
                              .legal_basis = "",
                              .case_ref = question->case_ref,
                              .wait_ms = wait_of(self, target),
                              .exchange_id = span_of(exchange, sizeof exchange),
                              .person = question->person,
                              .subject_year = token->year};
    if (question->person[0] == '\0')
        want.subject = span_of(token->pseudonym, sizeof token->pseudonym);
    want.payload_bytes = chaski__subject_ask__get_packed_size(&ask);
    target->ask = ASK_MARK | ++self->home->last_ask;
    subject_merge_ask(self->merge, target->merged);
    return front_line_ask(self->home->gateway->front, target->ask, &want,
                          span_of(packed, chaski__subject_ask__pack(&ask, packed)));
}

static void end_ask(struct view *self, struct target *target)
{
    target->ask = 0;
    subject_queue_done(&self->queue, target->again);
}

static void put(struct view *self, const struct target *target, bool again)
{
    subject_queue_put(&self->queue, (size_t)(target - self->target), again);
}

/* The first one, our own, alone: who may not ask hears it before the others are asked. */
static void go_on(struct view *self)
{
    size_t most = self->allowed ? SUBJECT_SERVERS_AT_ONCE : 1, at;
    bool again;
    while (self->listed && subject_queue_take(&self->queue, most, &at, &again)) {
        struct target *target = &self->target[at];
        target->again = again;
        fault f = send_ask(self, target);
        if (failed(f)) {
            subject_merge_fail(self->merge, target->merged, fault_name(f.code), fault_detail());
            end_ask(self, target);
        }
    }
    if (self->listed && subject_queue_is_over(&self->queue))
        finish(self);
}

/* Further pages and years wait until everybody was asked for the first one. */
static void take_page(struct view *self, struct target *target, struct span payload)
{
    fault f = subject_merge_page(self->merge, target->merged, payload, &target->after);
    end_ask(self, target);
    if (failed(f)) {
        subject_merge_fail(self->merge, target->merged, fault_name(f.code), fault_detail());
        return;
    }
    if (target->after == 0)
        target->token++;
    if (target->token < self->question.tokens && !subject_merge_is_cut(self->merge, target->merged))
        put(self, target, false);
    else
        subject_merge_end(self->merge, target->merged);
}

/* It may be only slow, or starting. */
static bool may_come_later(enum fault_code code)
{
    return code == DEADLINE_PASSED || code == PEER_UNREACHABLE || code == OVERLOADED ||
           code == SERVER_AWAY || code == DRAINING;
}

static void take_problem(struct view *self, struct target *target,
                         const struct front_problem *problem)
{
    const char *word = fault_name(problem->code);
    bool quiet = problem->code == DEADLINE_PASSED || problem->code == PEER_UNREACHABLE;
    bool again = may_come_later(problem->code) && !target->silent;
    end_ask(self, target);
    if (quiet || again)
        subject_merge_silent(self->merge, target->merged, word, problem->detail);
    else
        subject_merge_fail(self->merge, target->merged, word, problem->detail);
    target->silent = true;
    if (again)
        put(self, target, true);
}

static struct target *target_of(struct subjects *self, uint64_t ask, struct view **out)
{
    for (size_t i = 0; i < SUBJECT_ASKED_VIEWS_MAX; i++) {
        *out = &self->view[i];
        for (size_t k = 0; k < (*out)->targets; k++)
            if ((*out)->target[k].ask == ask)
                return &(*out)->target[k];
    }
    return NULL;
}

bool subjects_answered(struct gateway *gateway, const struct front_answer *answer)
{
    struct view *view = NULL;
    if ((answer->ask & ASK_MARK) == 0)
        return false;
    struct target *target = target_of(gateway->subjects, answer->ask, &view);
    if (target == NULL)
        return true; /* its caller went away, or its time was over */
    const struct front_problem *problem = &answer->problem;
    if (problem->code == OK) {
        view->allowed = true;
        take_page(view, target, answer->payload);
    } else if (!view->allowed && !problem->at_provider && problem->code != PEER_UNREACHABLE &&
               problem->code != DEADLINE_PASSED && problem->code != REVOKED) {
        refuse_problem(view, problem);
        return true;
    } else {
        view->allowed = true; /* by our own server; another one has its reasons */
        take_problem(view, target, problem);
    }
    go_on(view);
    return true;
}

// --- who is asked --------------------------------------------------------------------------------

static void add_target(struct view *self, const struct front_server *server)
{
    if (self->targets == self->room) {
        self->room = self->room == 0 ? 64 : 2 * self->room;
        self->target = owned_grow(self->target, self->room, sizeof *self->target);
    }
    self->target[self->targets++] =
        (struct target){.server = owned_text(server->id),
                        .subsystem = owned_text(server->subsystem),
                        .merged = subject_merge_server(self->merge, server->id, server->name)};
}

/* It is near: who may not ask hears so at once, whoever else is silent. */
static void own_first(struct view *self)
{
    const char *own = front_line_server(self->home->gateway->front);
    for (size_t i = 1; i < self->targets; i++) {
        struct target target = self->target[i];
        if (strcmp(target.server, own) != 0)
            continue;
        self->target[i] = self->target[0];
        self->target[0] = target;
        return;
    }
}

static fault take_servers(struct view *self, const struct front_servers *page)
{
    if (page->problem.code != OK)
        return RAISE(page->problem.code, "%s", page->problem.detail);
    if (page->total > SERVERS_MAX)
        return RAISE(SERVICE_TOO_LARGE, "%u servers", page->total);
    if (page->from != self->targets || (self->targets > 0 && page->epoch != self->epoch))
        return RAISE(OVERLOADED, "the directory changed meanwhile; ask again");
    if (page->count == 0 && page->total > page->from)
        return RAISE(BAD_FRAME, "a page with nothing on it");
    self->epoch = page->epoch;
    if (page->from == 0)
        TRY(subject_years_choose(&self->question, page, &self->cover));
    for (size_t i = 0; i < page->count; i++)
        add_target(self, &page->server[i]);
    self->listed = self->targets >= page->total;
    if (self->listed) {
        own_first(self);
        subject_queue_fill(&self->queue, self->targets);
        return DONE;
    }
    self->list_ask = ++self->home->last_ask;
    return front_line_servers(self->home->gateway->front, self->list_ask, self->epoch,
                              (uint32_t)self->targets);
}

void subjects_servers(struct gateway *gateway, const struct front_servers *page)
{
    for (size_t i = 0; i < SUBJECT_ASKED_VIEWS_MAX; i++) {
        struct view *view = &gateway->subjects->view[i];
        if (view->connection == NULL || view->listed || view->list_ask != page->ask)
            continue;
        fault f = take_servers(view, page);
        if (failed(f))
            fail(view, f);
        else
            go_on(view);
        return;
    }
}

void subjects_lost(struct gateway *gateway)
{
    for (size_t i = 0; i < SUBJECT_ASKED_VIEWS_MAX; i++)
        if (gateway->subjects->view[i].connection != NULL)
            fail(&gateway->subjects->view[i],
                 RAISE(SERVER_AWAY, "it went away before all servers had answered"));
}

void subjects_gone(struct gateway *gateway, struct http_connection *connection)
{
    for (size_t i = 0; i < SUBJECT_ASKED_VIEWS_MAX; i++)
        if (gateway->subjects->view[i].connection == connection)
            view_clear(&gateway->subjects->view[i]);
}

// --- asking --------------------------------------------------------------------------------------

/* Who has not answered by now is named. */
static void on_timer(struct loop_timer *timer)
{
    struct view *self = timer->owner;
    if (!self->listed)
        fail(self, RAISE(SERVER_AWAY, "it did not tell which servers there are in time"));
    else
        finish(self);
}

static fault begin(struct view *self)
{
    struct subjects *home = self->home;
    self->list_ask = ++home->last_ask;
    self->timer = (struct loop_timer){.fire = on_timer, .owner = self};
    self->end_ms = clock_steady_ms() + SUBJECT_VIEW_WAIT_MS;
    loop_set_timer(home->gateway->loop, &self->timer, SUBJECT_VIEW_WAIT_MS);
    return front_line_servers(home->gateway->front, self->list_ask, 0, 0);
}

static fault check_state(const struct gateway *gateway)
{
    if (gateway->draining)
        return RAISE(DRAINING, "this gateway is shutting down");
    if (!front_line_up(gateway->front))
        return RAISE(SERVER_AWAY, "no word from it at %s", gateway->config.server);
    return DONE;
}

static struct view *free_view(struct subjects *self)
{
    for (size_t i = 0; i < SUBJECT_ASKED_VIEWS_MAX; i++)
        if (self->view[i].connection == NULL)
            return &self->view[i];
    return NULL;
}

/* The defaults of the settings are for this portal, too. */
static void set_purpose(const struct gateway *gateway, struct subject_question *question)
{
    const struct client_section *client = services_client(gateway->services, question->client);
    if (question->purpose[0] == '\0' && client != NULL && client->purpose != NULL)
        text_format(question->purpose, sizeof question->purpose, "%s", client->purpose);
}

bool subjects_take(struct gateway *gateway, struct http_connection *connection,
                   const struct http_head *head, struct span target)
{
    struct subject_question question;
    bool ours = false;
    fault f = subject_question_read(head, target, (uint32_t)gateway->config.deadline_ms, &question,
                                    &ours);
    if (!ours)
        return false;
    struct view *view = free_view(gateway->subjects);
    if (!failed(f))
        f = check_state(gateway);
    if (!failed(f) && view == NULL)
        f = RAISE(OVERLOADED, "%d views are being gathered", SUBJECT_ASKED_VIEWS_MAX);
    if (failed(f)) {
        refuse(gateway, connection, f);
        return true;
    }
    set_purpose(gateway, &question);
    view->question = question;
    view->connection = connection;
    view->merge = subject_merge_new();
    if (question.wants_body) {
        struct bytes *into = bytes_empty(SUBJECT_BODY_BYTES_MAX);
        http_connection_set_owner(connection, view);
        http_connection_take_body(connection, &into);
        bytes_free(&into);
        return true;
    }
    f = begin(view);
    if (failed(f))
        fail(view, f);
    return true;
}

static struct view *view_of(const struct gateway *gateway, const struct http_connection *connection)
{
    for (size_t i = 0; i < SUBJECT_ASKED_VIEWS_MAX; i++)
        if (gateway->subjects->view[i].connection == connection)
            return &gateway->subjects->view[i];
    return NULL;
}

bool subjects_owns(const struct gateway *gateway, const struct http_connection *connection)
{
    return view_of(gateway, connection) != NULL;
}

void subjects_body(struct gateway *gateway, struct http_connection *connection, struct bytes *body)
{
    struct view *view = view_of(gateway, connection);
    fault f = subject_question_body(bytes_span(body), &view->question);
    if (body->size > 0)
        seal_wipe(body->data, body->size);
    if (!failed(f))
        f = check_state(gateway);
    if (!failed(f))
        f = begin(view);
    if (failed(f))
        fail(view, f);
}

void subjects_broken(struct gateway *gateway, struct http_connection *connection, fault f)
{
    fail(view_of(gateway, connection), f);
}
