// SPDX-License-Identifier: MIT
#include "registry/serve/http_server.h"

#include "lib/base/clock.h"
#include "lib/base/event.h"
#include "lib/base/event_rate.h"
#include "lib/base/text.h"
#include "lib/bus/limits.h"
#include "registry/serve/caller.h"
#include "registry/serve/listener.h"

#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#define SWEEP_MS 1000
#define PRIORITIES "NORMAL:-VERS-ALL:+VERS-TLS1.3"

struct http_server {
    struct http_options options;
    struct MHD_Daemon *daemon;
    struct loop_watch watch;
    struct loop_timer wake, sweep;
    struct caller *callers;
    struct event_rate crowded;
    char address[LISTENER_ADDRESS_BYTES];
};

/* ---- how long a caller may take ----
 * libmicrohttpd only counts from the last byte: one byte each nine seconds would hold a connection
 * for ever. A connection that is late is shut down, and libmicrohttpd finds it closed. */

#define SOURCE_BYTES_MAX 16

struct caller {
    int fd;
    uint8_t source[SOURCE_BYTES_MAX];
    size_t source_bytes;
    bool headed;   /* the head of a request came once, and with TLS the handshake before it */
    bool answered; /* else a request is still to come, or coming */
    int64_t since_ms;
    struct caller *next, *before;
};

static bool is_local(struct span source)
{
    return (source.size == 4 && source.at[0] == 127) || source.size == SOURCE_BYTES_MAX; /* ::1 */
}

/* One address alone must not keep all others out by connections on which it says nothing. */
static enum MHD_Result may_come(void *owner, const struct sockaddr *address, socklen_t size)
{
    struct http_server *self = owner;
    struct span source = caller_source(address);
    unsigned count = 0;
    (void)size;
    if (self->options.behind_proxy && is_local(source))
        return MHD_YES;
    for (const struct caller *at = self->callers; at != NULL; at = at->next)
        count += span_equal(span_of(at->source, at->source_bytes), source);
    if (count < self->options.a_source)
        return MHD_YES;
    if (event_rate_allows(&self->crowded))
        EVENT(WARN, "registry.source_crowds", E_TEXT("address", self->address),
              E_NUMBER("connections", count));
    return MHD_NO;
}

static void note_source(struct caller *caller, struct MHD_Connection *connection)
{
    struct span source = caller_source(
        MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CLIENT_ADDRESS)->client_addr);
    caller->source_bytes = source.size < SOURCE_BYTES_MAX ? source.size : SOURCE_BYTES_MAX;
    if (source.size > 0)
        memcpy(caller->source, source.at, caller->source_bytes);
}

static void caller_came(struct http_server *self, struct MHD_Connection *connection, void **context)
{
    struct caller *caller = owned_new(sizeof *caller);
    note_source(caller, connection);
    caller->fd = MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CONNECTION_FD)->connect_fd;
    caller->since_ms = clock_steady_ms();
    caller->next = self->callers;
    if (caller->next != NULL)
        caller->next->before = caller;
    self->callers = caller;
    *context = caller;
}

static void caller_went(struct http_server *self, struct caller *caller)
{
    if (caller->before != NULL)
        caller->before->next = caller->next;
    else
        self->callers = caller->next;
    if (caller->next != NULL)
        caller->next->before = caller->before;
    free(caller);
}

static void on_connection(void *owner, struct MHD_Connection *connection, void **context,
                          enum MHD_ConnectionNotificationCode what)
{
    if (what == MHD_CONNECTION_NOTIFY_STARTED)
        caller_came(owner, connection, context);
    else if (*context != NULL)
        caller_went(owner, *context);
}

static void caller_is(struct MHD_Connection *connection, bool answered)
{
    struct caller *caller =
        MHD_get_connection_info(connection, MHD_CONNECTION_INFO_SOCKET_CONTEXT)->socket_context;
    caller->headed = true;
    caller->answered = answered;
    caller->since_ms = clock_steady_ms();
}

static int64_t wait_of(const struct caller *caller)
{
    if (!caller->headed)
        return REGISTRY_HEAD_WAIT_MS;
    return caller->answered ? REGISTRY_ANSWER_WAIT_MS : REGISTRY_REQUEST_WAIT_MS;
}

static void on_sweep(struct loop_timer *timer)
{
    struct http_server *self = timer->owner;
    int64_t now_ms = clock_steady_ms();
    for (struct caller *at = self->callers; at != NULL; at = at->next)
        if (now_ms - at->since_ms > wait_of(at))
            shutdown(at->fd, SHUT_RDWR);
    loop_set_timer(self->options.loop, &self->sweep, SWEEP_MS);
}

/* ---- answers ---- */

enum MHD_Result http_reply(const struct http_request *request, unsigned status,
                           struct MHD_Response *response)
{
    if (response == NULL)
        return MHD_NO; /* no memory: the connection is closed */
    MHD_add_response_header(response, "X-Content-Type-Options", "nosniff");
    enum MHD_Result queued = MHD_queue_response(request->connection, status, response);
    MHD_destroy_response(response);
    caller_is(request->connection, true);
    return queued;
}

