// SPDX-License-Identifier: MIT
#include "gateway/evidence.h"

#include "gateway/asic_query.h"
#include "gateway/clerk_line.h"
#include "gateway/once_only.h"
#include "gateway/rest_target.h"
#include "gateway/write.h"
#include "lib/base/event.h"
#include "lib/base/text.h"

#include <stdlib.h>

#define HELLO_MS 1000
#define WITNESS_OK 200
#define WITNESS_OTHER_SIZE 409

enum kind { NOBODY, FOR_FILE, FOR_WITNESS, FOR_RECORD };

/* One caller who waits. */
struct waiting {
    enum kind kind;
    uint64_t ask;
    struct http_connection *connection;
    struct evidence *home;
    struct loop_timer timer;
};

struct evidence {
    struct gateway *gateway;
    uint64_t next_ask;
    struct loop_timer hello; /* to the clerk, while somebody waits for it */
    struct waiting waiting[EVIDENCE_ASKS_MAX];
};

struct evidence *evidence_new(struct gateway *gateway)
{
    struct evidence *self = owned_new(sizeof *self);
    self->gateway = gateway;
    self->next_ask = 1;
    return self;
}

size_t evidence_live(const struct evidence *self)
{
    size_t live = 0;
    for (size_t i = 0; i < EVIDENCE_ASKS_MAX; i++)
        live += self->waiting[i].kind != NOBODY;
    return live;
}

// --- answering -----------------------------------------------------------------------------------

static void answer(struct http_connection *connection, unsigned status, const char *type,
                   const char *caching, struct span body)
{
    struct bytes *head = http_connection_begin(connection, status);
    http_field_write_text(head, "Content-Type", type);
    http_field_write_text(head, "Cache-Control", caching);
    http_field_write_text(head, "X-Content-Type-Options", "nosniff");
    if (status == 503)
        http_field_write_text(head, "Retry-After", "1");
    if (status == 405)
        http_field_write_text(head, "Allow", "GET");
    http_connection_answer(connection, false, body);
}

static void answer_text(struct http_connection *connection, unsigned status, const char *sentence)
{
    OWNED(bytes) body = bytes_empty(256);
    write_format(body, "%s\n", sentence);
    answer(connection, status, "text/plain; charset=utf-8", "no-store", bytes_span(body));
}

/* As X-Road's clients know it: plain text, and 500 for whatever is ours. */
static void refuse(struct http_connection *connection, enum kind kind, fault f)
{
    unsigned status = (unsigned)fault_status(f.code);
    if (kind == FOR_RECORD && status > 500)
        status = 500;
    char sentence[DETAIL_BYTES_MAX];
    text_format(sentence, sizeof sentence, "%s", fault_detail());
    answer_text(connection, status, sentence);
}

static void end(struct waiting *self)
{
    loop_stop_timer(self->home->gateway->loop, &self->timer);
    *self = (struct waiting){.kind = NOBODY, .home = self->home};
}

static struct waiting *find(struct evidence *self, uint64_t ask)
{
    for (size_t i = 0; i < EVIDENCE_ASKS_MAX; i++)
        if (self->waiting[i].kind != NOBODY && self->waiting[i].ask == ask)
            return &self->waiting[i];
    return NULL; /* its time was over, or its caller went away */
}

static void fail(struct waiting *self, fault f)
{
    struct http_connection *connection = self->connection;
    enum kind kind = self->kind;
    end(self);
    refuse(connection, kind, f);
}

void evidence_free(struct evidence **self)
{
    if (*self == NULL)
        return;
    loop_stop_timer((*self)->gateway->loop, &(*self)->hello);
    for (size_t i = 0; i < EVIDENCE_ASKS_MAX; i++)
        if ((*self)->waiting[i].kind != NOBODY)
            end(&(*self)->waiting[i]);
    free(*self);
    *self = NULL;
}

void evidence_gone(struct gateway *gateway, struct http_connection *connection)
{
    for (size_t i = 0; i < EVIDENCE_ASKS_MAX; i++)
        if (gateway->evidence->waiting[i].connection == connection)
            end(&gateway->evidence->waiting[i]);
}

// --- waiting -------------------------------------------------------------------------------------

static void on_timer(struct loop_timer *timer)
{
    struct waiting *self = timer->owner;
    fail(self, RAISE(SERVER_AWAY, "The security server did not answer in time; ask again."));
}

static bool waits_for_the_clerk(const struct evidence *self)
{
    for (size_t i = 0; i < EVIDENCE_ASKS_MAX; i++)
        if (self->waiting[i].kind == FOR_FILE || self->waiting[i].kind == FOR_RECORD)
            return true;
    return false;
}

static void on_hello(struct loop_timer *timer)
{
    struct evidence *self = timer->owner;
    if (!waits_for_the_clerk(self) || self->gateway->clerk == NULL)
        return;
    clerk_line_hello(self->gateway->clerk);
    loop_set_timer(self->gateway->loop, timer, HELLO_MS);
}

