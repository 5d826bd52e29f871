// SPDX-License-Identifier: MIT
#include "gateway/http_private.h"

#include "gateway/write.h"
#include "lib/base/clock.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

#define LINGER_MS 2000
#define PROGRESS_BYTES 65536 /* a caller who takes this much within the wait may go on taking */
#define BODY_LOOK_MS 5000    /* how often a body's rate is looked at */
#define NEVER INT64_MAX

/*
 * READING_HEAD -> HANDLING -> (READING_BODY -> HANDLING ->) WRITING -> READING_HEAD
 * The handler owns the request in HANDLING. After a last answer LINGERING reads what the caller
 * still sends: closing with unread bytes would reset the connection and destroy the answer.
 */
enum state { READING_HEAD, HANDLING, READING_BODY, WRITING, LINGERING, DEAD };

struct http_connection {
    struct loop_watch watch;
    struct loop_timer timer;
    int64_t due_us; /* what the timer is for; the timer itself may be early and is set again */
    struct http_server *server;
    struct http_connection *next, *before;
    enum state state;

    bool advancing;    /* the reading loop is on the stack: it will go on by itself */
    bool head_begun;   /* some bytes of the next head are here */
    bool request_open; /* the handler was told of a request and has not answered */
    bool to_head;      /* the request is HEAD */
    bool keep_alive;
    bool old; /* HTTP/1.0 */
    bool waits_for_100;
    bool close_after;
    unsigned status;

    struct bytes *in; /* arrived and not used yet; NULL when there is nothing */
    size_t seen;      /* of `in`, by the head guard */
    struct http_body body;
    size_t body_size;
    size_t body_looked; /* body_size when its rate was looked at */
    int64_t body_begun_us;
    struct bytes *into;
    size_t held;         /* of the request's body */
    size_t held_to_send; /* of the answer's */
    struct bytes *out;   /* what could not be sent at once */
    size_t out_at;
    size_t out_waited; /* where `out_at` was when the wait began again */
    void *owner;
};

static void on_ready(struct loop_watch *watch, uint32_t bits);
static void on_timer(struct loop_timer *timer);
static void resume(struct http_connection *self);

// --- life ----------------------------------------------------------------------------------------

static void set_due(struct http_connection *self, int64_t in_ms)
{
    struct loop *loop = self->server->options.loop;
    self->due_us = loop_now_us(loop) + in_ms * 1000;
    if (self->timer.slot == 0 || self->timer.at_us > self->due_us)
        loop_set_timer(loop, &self->timer, in_ms);
}

static void want_bits(struct http_connection *self, uint32_t bits)
{
    if (self->watch.bits == bits || self->state == DEAD)
        return;
    self->watch.bits = bits;
    if (failed(loop_rewatch(self->server->options.loop, &self->watch)))
        http_connection_drop(self);
}

void http_connection_new(struct http_server *server, int fd)
{
    struct http_connection *self = owned_new(sizeof *self);
    self->server = server;
    self->watch = (struct loop_watch){fd, EPOLLIN, on_ready, self};
    self->timer = (struct loop_timer){.fire = on_timer, .owner = self};
    if (failed(loop_watch(server->options.loop, &self->watch))) {
        close(fd);
        free(self);
        return;
    }
    self->next = server->first;
    if (self->next != NULL)
        self->next->before = self;
    server->first = self;
    server->counts.connections++;
    set_due(self, server->options.head_wait_ms);
}

static void give_back(struct http_connection *self)
{
    struct budget *budget = self->server->options.budget;
    budget_give(budget, BUDGET_REQUESTS, self->held);
    budget_give(budget, BUDGET_ANSWERS, self->held_to_send);
    self->held = self->held_to_send = 0;
}

static void unlink_living(struct http_connection *self)
{
    if (self->before == NULL)
        self->server->first = self->next;
    else
        self->before->next = self->next;
    if (self->next != NULL)
        self->next->before = self->before;
    self->server->counts.connections--;
}

void http_connection_drop(struct http_connection *self)
{
    if (self->state == DEAD)
        return;
    struct http_server *server = self->server;
    self->state = DEAD;
    unlink_living(self);
    loop_stop_timer(server->options.loop, &self->timer);
    loop_unwatch(server->options.loop, &self->watch);
    close(self->watch.fd);
    give_back(self);
    self->next = server->dead;
    server->dead = self;
    if (self->request_open) {
        self->request_open = false;
        server->options.handler->gone(server->options.owner, self);
    }
}

