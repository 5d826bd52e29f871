// SPDX-License-Identifier: MIT
#include "registry/serve/http_face.h"

#include "lib/base/clock.h"
#include "lib/base/event.h"
#include "lib/base/event_rate.h"
#include "lib/base/text.h"
#include "lib/bus/limits.h"
#include "registry/serve/listener.h"
#include "registry/serve/published_file.h"

#include <microhttpd.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#define SWEEP_MS 1000
#define DIRECTORY "/directory/"

struct http_face {
    struct http_face_options options;
    struct MHD_Daemon *daemon;
    struct loop_watch watch;
    struct loop_timer wake, sweep;
    struct caller *callers;
    struct event_rate rejected, failed, unread;
    char address[LISTENER_ADDRESS_BYTES];
};

/* ---- how long a caller may take ----
 * libmicrohttpd only counts from the last byte: one byte each nine seconds would hold a connection
 * for ever. A connection that is late is shut down, and libmicrohttpd finds it closed. */

struct caller {
    int fd;
    bool answered; /* else a request is still to come, or coming */
    int64_t since_ms;
    struct caller *next, *before;
};

static void caller_came(struct http_face *self, struct MHD_Connection *connection, void **context)
{
    struct caller *caller = owned_new(sizeof *caller);
    caller->fd = MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CONNECTION_FD)->connect_fd;
    caller->since_ms = clock_steady_ms();
    caller->next = self->callers;
    if (caller->next != NULL)
        caller->next->before = caller;
    self->callers = caller;
    *context = caller;
}

static void caller_went(struct http_face *self, struct caller *caller)
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
    caller->answered = answered;
    caller->since_ms = clock_steady_ms();
}

static void on_sweep(struct loop_timer *timer)
{
    struct http_face *self = timer->owner;
    int64_t now_ms = clock_steady_ms();
    for (struct caller *at = self->callers; at != NULL; at = at->next)
        if (now_ms - at->since_ms >
            (at->answered ? REGISTRY_ANSWER_WAIT_MS : REGISTRY_REQUEST_WAIT_MS))
            shutdown(at->fd, SHUT_RDWR);
    loop_set_timer(self->options.loop, &self->sweep, SWEEP_MS);
}

/* ---- answers ---- */