/* Records are few and large: others must find room beside them. */
static size_t count(const struct evidence *self, enum kind kind)
{
    size_t found = 0;
    for (size_t i = 0; i < EVIDENCE_ASKS_MAX; i++)
        found += self->waiting[i].kind == kind;
    return found;
}

static fault begin_waiting(struct gateway *gateway, struct http_connection *connection,
                           enum kind kind, struct waiting **out)
{
    struct evidence *self = gateway->evidence;
    static const size_t most[] = {
        [FOR_FILE] = EVIDENCE_FILE_ASKS_MAX,
        [FOR_WITNESS] = EVIDENCE_WITNESS_ASKS_MAX,
        [FOR_RECORD] = EVIDENCE_RECORD_ASKS_MAX,
    };
    if (gateway->draining)
        return RAISE(DRAINING, "This gateway is shutting down.");
    if (count(self, kind) >= most[kind])
        return RAISE(OVERLOADED, "Too many ask at once; ask again shortly.");
    struct waiting *free_one = NULL;
    for (size_t i = 0; i < EVIDENCE_ASKS_MAX; i++)
        if (self->waiting[i].kind == NOBODY)
            free_one = &self->waiting[i];
    if (free_one == NULL)
        return RAISE(OVERLOADED, "Too many ask at once; ask again shortly.");
    *free_one = (struct waiting){kind, self->next_ask++, connection, self, {.slot = 0}};
    free_one->timer = (struct loop_timer){.fire = on_timer, .owner = free_one};
    loop_set_timer(gateway->loop, &free_one->timer,
                   kind == FOR_RECORD ? EVIDENCE_RECORD_WAIT_MS : EVIDENCE_WAIT_MS);
    if (kind != FOR_WITNESS && self->hello.slot == 0) {
        self->hello = (struct loop_timer){.fire = on_hello, .owner = self};
        loop_set_timer(gateway->loop, &self->hello, 0);
    }
    *out = free_one;
    return DONE;
}

static fault check_clerk(const struct gateway *gateway)
{
    return gateway->clerk != NULL
               ? DONE
               : RAISE(NOT_FOUND, "Nothing is served here: evidence_server is not set.");
}

// --- what came -----------------------------------------------------------------------------------

static void send_body(struct http_connection *connection, const struct clerk_answer *said)
{
    char disposition[400];
    struct bytes *head = http_connection_begin(connection, 200);
    http_field_write_text(head, "Content-Type", said->type);
    http_field_write_text(head, "Cache-Control",
                          said->constant          ? "public, max-age=31536000, immutable"
                          : said->name[0] != '\0' ? "no-store"
                                                  : "no-cache");
    http_field_write_text(head, "X-Content-Type-Options", "nosniff");
    if (said->name[0] != '\0' &&
        text_format(disposition, sizeof disposition, "attachment; filename=\"%s\"", said->name))
        http_field_write_text(head, "Content-Disposition", disposition);
    http_connection_answer(connection, false, said->body);
}

void evidence_answered(void *owner, const struct clerk_answer *said)
{
    struct gateway *gateway = owner;
    struct waiting *waiting = find(gateway->evidence, said->ask);
    if (waiting == NULL || waiting->kind == FOR_WITNESS)
        return;
    struct http_connection *connection = waiting->connection;
    end(waiting);
    if (said->status != 200)
        answer_text(connection, said->status, said->sentence);
    else if (!http_connection_has_room(connection, said->body.size))
        answer_text(connection, 503, "There is no room for the answer; ask again shortly.");
    else
        send_body(connection, said);
}

void evidence_restarted(void *owner)
{
    struct gateway *gateway = owner;
    for (size_t i = 0; i < EVIDENCE_ASKS_MAX; i++) {
        enum kind kind = gateway->evidence->waiting[i].kind;
        if (kind == FOR_FILE || kind == FOR_RECORD)
            fail(&gateway->evidence->waiting[i],
                 RAISE(SERVER_AWAY, "What was to answer was interrupted; ask again."));
    }
}

void evidence_witnessed(struct gateway *gateway, uint64_t ask, unsigned status, struct span body)
{
    struct waiting *waiting = find(gateway->evidence, ask);
    if (waiting == NULL || waiting->kind != FOR_WITNESS)
        return;
    struct http_connection *connection = waiting->connection;
    end(waiting);
    if (status < 200 || status > 599)
        status = 503;
    answer(connection, status,
           status == WITNESS_OTHER_SIZE ? "text/x.tlog.size" : "text/plain; charset=utf-8",
           "no-store", body);
}

// --- the strangers' port -------------------------------------------------------------------------

static fault ask_file(struct gateway *gateway, struct http_connection *connection,
                      struct span target)
{
    struct waiting *waiting = NULL;
    TRY(check_clerk(gateway));
    TRY(begin_waiting(gateway, connection, FOR_FILE, &waiting));
    fault f =
        clerk_line_ask_file(gateway->clerk, waiting->ask, span_of(target.at + 1, target.size - 1));
    if (failed(f))
        end(waiting);
    return f;
}

