// SPDX-License-Identifier: MIT
#include "gateway/service_client.h"

#include "gateway/http_body.h"
#include "gateway/write.h"

#include <assert.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#define QUEUE_MAX 2000 /* requests waiting for one host */
#define IDLE_MS 15000  /* shorter than what servers usually allow: they shall not close first */
#define READ_BYTES 65536
#define HEADS_SKIPPED_MAX 8 /* 1xx answers before the real one */

struct request {
    struct service_client *client;
    struct host *host;
    struct line *line; /* NULL while it waits */
    struct request *next, *before;
    struct bytes *out;
    size_t out_at;
    bool to_head;
    int64_t wait_ms;
    struct loop_timer deadline;
    const struct service_taker *taker;
    void *owner;
    struct bytes *into;
};

/* One connection. */
struct line {
    struct loop_watch watch;
    struct loop_timer idle;
    struct host *host;
    struct request *request;    /* NULL: idle */
    struct line *next, *before; /* of all lines of the host, busy and idle */
    bool connecting;
    bool kept; /* has carried a request before this one */
    size_t address;
    struct bytes *in; /* of the head, until it is whole */
    size_t seen;
    bool head_done;
    bool keep_alive;
    unsigned skipped;
    struct http_body body;
    size_t body_size;
    size_t held;
};

struct host {
    struct service_client *client;
    size_t addresses;
    struct service_address address[SERVICE_ADDRESSES_MAX];
    struct line *line;
    size_t lines;
    struct request *first, *last; /* waiting */
    size_t waiting;
};

struct service_client {
    struct service_client_options options;
    struct map host; /* by HOST:PORT */
    uint8_t read[READ_BYTES];
};

static void serve_waiting(struct host *host);
static void on_line(struct loop_watch *watch, uint32_t bits);
static void on_idle(struct loop_timer *timer);
static void on_deadline(struct loop_timer *timer);

// --- requests ------------------------------------------------------------------------------------

static void push(struct host *host, struct request *request, bool first)
{
    request->next = first ? host->first : NULL;
    request->before = first ? NULL : host->last;
    if (request->next != NULL)
        request->next->before = request;
    else
        host->last = request;
    if (request->before != NULL)
        request->before->next = request;
    else
        host->first = request;
    host->waiting++;
}

static void pull(struct host *host, struct request *request)
{
    if (request->before != NULL)
        request->before->next = request->next;
    else
        host->first = request->next;
    if (request->next != NULL)
        request->next->before = request->before;
    else
        host->last = request->before;
    host->waiting--;
}

static void end_request(struct request *request, fault f)
{
    loop_stop_timer(request->client->options.loop, &request->deadline);
    struct bytes *into = TAKE(request->into);
    if (failed(f))
        bytes_free(&into);
    request->taker->end(request->owner, f, &into);
    bytes_free(&into);
    bytes_free(&request->out);
    free(request);
}

// --- lines ---------------------------------------------------------------------------------------

static void give_back(struct line *line)
{
    budget_give(line->host->client->options.budget, BUDGET_SERVICES, line->held);
    line->held = 0;
}

static void close_line(struct line *line)
{
    struct host *host = line->host;
    struct loop *loop = host->client->options.loop;
    assert(line->request == NULL);
    if (line->before != NULL)
        line->before->next = line->next;
    else
        host->line = line->next;
    if (line->next != NULL)
        line->next->before = line->before;
    host->lines--;
    give_back(line);
    loop_stop_timer(loop, &line->idle);
    if (line->watch.fd >= 0) {
        loop_unwatch(loop, &line->watch);
        close(line->watch.fd);
    }
    bytes_free(&line->in);
    free(line);
}

/* Ends the line and its request. */
static void fail_line(struct line *line, fault f)
{
    struct host *host = line->host;
    struct request *request = TAKE(line->request);
    close_line(line);
    if (request != NULL)
        end_request(request, f);
    serve_waiting(host);
}