void http_connection_release(struct http_connection *self)
{
    bytes_free(&self->in);
    bytes_free(&self->into);
    bytes_free(&self->out);
    free(self);
}

struct http_connection *http_connection_next(const struct http_connection *self)
{
    return self->next;
}

void http_connection_drain(struct http_connection *self)
{
    if (self->state == READING_HEAD && !self->head_begun)
        http_connection_drop(self);
}

void http_connection_set_owner(struct http_connection *self, void *owner)
{
    self->owner = owner;
}

void *http_connection_owner(const struct http_connection *self)
{
    return self->owner;
}

static bool is_counted(size_t answer_size)
{
    return answer_size > HTTP_ANSWER_UNCOUNTED;
}

bool http_connection_has_room(const struct http_connection *self, size_t size)
{
    return !is_counted(size) || budget_has_room(self->server->options.budget, BUDGET_ANSWERS, size);
}

// --- writing -------------------------------------------------------------------------------------

static void begin_reading_head(struct http_connection *self)
{
    self->state = READING_HEAD;
    self->head_begun = false;
    self->seen = 0;
    self->to_head = self->waits_for_100 = self->old = false;
    set_due(self, self->server->options.idle_ms);
}

static void finish_answer(struct http_connection *self)
{
    give_back(self);
    if (self->close_after) {
        shutdown(self->watch.fd, SHUT_WR);
        if (!self->advancing) /* else it is being read from; keep_input frees it */
            bytes_free(&self->in);
        self->state = LINGERING;
        set_due(self, LINGER_MS);
        want_bits(self, EPOLLIN);
        return;
    }
    begin_reading_head(self);
    resume(self);
}

/* As much as the caller takes now. False when the connection is lost. */
static bool send_now(struct http_connection *self, struct iovec *part, size_t parts, size_t *sent)
{
    struct msghdr message = {.msg_iov = part, .msg_iovlen = parts};
    ssize_t got;
    do
        got = sendmsg(self->watch.fd, &message, MSG_NOSIGNAL);
    while (got < 0 && errno == EINTR);
    *sent = got < 0 ? 0 : (size_t)got;
    return got >= 0 || errno == EAGAIN;
}

/* Keeps what was not sent; it is counted already. False when there is no memory. */
static bool keep_unsent(struct http_connection *self, const struct iovec *part, size_t parts,
                        size_t sent)
{
    size_t total = 0;
    for (size_t i = 0; i < parts; i++)
        total += part[i].iov_len;
    self->out = bytes_empty(0);
    self->out_at = self->out_waited = 0;
    for (size_t i = 0; i < parts && part[i].iov_len > 0; i++) {
        size_t skip = sent < part[i].iov_len ? sent : part[i].iov_len;
        sent -= skip;
        struct span rest =
            span_of((const uint8_t *)part[i].iov_base + skip, part[i].iov_len - skip);
        if (failed(bytes_append(self->out, rest)))
            return false;
    }
    return true;
}

static void send_answer(struct http_connection *self, struct span head, struct span body)
{
    struct iovec part[2] = {{(void *)(uintptr_t)head.at, head.size},
                            {(void *)(uintptr_t)body.at, body.size}};
    size_t sent = 0;
    if (!send_now(self, part, body.size > 0 ? 2 : 1, &sent)) {
        http_connection_drop(self);
        return;
    }
    if (sent == head.size + body.size) {
        finish_answer(self);
        return;
    }
    if (!keep_unsent(self, part, 2, sent)) {
        http_connection_drop(self);
        return;
    }
    self->state = WRITING;
    set_due(self, self->server->options.body_wait_ms);
    want_bits(self, EPOLLOUT);
}

static void send_rest(struct http_connection *self)
{
    struct iovec part = {self->out->data + self->out_at, self->out->size - self->out_at};
    size_t sent = 0;
    if (!send_now(self, &part, 1, &sent)) {
        http_connection_drop(self);
        return;
    }
    self->out_at += sent;
    if (self->out_at < self->out->size) {
        if (self->out_at - self->out_waited >= PROGRESS_BYTES) {
            self->out_waited = self->out_at;
            set_due(self, self->server->options.body_wait_ms);
        }
        return;
    }
    bytes_free(&self->out);
    finish_answer(self);
}

// --- answering -----------------------------------------------------------------------------------

