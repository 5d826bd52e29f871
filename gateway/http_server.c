// SPDX-License-Identifier: MIT
#include "gateway/http_private.h"

#include "gateway/write.h"
#include "lib/base/event.h"
#include "lib/base/text.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#define ACCEPTS_PER_TURN 64
#define ACCEPT_AGAIN_MS 100
#define BACKLOG 4096

// --- accepting -----------------------------------------------------------------------------------

static void refuse_one_too_many(int fd)
{
    static const char text[] = "HTTP/1.1 503 Service Unavailable\r\nContent-Length: 0\r\n"
                               "Retry-After: 1\r\nConnection: close\r\n\r\n";
    ssize_t sent = write(fd, text, sizeof text - 1); /* if it does not go out, so be it */
    (void)sent;
    close(fd);
}

/* Out of descriptors or memory: the waiting connection would wake us without end. */
static void pause_accepting(struct http_server *self)
{
    int reason = errno;
    if (event_rate_allows(&self->not_accepted))
        EVENT(WARN, "http.accept_failed", E_TEXT("reason", strerror(reason)));
    for (size_t i = 0; i < self->listeners; i++)
        loop_unwatch(self->options.loop, &self->listener[i]->watch);
    loop_set_timer(self->options.loop, &self->accept_again, ACCEPT_AGAIN_MS);
}

static void on_accept_again(struct loop_timer *timer)
{
    struct http_server *self = timer->owner;
    for (size_t i = 0; i < self->listeners; i++) {
        fault f = loop_watch(self->options.loop, &self->listener[i]->watch);
        if (failed(f))
            EVENT(ERROR, "http.listener_lost", E_FAULT(f));
    }
}

