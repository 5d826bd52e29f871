// SPDX-License-Identifier: MIT
#include "lib/net/reach.h"

#include "lib/base/clock.h"

#include <errno.h>
#include <stdlib.h>
#include <zmq.h>

#define WATCHED "inproc://reach"
#define EVENT_BYTES 6 /* event and value of libzmq's monitor */

struct trial {
    void *context, *socket, *watcher;
};

static void trial_free(struct trial **owner)
{
    struct trial *self = *owner;
    *owner = NULL;
    if (self == NULL)
        return;
    if (self->socket != NULL)
        zmq_close(self->socket);
    if (self->watcher != NULL)
        zmq_close(self->watcher);
    if (self->context != NULL)
        zmq_ctx_term(self->context);
    free(self);
}

static bool set(void *socket, int option, int value)
{
    return zmq_setsockopt(socket, option, &value, sizeof value) == 0;
}

static bool set_keys(void *socket, const uint8_t public_key[CURVE_KEY_BYTES])
{
    struct curve_keys own;
    curve_make(&own);
    bool done = zmq_setsockopt(socket, ZMQ_CURVE_SERVERKEY, public_key, CURVE_KEY_BYTES) == 0 &&
                zmq_setsockopt(socket, ZMQ_CURVE_PUBLICKEY, own.public_key, CURVE_KEY_BYTES) == 0 &&
                zmq_setsockopt(socket, ZMQ_CURVE_SECRETKEY, own.secret_key, CURVE_KEY_BYTES) == 0;
    explicit_bzero(&own, sizeof own);
    return done;
}

/* It subscribes to nothing, and takes no message. */
static bool open_socket(struct trial *self, const uint8_t public_key[CURVE_KEY_BYTES], int wait_ms)
{
    self->socket = zmq_socket(self->context, ZMQ_SUB);
    self->watcher = zmq_socket(self->context, ZMQ_PAIR);
    return self->socket != NULL && self->watcher != NULL && set(self->socket, ZMQ_LINGER, 0) &&
           set(self->watcher, ZMQ_LINGER, 0) && set(self->socket, ZMQ_IPV6, 1) &&
           set(self->socket, ZMQ_RECONNECT_IVL, -1) && set(self->socket, ZMQ_RCVHWM, 1) &&
           set(self->socket, ZMQ_CONNECT_TIMEOUT, wait_ms) &&
           set(self->socket, ZMQ_HANDSHAKE_IVL, wait_ms) && set_keys(self->socket, public_key) &&
           zmq_socket_monitor(self->socket, WATCHED, ZMQ_EVENT_ALL) == 0 &&
           zmq_connect(self->watcher, WATCHED) == 0;
}

/* Event and value, then the address. False when nothing came. */
static bool next_event(void *watcher, uint16_t *event)
{
    uint8_t first[EVENT_BYTES] = {0};
    int more = 0;
    if (zmq_recv(watcher, first, sizeof first, ZMQ_DONTWAIT) != EVENT_BYTES)
        return false;
    memcpy(event, first, sizeof *event);
    for (size_t size = sizeof more;
         zmq_getsockopt(watcher, ZMQ_RCVMORE, &more, &size) == 0 && more != 0;)
        if (zmq_recv(watcher, first, sizeof first, ZMQ_DONTWAIT) < 0)
            return false;
    return true;
}

/* What became of it so far; true when there is nothing more to wait for. */
static bool take(uint16_t event, enum reach_end *out)
{
    switch (event) {
    case ZMQ_EVENT_CONNECTED:
        *out = REACH_OTHER;
        return false;
    case ZMQ_EVENT_HANDSHAKE_SUCCEEDED:
        *out = REACH_PROVEN;
        return true;
    case ZMQ_EVENT_DISCONNECTED:
    case ZMQ_EVENT_CLOSED:
    case ZMQ_EVENT_HANDSHAKE_FAILED_NO_DETAIL:
    case ZMQ_EVENT_HANDSHAKE_FAILED_PROTOCOL:
    case ZMQ_EVENT_HANDSHAKE_FAILED_AUTH:
        return true;
    default:
        return false;
    }
}

static enum reach_end await(struct trial *self, int wait_ms)
{
    enum reach_end end = REACH_NOBODY;
    int64_t until_ms = clock_steady_ms() + 2 * (int64_t)wait_ms;
    for (;;) {
        zmq_pollitem_t item = {self->watcher, 0, ZMQ_POLLIN, 0};
        int64_t left_ms = until_ms - clock_steady_ms();
        uint16_t event = 0;
        if (left_ms <= 0)
            return end;
        if (zmq_poll(&item, 1, (long)left_ms) < 0 && errno != EINTR)
            return end;
        if (next_event(self->watcher, &event) && take(event, &end))
            return end;
    }
}

fault reach_try(const char *address, const uint8_t public_key[CURVE_KEY_BYTES], int wait_ms,
                enum reach_end *out)
{
    OWNED(trial) self = owned_new(sizeof *self);
    self->context = zmq_ctx_new();
    if (self->context == NULL || !open_socket(self, public_key, wait_ms) ||
        zmq_connect(self->socket, address) != 0)
        return RAISE(IO_FAILED, "no socket for %s: %s", address, zmq_strerror(errno));
    *out = await(self, wait_ms);
    return DONE;
}