/* For people who read along; it has no meaning. A service's own phrase is not carried. */
static const char *reason_of(unsigned status)
{
    static const struct {
        unsigned status;
        const char *reason;
    } table[] = {
        {200, "OK"},
        {201, "Created"},
        {202, "Accepted"},
        {203, "Non-Authoritative Information"},
        {204, "No Content"},
        {205, "Reset Content"},
        {206, "Partial Content"},
        {300, "Multiple Choices"},
        {301, "Moved Permanently"},
        {302, "Found"},
        {303, "See Other"},
        {304, "Not Modified"},
        {307, "Temporary Redirect"},
        {308, "Permanent Redirect"},
        {400, "Bad Request"},
        {401, "Unauthorized"},
        {402, "Payment Required"},
        {403, "Forbidden"},
        {404, "Not Found"},
        {405, "Method Not Allowed"},
        {406, "Not Acceptable"},
        {408, "Request Timeout"},
        {409, "Conflict"},
        {410, "Gone"},
        {411, "Length Required"},
        {412, "Precondition Failed"},
        {413, "Content Too Large"},
        {414, "URI Too Long"},
        {415, "Unsupported Media Type"},
        {416, "Range Not Satisfiable"},
        {417, "Expectation Failed"},
        {422, "Unprocessable Content"},
        {423, "Locked"},
        {428, "Precondition Required"},
        {429, "Too Many Requests"},
        {431, "Request Header Fields Too Large"},
        {451, "Unavailable For Legal Reasons"},
        {500, "Internal Server Error"},
        {501, "Not Implemented"},
        {502, "Bad Gateway"},
        {503, "Service Unavailable"},
        {504, "Gateway Timeout"},
    };
    for (size_t i = 0; i < sizeof table / sizeof table[0]; i++)
        if (table[i].status == status)
            return table[i].reason;
    return "";
}

struct bytes *http_connection_begin(struct http_connection *self, unsigned status)
{
    struct bytes *head = self->server->head;
    head->size = 0;
    self->status = status;
    write_text(head, "HTTP/1.1 ");
    write_number(head, status);
    write_text(head, " ");
    write_text(head, reason_of(status));
    write_text(head, "\r\n");
    return head;
}

static const char *date_now(struct http_server *server)
{
    int64_t now_s = clock_wall_ms() / 1000;
    if (now_s != server->date_s) {
        time_t now = now_s;
        struct tm tm;
        strftime(server->date, sizeof server->date, "%a, %d %b %Y %H:%M:%S GMT",
                 gmtime_r(&now, &tm));
        server->date_s = now_s;
    }
    return server->date;
}

/* RFC 9110 8.6: never with 1xx and 204; with HEAD and 304 only what a GET would have had. */
static void write_length(struct http_connection *self, struct bytes *head, size_t size)
{
    if (self->status < 200 || self->status == 204 || self->status == 304)
        return;
    if (self->to_head && size == 0)
        return;
    write_text(head, "Content-Length: ");
    write_number(head, size);
    write_text(head, "\r\n");
}

void http_connection_answer(struct http_connection *self, bool dated, struct span body)
{
    assert(self->state == HANDLING);
    struct bytes *head = self->server->head;
    self->request_open = false;
    self->close_after =
        self->close_after || !self->keep_alive || !self->body.done || self->server->draining;
    if (!dated)
        http_field_write_text(head, "Date", date_now(self->server));
    write_length(self, head, body.size);
    if (self->close_after)
        write_text(head, "Connection: close\r\n");
    else if (self->old)
        write_text(head, "Connection: keep-alive\r\n");
    write_text(head, "\r\n");
    if (self->to_head || self->status < 200 || self->status == 204 || self->status == 304)
        body = (struct span){NULL, 0};
    self->owner = NULL;
    give_back(self);
    /* counted before the first byte is out: an answer is not cut off for want of room */
    if (is_counted(body.size)) {
        if (!budget_take(self->server->options.budget, BUDGET_ANSWERS, body.size)) {
            http_connection_drop(self);
            return;
        }
        self->held_to_send = body.size;
    }
    send_answer(self, bytes_span(head), body);
}

// --- reading -------------------------------------------------------------------------------------

/* Nothing that follows on this connection can be trusted to begin where we think. */
static void break_off(struct http_connection *self, fault f, const struct http_head *head)
{
    const struct http_handler *handler = self->server->options.handler;
    self->state = HANDLING;
    self->due_us = NEVER;
    self->close_after = true;
    bytes_free(&self->into);
    handler->broken(self->server->options.owner, self, f, head);
}