static void on_connection(struct loop_watch *watch, uint32_t bits)
{
    (void)bits;
    struct http_listener *listener = watch->owner;
    struct http_server *self = listener->server;
    for (int i = 0; i < ACCEPTS_PER_TURN; i++) {
        int fd = accept4(watch->fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
        if (fd < 0 && (errno == EINTR || errno == ECONNABORTED))
            continue;
        if (fd < 0) {
            if (errno != EAGAIN)
                pause_accepting(self);
            return;
        }
        self->counts.accepted++;
        if (self->counts.connections >= self->options.connections_max) {
            self->counts.refused++;
            if (event_rate_allows(&self->too_many))
                EVENT(WARN, "http.connection_refused",
                      E_NUMBER("connections", self->counts.connections));
            refuse_one_too_many(fd);
            continue;
        }
        int one = 1; /* answers are small: without this they wait for the caller's ACK */
        setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
        http_connection_new(self, fd);
    }
}

// --- listening -----------------------------------------------------------------------------------

struct address {
    socklen_t size;
    union {
        struct sockaddr any;
        struct sockaddr_in v4;
        struct sockaddr_in6 v6;
    };
};

static fault read_port(const char *text, uint16_t *out)
{
    uint64_t port;
    if (failed(text_number(span_of_text(text), 65535, &port)))
        return RAISE(BAD_CONFIG, "listen: \"%s\" is not a port", text);
    *out = htons((uint16_t)port);
    return DONE;
}

static fault read_address(const char *text, struct address *out)
{
    char host[64];
    memset(out, 0, sizeof *out);
    const char *colon = strrchr(text, ':');
    if (colon == NULL || (size_t)(colon - text) >= sizeof host)
        return RAISE(BAD_CONFIG, "listen: \"%s\" is not HOST:PORT", text);
    memcpy(host, text, (size_t)(colon - text));
    host[colon - text] = '\0';
    size_t length = strlen(host);
    uint16_t port;
    TRY(read_port(colon + 1, &port));
    if (length > 2 && host[0] == '[' && host[length - 1] == ']') {
        host[length - 1] = '\0';
        out->size = sizeof out->v6;
        out->v6.sin6_family = AF_INET6;
        out->v6.sin6_port = port;
        if (inet_pton(AF_INET6, host + 1, &out->v6.sin6_addr) == 1)
            return DONE;
    }
    out->size = sizeof out->v4;
    out->v4.sin_family = AF_INET;
    out->v4.sin_port = port;
    if (strcmp(host, "*") == 0)
        return DONE;
    if (inet_pton(AF_INET, strcmp(host, "localhost") == 0 ? "127.0.0.1" : host,
                  &out->v4.sin_addr) != 1)
        return RAISE(BAD_CONFIG,
                     "listen: \"%s\" is not an address such as 127.0.0.1:8080 or "
                     "[::1]:8080",
                     text);
    return DONE;
}

static bool is_loopback(const struct address *address)
{
    if (address->any.sa_family == AF_INET6)
        return IN6_IS_ADDR_LOOPBACK(&address->v6.sin6_addr);
    return ntohl(address->v4.sin_addr.s_addr) >> 24 == 127;
}

static void write_address(int fd, char *out, size_t room)
{
    struct address address = {.size = sizeof address.v6};
    char host[INET6_ADDRSTRLEN] = "?";
    getsockname(fd, &address.any, &address.size);
    bool v6 = address.any.sa_family == AF_INET6;
    if (v6)
        inet_ntop(AF_INET6, &address.v6.sin6_addr, host, sizeof host);
    else
        inet_ntop(AF_INET, &address.v4.sin_addr, host, sizeof host);
    text_format(out, room, v6 ? "[%s]:%u" : "%s:%u", host,
                ntohs(v6 ? address.v6.sin6_port : address.v4.sin_port));
}

static fault open_listener(const char *text, const struct address *address, int *out)
{
    int one = 1;
    int fd = socket(address->any.sa_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return RAISE(IO_FAILED, "listen: %s: %s", text, strerror(errno));
    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
    if (address->any.sa_family == AF_INET6)
        setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &one, sizeof one);
    if (bind(fd, &address->any, address->size) != 0 || listen(fd, BACKLOG) != 0) {
        fault f = RAISE(IO_FAILED, "listen: %s: %s", text, strerror(errno));
        close(fd);
        return f;
    }
    *out = fd;
    return DONE;
}

fault http_server_check_address(const char *text)
{
    struct address address;
    return read_address(text, &address);
}

fault http_server_listen(struct http_server *self, const char *text)
{
    struct address address;
    int fd;
    TRY(read_address(text, &address));
    TRY(open_listener(text, &address, &fd));
    struct http_listener *listener = owned_new(sizeof *listener);
    listener->server = self;
    listener->local = is_loopback(&address);
    listener->watch = (struct loop_watch){fd, EPOLLIN, on_connection, listener};
    write_address(fd, listener->address, sizeof listener->address);
    self->listener = owned_grow(self->listener, self->listeners + 1, sizeof *self->listener);
    self->listener[self->listeners++] = listener;
    return loop_watch(self->options.loop, &listener->watch);
}

size_t http_server_listeners(const struct http_server *self)
{
    return self->listeners;
}

const char *http_server_address(const struct http_server *self, size_t listener)
{
    return self->listener[listener]->address;
}

bool http_server_is_open_to_others(const struct http_server *self)
{
    for (size_t i = 0; i < self->listeners; i++)
        if (!self->listener[i]->local)
            return true;
    return false;
}

// --- the server ----------------------------------------------------------------------------------

/* Connections die in the middle of calls on them; their memory goes when nobody can hold it. */
static bool bury(void *owner)
{
    struct http_server *self = owner;
    while (self->dead != NULL) {
        struct http_connection *next = http_connection_next(self->dead);
        http_connection_release(self->dead);
        self->dead = next;
    }
    return false;
}

fault http_server_new(const struct http_server_options *options, struct http_server **out)
{
    struct http_server *self = owned_new(sizeof *self);
    self->options = *options;
    self->head = bytes_empty(1024);
    self->date_s = -1;
    self->accept_again = (struct loop_timer){.fire = on_accept_again, .owner = self};
    event_rate_begin(&self->not_accepted, options->loop, "http.accept_failed");
    event_rate_begin(&self->too_many, options->loop, "http.connection_refused");
    loop_each_turn(options->loop, bury, self);
    *out = self;
    return DONE;
}

static void close_listeners(struct http_server *self)
{
    loop_stop_timer(self->options.loop, &self->accept_again);
    for (size_t i = 0; i < self->listeners; i++) {
        loop_unwatch(self->options.loop, &self->listener[i]->watch);
        close(self->listener[i]->watch.fd);
        free(self->listener[i]);
    }
    free(self->listener);
    self->listener = NULL;
    self->listeners = 0;
}

void http_server_free(struct http_server **self)
{
    if (*self == NULL)
        return;
    close_listeners(*self);
    while ((*self)->first != NULL)
        http_connection_drop((*self)->first);
    bury(*self);
    loop_no_turn((*self)->options.loop, bury, *self);
    event_rate_end(&(*self)->not_accepted);
    event_rate_end(&(*self)->too_many);
    bytes_free(&(*self)->head);
    free(*self);
    *self = NULL;
}

void http_server_drain(struct http_server *self)
{
    self->draining = true;
    close_listeners(self);
    struct http_connection *next;
    for (struct http_connection *at = self->first; at != NULL; at = next) {
        next = http_connection_next(at);
        http_connection_drain(at);
    }
}

struct http_server_counts http_server_counts(const struct http_server *self)
{
    return self->counts;
}

void http_field_write(struct bytes *out, struct span name, struct span value)
{
    write_span(out, name);
    write_text(out, ": ");
    write_span(out, value);
    write_text(out, "\r\n");
}

void http_field_write_text(struct bytes *out, const char *name, const char *value)
{
    http_field_write(out, span_of_text(name), span_of_text(value));
}