static struct MHD_Response *response_of(struct span body, const char *type)
{
    struct MHD_Response *response = MHD_create_response_from_buffer(
        body.size, (void *)(uintptr_t)body.at, MHD_RESPMEM_MUST_COPY);
    if (response != NULL) {
        MHD_add_response_header(response, "Content-Type", type);
        MHD_add_response_header(response, "Cache-Control", "no-store");
    }
    return response;
}

enum MHD_Result http_bytes(const struct http_request *request, unsigned status, const char *type,
                           struct span body)
{
    return http_reply(request, status, response_of(body, type));
}

enum MHD_Result http_say(const struct http_request *request, unsigned status, const char *sentence)
{
    return http_bytes(request, status, "text/plain; charset=utf-8", span_of_text(sentence));
}

enum MHD_Result http_allow(const struct http_request *request, const char *methods)
{
    struct MHD_Response *response =
        response_of(span_of_text("not with this method\n"), "text/plain; charset=utf-8");
    if (response != NULL)
        MHD_add_response_header(response, "Allow", methods);
    return http_reply(request, MHD_HTTP_METHOD_NOT_ALLOWED, response);
}

enum MHD_Result http_json(const struct http_request *request, unsigned status, json_t *json)
{
    char *text = json_dumps(json, JSON_COMPACT | JSON_SORT_KEYS);
    json_decref(json);
    if (text == NULL)
        return MHD_NO;
    enum MHD_Result done = http_bytes(request, status, "application/json", span_of_text(text));
    free(text);
    return done;
}

enum MHD_Result http_fault(const struct http_request *request, fault f)
{
    int status = fault_status(f.code);
    const char *detail = status >= 500 ? fault_sentence(f.code) : fault_detail();
    return http_json(request, (unsigned)status,
                     json_pack("{s:s,s:s}", "fault", fault_name(f.code), "detail", detail));
}

/* ---- a request ---- */

struct asked {
    struct bytes *body; /* at most body_bytes_max of it */
    size_t size;        /* with what was dropped */
};

static void on_end(void *owner, struct MHD_Connection *connection, void **context,
                   enum MHD_RequestTerminationCode why)
{
    struct asked *asked = *context;
    (void)owner;
    (void)why;
    *context = NULL;
    caller_is(connection, false);
    if (asked == NULL)
        return;
    bytes_free(&asked->body);
    free(asked);
}

const char *http_field(const struct http_request *request, const char *name)
{
    return MHD_lookup_connection_value(request->connection, MHD_HEADER_KIND, name);
}

bool http_is_read(const struct http_request *request)
{
    return strcmp(request->method, "GET") == 0 || strcmp(request->method, "HEAD") == 0;
}

/* A body that is too large by far is not waited for, and its sender learns it at once. */
static enum MHD_Result begin(const struct http_request *request, void **context)
{
    const char *length = http_field(request, "Content-Length");
    uint64_t size = 0;
    *context = owned_new(sizeof(struct asked));
    caller_is(request->connection, false);
    if (length != NULL &&
        failed(text_number(span_of_text(length), REGISTRY_BODY_DROPPED_MAX, &size)))
        return http_say(request, MHD_HTTP_CONTENT_TOO_LARGE, "the request is too large\n");
    return MHD_YES;
}

static enum MHD_Result keep(const struct http_server *self, struct asked *asked, const char *data,
                            size_t *size)
{
    struct span more = span_of(data, *size);
    asked->size += more.size;
    *size = 0;
    if (asked->size > REGISTRY_BODY_DROPPED_MAX)
        return MHD_NO; /* closes */
    if (asked->body == NULL)
        asked->body = bytes_empty(512);
    if (asked->size > self->options.body_bytes_max)
        return MHD_YES;
    return failed(bytes_append(asked->body, more)) ? MHD_NO : MHD_YES;
}

static enum MHD_Result on_request(void *owner, struct MHD_Connection *connection, const char *path,
                                  const char *method, const char *version, const char *data,
                                  size_t *size, void **context)
{
    struct http_server *self = owner;
    struct http_request request = {.connection = connection, .method = method, .path = path};
    struct asked *asked = *context;
    (void)version;
    if (asked == NULL)
        return begin(&request, context);
    if (*size > 0)
        return keep(self, asked, data, size);
    request.body = bytes_span(asked->body);
    request.too_large = asked->size > self->options.body_bytes_max;
    return self->options.handle(self->options.owner, &request);
}

/* Paths are compared as they came: no known one has anything to decode. */
static size_t decode_nothing(void *owner, struct MHD_Connection *connection, char *text)
{
    (void)owner;
    (void)connection;
    return strlen(text);
}

/* ---- in the loop ---- */