static void skip_empty_lines(struct http_connection *self, struct span *in)
{
    while (self->seen == 0 && in->size >= 2 && in->at[0] == '\r' && in->at[1] == '\n')
        *in = span_of(in->at + 2, in->size - 2);
}

static void open_request(struct http_connection *self, const struct http_head *head, size_t here)
{
    struct http_server *server = self->server;
    self->to_head = span_is_text(head->method, "HEAD");
    self->keep_alive = head->keep_alive;
    self->old = head->minor == 0;
    self->waits_for_100 = head->expects_continue && here == 0;
    self->body = http_body_of_request(head);
    self->body_size = self->body_looked = 0;
    self->owner = NULL;
    self->state = HANDLING;
    self->due_us = NEVER;
    if (self->body.kind == BODY_SIZED && self->body.left > server->options.body_bytes_max) {
        break_off(self,
                  RAISE(BODY_TOO_LARGE, "%llu bytes announced, %zu allowed",
                        (unsigned long long)self->body.left, server->options.body_bytes_max),
                  head);
        return;
    }
    self->request_open = true;
    server->options.handler->request(server->options.owner, self, head, here);
}

/* True when there may be more to do with the bytes that are left. */
static bool take_head(struct http_connection *self, struct span *in)
{
    size_t size = 0;
    struct http_head head;
    skip_empty_lines(self, in);
    fault f = http_head_measure(*in, &self->seen, &size);
    if (!failed(f) && size == 0) {
        if (!self->head_begun && in->size > 0) {
            self->head_begun = true;
            set_due(self, self->server->options.head_wait_ms);
        }
        return false;
    }
    bool measured = !failed(f);
    if (measured)
        f = http_head_parse(HTTP_IS_REQUEST, span_of(in->at, size), &head);
    if (failed(f)) {
        self->body = (struct http_body){.done = false};
        if (measured)
            http_head_scan(span_of(in->at, size), &head);
        break_off(self, f, measured ? &head : NULL);
        return false;
    }
    *in = span_of(in->at + size, in->size - size);
    open_request(self, &head, in->size);
    return true;
}

static fault add_to_body(struct http_connection *self, struct span piece)
{
    self->body_size += piece.size;
    if (self->body_size > self->server->options.body_bytes_max)
        return RAISE(BODY_TOO_LARGE, "more than the %zu bytes allowed",
                     self->server->options.body_bytes_max);
    if (!budget_take(self->server->options.budget, BUDGET_REQUESTS, piece.size))
        return RAISE(OVERLOADED, "too many bodies are in memory");
    self->held += piece.size;
    return bytes_append(self->into, piece);
}

static bool take_body(struct http_connection *self, struct span *in)
{
    struct span piece;
    fault f = http_body_take(&self->body, in, &piece);
    if (!failed(f) && piece.size > 0)
        f = add_to_body(self, piece);
    if (failed(f)) {
        break_off(self, f, NULL);
        return false;
    }
    if (!self->body.done)
        return true;
    struct bytes *into = TAKE(self->into);
    self->state = HANDLING;
    self->due_us = NEVER;
    self->server->options.handler->body(self->server->options.owner, self, &into);
    bytes_free(&into);
    return true;
}

static void advance(struct http_connection *self, struct span *in)
{
    self->advancing = true;
    bool more = true;
    while (more && in->size > 0) {
        if (self->state == READING_HEAD)
            more = take_head(self, in);
        else if (self->state == READING_BODY)
            more = take_body(self, in);
        else
            more = false;
    }
    self->advancing = false;
}

/* What is left of `in` stays for later. */
static void keep_input(struct http_connection *self, struct span rest)
{
    if (rest.size == 0 || self->state == LINGERING || self->state == DEAD) {
        bytes_free(&self->in);
    } else if (self->in == NULL) {
        self->in = bytes_empty(rest.size);
        write_span(self->in, rest);
    } else {
        memmove(self->in->data, rest.at, rest.size);
        self->in->size = rest.size;
    }
}

/* Goes on with what has arrived already, then waits for more. */
static void resume(struct http_connection *self)
{
    if (self->advancing)
        return;
    if (self->in != NULL) {
        struct span rest = bytes_span(self->in);
        advance(self, &rest);
        keep_input(self, rest);
    }
    if (self->state == READING_HEAD || self->state == READING_BODY)
        want_bits(self, EPOLLIN);
}

static void feed(struct http_connection *self, struct span arrived)
{
    if (self->in != NULL) {
        write_span(self->in, arrived);
        arrived = bytes_span(self->in);
    }
    advance(self, &arrived);
    keep_input(self, arrived);
}