static bool begins_with(struct span text, const char *start)
{
    size_t size = strlen(start);
    return text.size >= size && memcmp(text.at, start, size) == 0;
}

static void take_stranger(struct gateway *gateway, struct http_connection *connection,
                          const struct http_head *head, struct span target)
{
    bool reads = span_is_text(head->method, "GET") || span_is_text(head->method, "HEAD");
    bool has_body = head->chunked || (head->has_length && head->length > 0);
    if (span_is_text(target, "/witness/add-checkpoint") && span_is_text(head->method, "POST")) {
        struct bytes *into = bytes_empty(1024);
        if (has_body)
            http_connection_take_body(connection, &into);
        else
            answer_text(connection, 400, "A body is missing.");
        bytes_free(&into);
        return;
    }
    if (target.size > EVIDENCE_PATH_BYTES_MAX ||
        (!begins_with(target, "/witness/") && !begins_with(target, "/log/"))) {
        answer_text(connection, 404, "There are /witness/ and /log/ here.");
        return;
    }
    if (!reads || has_body) {
        answer_text(connection, reads ? 400 : 405, "Nothing can be sent there.");
        return;
    }
    fault f = ask_file(gateway, connection, target);
    if (failed(f))
        refuse(connection, FOR_FILE, f);
}

static void on_request(void *owner, struct http_connection *connection,
                       const struct http_head *head, size_t here)
{
    (void)here;
    struct span target = rest_target_origin(head->target);
    if (!once_only_take_open(owner, connection, head, target))
        take_stranger(owner, connection, head, target);
}

static void on_body(void *owner, struct http_connection *connection, struct bytes **into)
{
    struct gateway *gateway = owner;
    struct waiting *waiting = NULL;
    fault f = !front_line_up(gateway->front)
                  ? RAISE(SERVER_AWAY, "The witness behind this gateway does not answer.")
                  : begin_waiting(gateway, connection, FOR_WITNESS, &waiting);
    if (!failed(f))
        f = front_line_witness(gateway->front, waiting->ask, bytes_span(*into));
    if (!failed(f))
        return;
    if (waiting != NULL)
        end(waiting);
    refuse(connection, FOR_WITNESS, f);
}

static void on_broken(void *owner, struct http_connection *connection, fault f,
                      const struct http_head *head)
{
    (void)owner;
    (void)head;
    refuse(connection, FOR_FILE, f);
}

static void on_gone(void *owner, struct http_connection *connection)
{
    evidence_gone(owner, connection);
    once_only_gone(owner, connection);
}

const struct http_handler evidence_http_handler = {on_request, on_body, on_broken, on_gone};

// --- our own systems' port -----------------------------------------------------------------------

static fault ask_record(struct gateway *gateway, struct http_connection *connection,
                        struct span query)
{
    struct asic_query asked;
    struct waiting *waiting = NULL;
    TRY(asic_query_read(query, &asked));
    const struct client_section *client = services_client(gateway->services, asked.client);
    if (client == NULL || client->records == 0)
        return RAISE(NOT_AUTHENTICATED,
                     "This gateway's settings let no such client fetch records: client "
                     "\"INSTANCE/CLASS/MEMBER/SUBSYSTEM\" { records = on }.");
    TRY(check_clerk(gateway));
    TRY(begin_waiting(gateway, connection, FOR_RECORD, &waiting));
    struct clerk_record_ask record = {asked.client,   asked.message_id, asked.request,
                                      asked.response, asked.unique,     asked.force};
    fault f = clerk_line_ask_record(gateway->clerk, waiting->ask, &record);
    if (failed(f))
        end(waiting);
    return f;
}

static fault ask_verification(struct gateway *gateway, struct http_connection *connection)
{
    struct waiting *waiting = NULL;
    TRY(check_clerk(gateway));
    TRY(begin_waiting(gateway, connection, FOR_RECORD, &waiting));
    fault f = clerk_line_ask_verification(gateway->clerk, waiting->ask);
    if (failed(f))
        end(waiting);
    return f;
}

bool evidence_take(struct gateway *gateway, struct http_connection *connection,
                   const struct http_head *head, struct span target)
{
    const uint8_t *mark = memchr(target.at, '?', target.size);
    size_t length = mark == NULL ? target.size : (size_t)(mark - target.at);
    struct span path = span_of(target.at, length);
    struct span query =
        mark == NULL ? (struct span){NULL, 0} : span_of(mark + 1, target.size - length - 1);
    bool record = span_is_text(path, "/asic");
    if (!record && !span_is_text(path, "/verificationconf"))
        return false;
    if (!span_is_text(head->method, "GET")) {
        answer_text(connection, 405, "Only GET is possible here.");
        return true;
    }
    fault f = head->chunked || (head->has_length && head->length > 0)
                  ? RAISE(BAD_REQUEST, "A GET with a body.")
              : record ? ask_record(gateway, connection, query)
                       : ask_verification(gateway, connection);
    if (failed(f))
        refuse(connection, FOR_RECORD, f);
    return true;
}