static fault open_socket(struct line *line)
{
    const struct service_address *address = &line->host->address[line->address];
    int one = 1;
    int fd = socket(address->at.ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return RAISE(SERVICE_DOWN, "no socket: %s", strerror(errno));
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    if (connect(fd, (const struct sockaddr *)&address->at, address->size) != 0 &&
        errno != EINPROGRESS) {
        fault f = RAISE(SERVICE_DOWN, "%s", strerror(errno));
        close(fd);
        return f;
    }
    line->watch = (struct loop_watch){fd, EPOLLOUT, on_line, line};
    fault f = loop_watch(line->host->client->options.loop, &line->watch);
    if (failed(f)) {
        close(fd);
        line->watch.fd = -1;
    }
    return f;
}

/* From line->address on, the first that does not fail at once. */
static fault open_any(struct line *line)
{
    fault f = RAISE(SERVICE_DOWN, "no address");
    for (; line->address < line->host->addresses; line->address++) {
        f = open_socket(line);
        if (!failed(f))
            return DONE;
    }
    return f;
}

static fault line_new(struct host *host, struct request *request)
{
    struct line *line = owned_new(sizeof *line);
    line->host = host;
    line->connecting = true;
    line->idle = (struct loop_timer){.fire = on_idle, .owner = line};
    fault f = open_any(line);
    if (failed(f)) {
        free(line);
        return f;
    }
    line->request = request;
    request->line = line;
    line->next = host->line;
    if (line->next != NULL)
        line->next->before = line;
    host->line = line;
    host->lines++;
    return DONE;
}

/* An idle line must have nothing to say: its end may be waiting in the socket, not yet noticed. */
static bool is_quiet(const struct line *line)
{
    char byte;
    return recv(line->watch.fd, &byte, 1, MSG_PEEK | MSG_DONTWAIT) < 0 &&
           (errno == EAGAIN || errno == EINTR);
}

static struct line *find_idle(struct host *host)
{
    struct line *next;
    for (struct line *line = host->line; line != NULL; line = next) {
        next = line->next;
        if (line->request != NULL)
            continue;
        if (is_quiet(line))
            return line;
        close_line(line);
    }
    return NULL;
}

static bool rewatch(struct line *line, uint32_t bits)
{
    if (line->watch.bits == bits)
        return true;
    line->watch.bits = bits;
    return !failed(loop_rewatch(line->host->client->options.loop, &line->watch));
}

// --- sending -------------------------------------------------------------------------------------

/* Nothing of the request has left: it may go to a fresh line without being sent twice. */
static void move_to_fresh_line(struct line *line)
{
    struct host *host = line->host;
    struct request *request = TAKE(line->request);
    request->line = NULL;
    close_line(line);
    push(host, request, true);
    serve_waiting(host);
}

/* False when the line is gone. */
static bool send_more(struct line *line)
{
    struct request *request = line->request;
    while (request->out_at < request->out->size) {
        ssize_t sent = send(line->watch.fd, request->out->data + request->out_at,
                            request->out->size - request->out_at, MSG_NOSIGNAL);
        if (sent < 0 && errno == EINTR)
            continue;
        if (sent < 0 && errno == EAGAIN)
            return rewatch(line, EPOLLIN | EPOLLOUT);
        if (sent < 0 && request->out_at == 0 && line->kept) {
            move_to_fresh_line(line);
            return false;
        }
        if (sent < 0)
            /* it may have answered already, a refusal of a large body say: read that first */
            return rewatch(line, EPOLLIN);
        request->out_at += (size_t)sent;
    }
    bytes_free(&request->out);
    return rewatch(line, EPOLLIN);
}

static void begin(struct line *line, struct request *request)
{
    line->request = request;
    request->line = line;
    line->head_done = false;
    line->seen = 0;
    line->skipped = 0;
    line->body_size = 0;
    loop_stop_timer(line->host->client->options.loop, &line->idle);
    send_more(line);
}

static void serve_waiting(struct host *host)
{
    while (host->first != NULL) {
        struct request *request = host->first;
        struct line *line = find_idle(host);
        if (line == NULL && host->lines >= host->client->options.connections_max)
            return;
        pull(host, request);
        if (line != NULL) {
            begin(line, request);
            continue;
        }
        fault f = line_new(host, request);
        if (failed(f))
            end_request(request, f);
    }
}

// --- answers -------------------------------------------------------------------------------------

static void finish(struct line *line)
{
    struct host *host = line->host;
    struct request *request = TAKE(line->request);
    bool keep = line->keep_alive && request->out == NULL && line->body.kind != BODY_UNTIL_CLOSE;
    give_back(line);
    if (keep) {
        line->kept = true;
        loop_set_timer(host->client->options.loop, &line->idle, IDLE_MS);
    } else {
        close_line(line);
    }
    end_request(request, DONE);
    serve_waiting(host);
}

static fault hold(struct line *line, size_t size)
{
    const struct service_client_options *options = &line->host->client->options;
    line->body_size += size;
    if (line->body_size > options->body_bytes_max)
        return RAISE(SERVICE_TOO_LARGE, "more than %zu bytes", options->body_bytes_max);
    if (!budget_take(options->budget, BUDGET_SERVICES, size))
        return RAISE(OVERLOADED, "too many bodies are in memory");
    line->held += size;
    return DONE;
}

static fault open_body(struct line *line, const struct http_head *head)
{
    struct request *request = line->request;
    uint8_t *at;
    line->head_done = true;
    line->keep_alive = head->keep_alive;
    line->body = http_body_of_response(head, request->to_head);
    bool sized = line->body.kind == BODY_SIZED;
    if (sized && head->length > line->host->client->options.body_bytes_max)
        return RAISE(SERVICE_TOO_LARGE, "%llu bytes are announced",
                     (unsigned long long)head->length);
    TRY(request->taker->head(request->owner, head, sized, &request->into));
    return sized ? bytes_reserve(request->into, (size_t)head->length, &at) : DONE;
}

/* Not HTTP, whatever the codec says in detail. */
static fault garbage(fault f)
{
    char detail[256];
    if (f.code != BAD_REQUEST && f.code != HEAD_TOO_LARGE)
        return f;
    memccpy(detail, fault_detail(), '\0', sizeof detail);
    detail[sizeof detail - 1] = '\0';
    return RAISE(SERVICE_GARBAGE, "%s", detail);
}

/* Moves `in` past the head when it is whole. 1xx answers are passed over. */
static fault take_head(struct line *line, struct span *in)
{
    struct http_head head;
    size_t size;
    TRY(http_head_measure(*in, &line->seen, &size));
    if (size == 0)
        return DONE;
    TRY(http_head_parse(HTTP_IS_RESPONSE, span_of(in->at, size), &head));
    line->seen = 0;
    if (head.status == 101 || line->skipped == HEADS_SKIPPED_MAX)
        return RAISE(SERVICE_GARBAGE, "a status of %u without end", head.status);
    if (head.status < 200) {
        line->skipped++;
    } else {
        TRY(open_body(line, &head));
    }
    *in = span_of(in->at + size, in->size - size);
    return DONE;
}

static fault take_body(struct line *line, struct span *in)
{
    while (in->size > 0 && !line->body.done) {
        struct span piece;
        TRY(http_body_take(&line->body, in, &piece));
        if (piece.size == 0)
            continue;
        TRY(hold(line, piece.size));
        TRY(bytes_append(line->request->into, piece));
    }
    return DONE;
}

static fault take(struct line *line, struct span *in)
{
    size_t before;
    do {
        before = in->size;
        if (!line->head_done)
            TRY(take_head(line, in));
        else if (!line->body.done)
            TRY(take_body(line, in));
    } while (in->size > 0 && in->size != before && !(line->head_done && line->body.done));
    return DONE;
}

static void keep_rest(struct line *line, struct span rest)
{
    if (rest.size == 0) {
        bytes_free(&line->in);
    } else if (line->in == NULL) {
        line->in = bytes_empty(rest.size);
        write_span(line->in, rest);
    } else {
        memmove(line->in->data, rest.at, rest.size);
        line->in->size = rest.size;
    }
}

static void feed(struct line *line, struct span arrived)
{
    if (line->in != NULL) {
        write_span(line->in, arrived);
        arrived = bytes_span(line->in);
    }
    fault f = garbage(take(line, &arrived));
    if (failed(f)) {
        fail_line(line, f);
        return;
    }
    if (!line->head_done || !line->body.done) {
        keep_rest(line, arrived);
        return;
    }
    /* a careless server may send a body with the answer to HEAD: harmless, once the line is closed
     */
    if (arrived.size > 0 && line->body.kind == BODY_NONE)
        line->keep_alive = false;
    else if (arrived.size > 0) {
        fail_line(line, RAISE(SERVICE_GARBAGE, "%zu bytes more than the answer", arrived.size));
        return;
    }
    bytes_free(&line->in);
    finish(line);
}

static void take_end(struct line *line, ssize_t got)
{
    const char *reason = got < 0 ? strerror(errno) : "it closed the connection";
    if (got == 0 && line->head_done && line->body.kind == BODY_UNTIL_CLOSE) {
        line->body.done = true;
        finish(line);
        return;
    }
    fail_line(line, RAISE(SERVICE_GARBAGE, "%s: %s",
                          line->head_done ? "the answer ended early"
                                          : "no answer, and whether the service ran is not known",
                          reason));
}

static void read_more(struct line *line)
{
    struct service_client *client = line->host->client;
    ssize_t got = recv(line->watch.fd, client->read, sizeof client->read, 0);
    if (got < 0 && (errno == EAGAIN || errno == EINTR))
        return;
    if (got <= 0)
        take_end(line, got);
    else
        feed(line, span_of(client->read, (size_t)got));
}

// --- events --------------------------------------------------------------------------------------

static void try_next_address(struct line *line, int error)
{
    struct loop *loop = line->host->client->options.loop;
    loop_unwatch(loop, &line->watch);
    close(line->watch.fd);
    line->watch.fd = -1;
    fault f = RAISE(SERVICE_DOWN, "%s", strerror(error));
    line->address++;
    if (line->address < line->host->addresses)
        f = open_any(line);
    if (failed(f))
        fail_line(line, f);
}

static void take_connection(struct line *line)
{
    int error = 0;
    socklen_t size = sizeof error;
    if (getsockopt(line->watch.fd, SOL_SOCKET, SO_ERROR, &error, &size) != 0)
        error = errno;
    if (error != 0) {
        try_next_address(line, error);
        return;
    }
    line->connecting = false;
    begin(line, line->request);
}

static void on_line(struct loop_watch *watch, uint32_t bits)
{
    struct line *line = watch->owner;
    if (line->connecting) {
        take_connection(line);
        return;
    }
    if (line->request == NULL) {
        close_line(line); /* idle lines have nothing to say but goodbye */
        return;
    }
    if ((bits & EPOLLOUT) != 0 && line->request->out != NULL && !send_more(line))
        return;
    if ((bits & (EPOLLIN | EPOLLHUP | EPOLLERR)) != 0)
        read_more(line);
}

static void on_idle(struct loop_timer *timer)
{
    close_line(timer->owner);
}

static void on_deadline(struct loop_timer *timer)
{
    struct request *request = timer->owner;
    struct line *line = request->line;
    fault f = RAISE(SERVICE_TIMEOUT, "%s within %lld ms",
                    line == NULL       ? "no connection was free"
                    : line->connecting ? "no connection"
                    : line->head_done  ? "the answer was not complete"
                                       : "no answer",
                    (long long)request->wait_ms);
    if (line != NULL) {
        fail_line(line, f);
        return;
    }
    pull(request->host, request);
    end_request(request, f);
}

// --- the client ----------------------------------------------------------------------------------

fault service_client_new(const struct service_client_options *options, struct service_client **out)
{
    struct service_client *self = owned_new(sizeof *self);
    self->options = *options;
    *out = self;
    return DONE;
}

/* One pool per HOST:PORT; a reload may bring other addresses for it. */
static struct host *host_of(struct service_client *self, const struct service *service)
{
    struct host *host = map_get(&self->host, span_of_text(service->host));
    if (host == NULL) {
        host = owned_new(sizeof *host);
        host->client = self;
        map_set(&self->host, span_of_text(service->host), host);
    }
    host->addresses = service->addresses;
    memcpy(host->address, service->address, sizeof host->address);
    return host;
}

fault service_client_send(struct service_client *self, const struct service_send *send)
{
    struct host *host = host_of(self, send->service);
    if (host->waiting >= QUEUE_MAX)
        return RAISE(OVERLOADED, "%zu requests wait for the service already", host->waiting);
    struct request *request = owned_new(sizeof *request);
    request->client = self;
    request->host = host;
    request->out = TAKE(*send->request);
    request->to_head = send->to_head;
    request->wait_ms = send->wait_ms;
    request->taker = send->taker;
    request->owner = send->owner;
    request->deadline = (struct loop_timer){.fire = on_deadline, .owner = request};
    loop_set_timer(self->options.loop, &request->deadline, send->wait_ms);
    push(host, request, false);
    serve_waiting(host);
    return DONE;
}

static void drop_host(struct host *host)
{
    host->client->options.connections_max = 0; /* nothing new is opened meanwhile */
    while (host->first != NULL) {
        struct request *request = host->first;
        pull(host, request);
        end_request(request, RAISE(DRAINING, "the gateway ends"));
    }
    while (host->line != NULL)
        fail_line(host->line, RAISE(DRAINING, "the gateway ends"));
    free(host);
}

void service_client_free(struct service_client **self)
{
    if (*self == NULL)
        return;
    size_t step = 0;
    struct span key;
    struct host *host;
    while ((host = map_next(&(*self)->host, &step, &key)) != NULL)
        drop_host(host);
    map_clear(&(*self)->host);
    free(*self);
    *self = NULL;
}