static void on_wake(struct loop_timer *timer)
{
    (void)timer; /* the turn that follows does it */
}

static void on_ready(struct loop_watch *watch, uint32_t bits)
{
    (void)watch;
    (void)bits;
}

static bool each_turn(void *owner)
{
    struct http_server *self = owner;
    MHD_UNSIGNED_LONG_LONG wait_ms = 0;
    MHD_run(self->daemon);
    if (MHD_get_timeout(self->daemon, &wait_ms) != MHD_YES)
        return false;
    if (wait_ms == 0)
        return true;
    loop_set_timer(self->options.loop, &self->wake,
                   wait_ms < SWEEP_MS ? (int64_t)wait_ms : SWEEP_MS);
    return false;
}

#define TLS_OPTIONS 5

static void tls_options(const struct http_tls *tls, struct MHD_OptionItem out[TLS_OPTIONS])
{
    size_t count = 0;
    if (tls != NULL) {
        out[count++] =
            (struct MHD_OptionItem){MHD_OPTION_HTTPS_MEM_KEY, 0, (void *)(uintptr_t)tls->key_pem};
        out[count++] = (struct MHD_OptionItem){MHD_OPTION_HTTPS_MEM_CERT, 0,
                                               (void *)(uintptr_t)tls->certificate_pem};
        out[count++] = (struct MHD_OptionItem){MHD_OPTION_HTTPS_MEM_TRUST, 0,
                                               (void *)(uintptr_t)tls->trust_pem};
        out[count++] =
            (struct MHD_OptionItem){MHD_OPTION_HTTPS_PRIORITIES, 0, (void *)(uintptr_t)PRIORITIES};
    }
    out[count] = (struct MHD_OptionItem){MHD_OPTION_END, 0, NULL};
}

static fault start_daemon(struct http_server *self, int listener)
{
    struct MHD_OptionItem tls[TLS_OPTIONS];
    const struct http_options *options = &self->options;
    tls_options(options->tls, tls);
    self->daemon = MHD_start_daemon(
        MHD_USE_EPOLL | (options->tls != NULL ? MHD_USE_TLS : 0), 0, may_come, self, on_request,
        self, MHD_OPTION_LISTEN_SOCKET, listener, MHD_OPTION_CONNECTION_LIMIT, options->connections,
        MHD_OPTION_CONNECTION_MEMORY_LIMIT, (size_t)REGISTRY_CONNECTION_BYTES_MAX,
        MHD_OPTION_CONNECTION_TIMEOUT, (unsigned)(REGISTRY_REQUEST_WAIT_MS / 1000),
        MHD_OPTION_NOTIFY_CONNECTION, on_connection, self, MHD_OPTION_NOTIFY_COMPLETED, on_end,
        self, MHD_OPTION_UNESCAPE_CALLBACK, decode_nothing, NULL, MHD_OPTION_STRICT_FOR_CLIENT, 1,
        MHD_OPTION_SIGPIPE_HANDLED_BY_APP, 1, MHD_OPTION_ARRAY, tls, MHD_OPTION_END);
    if (self->daemon == NULL) {
        close(listener);
        return RAISE(INTERNAL, "libmicrohttpd does not start%s",
                     options->tls != NULL ? ": TLS key or certificate" : "");
    }
    return DONE;
}

fault http_server_new(const struct http_options *options, const char *listen,
                      struct http_server **out)
{
    OWNED(http_server) self = owned_new(sizeof *self);
    int listener = -1;
    self->options = *options;
    self->watch.fd = -1;
    event_rate_begin(&self->crowded, options->loop, "registry.source_crowds");
    TRY(listener_open(listen, &listener, self->address));
    TRY(start_daemon(self, listener));
    int fd = MHD_get_daemon_info(self->daemon, MHD_DAEMON_INFO_EPOLL_FD)->epoll_fd;
    self->watch = (struct loop_watch){fd, EPOLLIN, on_ready, self};
    self->wake = (struct loop_timer){.fire = on_wake, .owner = self};
    self->sweep = (struct loop_timer){.fire = on_sweep, .owner = self};
    TRY(loop_watch(options->loop, &self->watch));
    loop_each_turn(options->loop, each_turn, self);
    loop_set_timer(options->loop, &self->sweep, SWEEP_MS);
    *out = TAKE(self);
    return DONE;
}

void http_server_free(struct http_server **owner)
{
    struct http_server *self = *owner;
    *owner = NULL;
    if (self == NULL)
        return;
    loop_no_turn(self->options.loop, each_turn, self);
    loop_stop_timer(self->options.loop, &self->wake);
    loop_stop_timer(self->options.loop, &self->sweep);
    if (self->watch.fd >= 0)
        loop_unwatch(self->options.loop, &self->watch);
    if (self->daemon != NULL)
        MHD_stop_daemon(self->daemon);
    event_rate_end(&self->crowded);
    free(self);
}

const char *http_server_address(const struct http_server *self)
{
    return self->address;
}