/* Gives the response away. */
static enum MHD_Result reply(struct MHD_Connection *connection, unsigned status,
                             struct MHD_Response *response)
{
    if (response == NULL)
        return MHD_NO; /* no memory: the connection is closed */
    MHD_add_response_header(response, "X-Content-Type-Options", "nosniff");
    enum MHD_Result queued = MHD_queue_response(connection, status, response);
    MHD_destroy_response(response);
    caller_is(connection, true);
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

static enum MHD_Result say(struct MHD_Connection *connection, unsigned status, const char *sentence)
{
    return reply(connection, status,
                 response_of(span_of_text(sentence), "text/plain; charset=utf-8"));
}

static enum MHD_Result allow(struct MHD_Connection *connection, const char *methods)
{
    struct MHD_Response *response =
        response_of(span_of_text("not with this method\n"), "text/plain; charset=utf-8");
    if (response != NULL)
        MHD_add_response_header(response, "Allow", methods);
    return reply(connection, MHD_HTTP_METHOD_NOT_ALLOWED, response);
}

/* ---- a request ---- */

struct asked {
    struct bytes *body; /* at most STAMP_REQUEST_BYTES_MAX of it */
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

static const char *field(struct MHD_Connection *connection, const char *name)
{
    return MHD_lookup_connection_value(connection, MHD_HEADER_KIND, name);
}

/* A body that is too large by far is not waited for, and its sender learns it at once. */
static enum MHD_Result begin(struct MHD_Connection *connection, void **context)
{
    const char *length = field(connection, "Content-Length");
    uint64_t size = 0;
    *context = owned_new(sizeof(struct asked));
    if (length != NULL &&
        failed(text_number(span_of_text(length), REGISTRY_BODY_DROPPED_MAX, &size)))
        return say(connection, MHD_HTTP_CONTENT_TOO_LARGE, "the request is too large\n");
    return MHD_YES;
}

static enum MHD_Result keep(struct asked *asked, const char *data, size_t *size)
{
    struct span more = span_of(data, *size);
    asked->size += more.size;
    *size = 0;
    if (asked->size > REGISTRY_BODY_DROPPED_MAX)
        return MHD_NO; /* closes */
    if (asked->body == NULL)
        asked->body = bytes_empty(512);
    if (asked->size > STAMP_REQUEST_BYTES_MAX)
        return MHD_YES;
    return failed(bytes_append(asked->body, more)) ? MHD_NO : MHD_YES;
}

/* ---- /tsa ---- */

static enum MHD_Result stamps_failed(struct http_face *self, struct MHD_Connection *connection,
                                     fault f)
{
    if (event_rate_allows(&self->failed))
        EVENT(ERROR, "tsa.failed", E_FAULT(f));
    if (f.code == INTERNAL) /* the process has gone */
        self->options.failed(self->options.owner);
    return say(connection, MHD_HTTP_SERVICE_UNAVAILABLE, "no time stamps at the moment\n");
}

static void say_stamped(struct http_face *self, enum stamp_verdict verdict, uint64_t serial)
{
    if (verdict == STAMP_GRANTED)
        EVENT(DEBUG, "tsa.stamped", E_NUMBER("serial", serial));
    else if (event_rate_allows(&self->rejected))
        EVENT(WARN, "tsa.request_rejected",
              E_TEXT("why", verdict == STAMP_GARBAGE
                                ? "not a time stamp request"
                                : "not served, or no time: clock or certificate"));
}

/* A client of RFC 3161 finds the reason in the body; one of HTTP sees that it sent garbage. */
static enum MHD_Result stamp(struct http_face *self, struct MHD_Connection *connection,
                             const struct asked *asked)
{
    enum stamp_verdict verdict = STAMP_GARBAGE;
    uint64_t serial = 0;
    OWNED(bytes) response = NULL;
    fault f = serials_next(self->options.serials, &serial);
    if (!failed(f))
        f = stamp_line_ask(self->options.stamps, bytes_span(asked->body), serial, &verdict,
                           &response);
    if (failed(f))
        return stamps_failed(self, connection, f);
    say_stamped(self, verdict, serial);
    return reply(connection, verdict == STAMP_GARBAGE ? MHD_HTTP_BAD_REQUEST : MHD_HTTP_OK,
                 response_of(bytes_span(response), "application/timestamp-reply"));
}

static enum MHD_Result answer_tsa(struct http_face *self, struct MHD_Connection *connection,
                                  const char *method, const struct asked *asked)
{
    const char *type = field(connection, "Content-Type");
    if (strcmp(method, "POST") != 0)
        return allow(connection, "POST");
    if (asked->size > STAMP_REQUEST_BYTES_MAX)
        return say(connection, MHD_HTTP_CONTENT_TOO_LARGE, "the request is too large\n");
    if (type == NULL ||
        !text_same_word(span_of_text(type), span_of_text("application/timestamp-query")))
        return say(connection, MHD_HTTP_UNSUPPORTED_MEDIA_TYPE,
                   "Content-Type: application/timestamp-query is wanted\n");
    return stamp(self, connection, asked);
}

/* ---- /directory/ ---- */

/* With 304 libmicrohttpd sends the fields of the file and not its bytes. */
static enum MHD_Result send_file(struct MHD_Connection *connection, struct published_file *file)
{
    bool known = published_file_is_known(file, field(connection, "If-None-Match"));
    struct MHD_Response *response = MHD_create_response_from_fd64(file->size, file->fd);
    if (response == NULL) {
        close(file->fd);
        return MHD_NO;
    }
    MHD_add_response_header(response, "Content-Type", file->type);
    MHD_add_response_header(response, "ETag", file->etag);
    MHD_add_response_header(response, "Cache-Control", file->cache);
    return reply(connection, known ? MHD_HTTP_NOT_MODIFIED : MHD_HTTP_OK, response);
}

static enum MHD_Result answer_directory(struct http_face *self, struct MHD_Connection *connection,
                                        const char *method, const char *name)
{
    struct published_file file;
    if (strcmp(method, "GET") != 0 && strcmp(method, "HEAD") != 0)
        return allow(connection, "GET, HEAD");
    if (self->options.directory == NULL)
        return say(connection, MHD_HTTP_NOT_FOUND, "no directory is served here\n");
    fault f = published_file_open(self->options.directory, name, &file);
    if (!failed(f))
        return send_file(connection, &file);
    if (f.code == NOT_FOUND)
        return say(connection, MHD_HTTP_NOT_FOUND, "no such file\n");
    if (event_rate_allows(&self->unread))
        EVENT(ERROR, "directory.read_failed", E_FAULT(f));
    return say(connection, MHD_HTTP_INTERNAL_SERVER_ERROR, "the file cannot be read\n");
}

/* ---- routes ---- */

static enum MHD_Result answer(struct http_face *self, struct MHD_Connection *connection,
                              const char *path, const char *method, const struct asked *asked)
{
    if (strcmp(path, "/tsa") == 0)
        return answer_tsa(self, connection, method, asked);
    if (strncmp(path, DIRECTORY, strlen(DIRECTORY)) == 0)
        return answer_directory(self, connection, method, path + strlen(DIRECTORY));
    if (strcmp(path, "/healthz") != 0)
        return say(connection, MHD_HTTP_NOT_FOUND, "no such place\n");
    if (strcmp(method, "GET") != 0 && strcmp(method, "HEAD") != 0)
        return allow(connection, "GET, HEAD");
    return say(connection, MHD_HTTP_OK, "ok\n");
}

static enum MHD_Result on_request(void *owner, struct MHD_Connection *connection, const char *path,
                                  const char *method, const char *version, const char *data,
                                  size_t *size, void **context)
{
    (void)version;
    if (*context == NULL)
        return begin(connection, context);
    if (*size > 0)
        return keep(*context, data, size);
    return answer(owner, connection, path, method, *context);
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
    struct http_face *self = owner;
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

static fault start_daemon(struct http_face *self, int listener)
{
    self->daemon = MHD_start_daemon(
        MHD_USE_EPOLL, 0, NULL, NULL, on_request, self, MHD_OPTION_LISTEN_SOCKET, listener,
        MHD_OPTION_CONNECTION_LIMIT, (unsigned)REGISTRY_CONNECTIONS_MAX,
        MHD_OPTION_CONNECTION_MEMORY_LIMIT, (size_t)REGISTRY_CONNECTION_BYTES_MAX,
        MHD_OPTION_CONNECTION_TIMEOUT, (unsigned)(REGISTRY_REQUEST_WAIT_MS / 1000),
        MHD_OPTION_NOTIFY_CONNECTION, on_connection, self, MHD_OPTION_NOTIFY_COMPLETED, on_end,
        self, MHD_OPTION_UNESCAPE_CALLBACK, decode_nothing, NULL, MHD_OPTION_STRICT_FOR_CLIENT, 1,
        MHD_OPTION_SIGPIPE_HANDLED_BY_APP, 1, MHD_OPTION_END);
    if (self->daemon == NULL) {
        close(listener);
        return RAISE(INTERNAL, "libmicrohttpd does not start");
    }
    return DONE;
}

fault http_face_new(const struct http_face_options *options, const char *listen,
                    struct http_face **out)
{
    OWNED(http_face) self = owned_new(sizeof *self);
    int listener = -1;
    self->options = *options;
    self->watch.fd = -1;
    event_rate_begin(&self->rejected, options->loop, "tsa.request_rejected");
    event_rate_begin(&self->failed, options->loop, "tsa.failed");
    event_rate_begin(&self->unread, options->loop, "directory.read_failed");
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

void http_face_free(struct http_face **owner)
{
    struct http_face *self = *owner;
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
    event_rate_end(&self->rejected);
    event_rate_end(&self->failed);
    event_rate_end(&self->unread);
    free(self);
}

const char *http_face_address(const struct http_face *self)
{
    return self->address;
}