static void read_more(struct http_connection *self)
{
    struct http_server *server = self->server;
    ssize_t got = read(self->watch.fd, server->read, sizeof server->read);
    if (got < 0 && (errno == EAGAIN || errno == EINTR))
        return;
    if (got <= 0) {
        http_connection_drop(self);
        return;
    }
    if (self->state != LINGERING)
        feed(self, span_of(server->read, (size_t)got));
}

static void on_ready(struct loop_watch *watch, uint32_t bits)
{
    struct http_connection *self = watch->owner;
    bool reading =
        self->state == READING_HEAD || self->state == READING_BODY || self->state == LINGERING;
    if (reading) {
        read_more(self);
        return;
    }
    if ((bits & (EPOLLERR | EPOLLHUP)) != 0) {
        http_connection_drop(self);
        return;
    }
    if (self->state == WRITING && (bits & EPOLLOUT) != 0)
        send_rest(self);
    else if ((bits & EPOLLIN) != 0)
        want_bits(self, self->state == WRITING ? EPOLLOUT : 0); /* not now: one at a time */
}

/* Looks again after BODY_LOOK_MS, or when the whole body must be here. */
static void set_body_due(struct http_connection *self)
{
    const struct http_server_options *options = &self->server->options;
    int64_t passed_ms = (loop_now_us(options->loop) - self->body_begun_us) / 1000;
    int64_t left_ms = options->body_wait_ms - passed_ms;
    self->body_looked = self->body_size;
    set_due(self, left_ms < BODY_LOOK_MS ? left_ms : BODY_LOOK_MS);
}

/* Who sends next to nothing holds a place, and what it sent so far, for as long as the whole may
 * take. DONE: it may go on. */
static fault check_rate(struct http_connection *self)
{
    const struct http_server_options *options = &self->server->options;
    int64_t passed_ms = (loop_now_us(options->loop) - self->body_begun_us) / 1000;
    size_t least = (size_t)(options->body_bytes_per_s_least * BODY_LOOK_MS / 1000);
    if (passed_ms >= options->body_wait_ms)
        return RAISE(SLOW_CALLER, "the body was not complete after %lld ms",
                     (long long)options->body_wait_ms);
    if (self->body_size - self->body_looked < least)
        return RAISE(SLOW_CALLER, "fewer than %zu bytes of the body came in %d ms", least,
                     BODY_LOOK_MS);
    set_body_due(self);
    return DONE;
}

static void on_late_body(struct http_connection *self)
{
    fault f = check_rate(self);
    if (!failed(f))
        return;
    self->body.done = false;
    break_off(self, f, NULL);
}

static void on_timer(struct loop_timer *timer)
{
    struct http_connection *self = timer->owner;
    int64_t left_us = self->due_us - loop_now_us(self->server->options.loop);
    if (self->due_us == NEVER)
        return;
    if (left_us > 0) {
        loop_set_timer(self->server->options.loop, timer, (left_us + 999) / 1000);
        return;
    }
    if (self->state == READING_BODY) {
        on_late_body(self);
        return;
    }
    if (self->state != READING_HEAD || !self->head_begun) {
        http_connection_drop(self);
        return;
    }
    self->body.done = false;
    break_off(self,
              RAISE(SLOW_CALLER, "the head was not complete after %lld ms",
                    (long long)self->server->options.head_wait_ms),
              NULL);
}

void http_connection_take_body(struct http_connection *self, struct bytes **into)
{
    static const char go_on[] = "HTTP/1.1 100 Continue\r\n\r\n";
    assert(self->state == HANDLING && self->into == NULL && !self->body.done);
    self->into = TAKE(*into);
    /* an announced size takes nothing; but what would not fit now need not be sent */
    if (self->body.kind == BODY_SIZED &&
        !budget_has_room(self->server->options.budget, BUDGET_REQUESTS, (size_t)self->body.left)) {
        break_off(self, RAISE(OVERLOADED, "too many bodies are in memory"), NULL);
        return;
    }
    self->state = READING_BODY;
    self->body_begun_us = loop_now_us(self->server->options.loop);
    set_body_due(self);
    if (self->waits_for_100 && self->in == NULL &&
        send(self->watch.fd, go_on, sizeof go_on - 1, MSG_NOSIGNAL) != (ssize_t)sizeof go_on - 1) {
        http_connection_drop(self); /* not even 25 bytes fit: nobody is there */
        return;
    }
    resume(self);
}
