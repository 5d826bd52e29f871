// SPDX-License-Identifier: MIT
#include "lib/net/net_private.h"

#include "lib/base/clock.h"
#include "lib/base/text.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zmq.h>

#define SOCKETS_MAX 8192
#define MESSAGES_PER_TURN 256
#define LAST_WORDS_MS 200 /* how long unsent messages may hold up the end */
#define ZAP_ENFORCE_DOMAIN \
    93 /* ZMQ_ZAP_ENFORCE_DOMAIN: in the library, but not in its stable header */
#define ADDRESS_BYTES 512
#define FRAME_BYTES_LEAST 1024 /* the handshake must fit as well */
#define CURVE_FRAME_BYTES 33   /* what CURVE adds to a frame on the wire: name, nonce, box, flags */
#define Z85_KEY_BYTES 40
#define HANDSHAKE_MS 5000

/* Of a ROUTER with CURVE: connections, and what became of them. */
struct knocks {
    void *monitor; /* PAIR on which libzmq tells; NULL: nobody listens */
    uint64_t accepted, admitted, refused;
    uint64_t accepted_before, settled; /* accepted as of the last mark, and the one before it */
    int64_t mark_ms;
};

struct socket {
    struct net *net;
    void *zmq;
    enum socket_kind kind;
    struct loop_watch watch;
    void (*take)(void *owner, const struct message *message);
    void *owner;
    char address[ADDRESS_BYTES];
    bool dirty;  /* used since its events were last looked at */
    bool taking; /* inside `take` */
    bool closed; /* closed from inside `take`: freed when it returns */
    uint64_t dropped;
    struct knocks knocks;
    struct socket *next_dirty;
    struct socket *next, **link; /* in the list of all; link is what points here */
};

// --- the context --------------------------------------------------------------------------------

static bool look_again(void *owner);
static void release(struct socket *self);

fault net_new(struct loop *loop, struct net **out)
{
    OWNED(net) self = owned_new(sizeof *self);
    self->loop = loop;
    self->context = zmq_ctx_new();
    if (self->context == NULL)
        return RAISE(IO_FAILED, "ZeroMQ: %s", zmq_strerror(errno));
    zmq_ctx_set(self->context, ZMQ_IO_THREADS, 1);
    zmq_ctx_set(self->context, ZMQ_MAX_SOCKETS, SOCKETS_MAX);
    zmq_ctx_set(self->context, ZMQ_IPV6, 1);
    loop_each_turn(loop, look_again, self);
    *out = TAKE(self);
    return DONE;
}

void net_free(struct net **self)
{
    if (*self == NULL)
        return;
    loop_no_turn((*self)->loop, look_again, *self);
    while ((*self)->open != NULL) /* or the end of the context would wait for them for ever */
        release((*self)->open);
    if ((*self)->context != NULL)
        zmq_ctx_term((*self)->context);
    free(*self);
    *self = NULL;
}

// --- opening ------------------------------------------------------------------------------------

static fault set(struct socket *self, int option, int value)
{
    if (zmq_setsockopt(self->zmq, option, &value, sizeof value) != 0)
        return RAISE(INTERNAL, "socket option %d: %s", option, zmq_strerror(errno));
    return DONE;
}

/* A ROUTER says when there is no such peer; a DEALER queues nothing for a peer that is not there; a
 * SUBSCRIBER takes all. */
static fault set_manners(struct socket *self)
{
    if (self->kind == SOCKET_ROUTER)
        return set(self, ZMQ_ROUTER_MANDATORY, 1);
    if (self->kind == SOCKET_SUBSCRIBER && zmq_setsockopt(self->zmq, ZMQ_SUBSCRIBE, "", 0) != 0)
        return RAISE(INTERNAL, "ZMQ_SUBSCRIBE: %s", zmq_strerror(errno));
    return self->kind == SOCKET_PUBLISHER ? DONE : set(self, ZMQ_IMMEDIATE, 1);
}

static fault set_bounds(struct socket *self, const struct socket_options *options)
{
    const int table[][2] = {
        {ZMQ_LINGER, LAST_WORDS_MS},
        {ZMQ_SNDHWM, options->queue_messages},
        {ZMQ_RCVHWM, options->queue_messages},
        {ZMQ_IPV6, 1},
        {ZMQ_HEARTBEAT_IVL, 5000},
        {ZMQ_HEARTBEAT_TIMEOUT, 15000},
        {ZMQ_HEARTBEAT_TTL, 20000},
        {ZMQ_HANDSHAKE_IVL, HANDSHAKE_MS},
        {ZMQ_RECONNECT_IVL, 100},
        {ZMQ_RECONNECT_IVL_MAX, 2000},
        {ZMQ_CONNECT_TIMEOUT, 5000},
        {ZMQ_BACKLOG, 1024},
        {ZMQ_TCP_KEEPALIVE, 1},
    };
    for (size_t i = 0; i < sizeof table / sizeof table[0]; i++)
        TRY(set(self, table[i][0], table[i][1]));
    int64_t most = options->message_bytes_max + (options->own != NULL ? CURVE_FRAME_BYTES : 0);
    if (zmq_setsockopt(self->zmq, ZMQ_MAXMSGSIZE, &most, sizeof most) != 0)
        return RAISE(INTERNAL, "ZMQ_MAXMSGSIZE: %s", zmq_strerror(errno));
    return set_manners(self);
}

static fault set_key(struct socket *self, int option, const uint8_t key[CURVE_KEY_BYTES])
{
    if (zmq_setsockopt(self->zmq, option, key, CURVE_KEY_BYTES) != 0)
        return RAISE(INTERNAL, "CURVE key: %s", zmq_strerror(errno));
    return DONE;
}

static fault set_gate(struct socket *self, const char *domain)
{
    if (zmq_setsockopt(self->zmq, ZMQ_ZAP_DOMAIN, domain, strlen(domain)) != 0)
        return RAISE(INTERNAL, "ZMQ_ZAP_DOMAIN: %s", zmq_strerror(errno));
    int enforce = 1; /* a belt for the braces: an old library may not know it */
    (void)zmq_setsockopt(self->zmq, ZAP_ENFORCE_DOMAIN, &enforce, sizeof enforce);
    return DONE;
}

static bool is_server(enum socket_kind kind)
{
    return kind == SOCKET_ROUTER || kind == SOCKET_PUBLISHER;
}

static fault set_curve(struct socket *self, const struct socket_options *options)
{
    if (options->own == NULL)
        return DONE;
    if (is_server(self->kind)) {
        TRY(set(self, ZMQ_CURVE_SERVER, 1));
        if (options->zap_domain != NULL)
            TRY(set_gate(self, options->zap_domain));
        return set_key(self, ZMQ_CURVE_SECRETKEY, options->own->secret_key);
    }
    TRY(set_key(self, ZMQ_CURVE_SERVERKEY, options->server_key));
    TRY(set_key(self, ZMQ_CURVE_PUBLICKEY, options->own->public_key));
    return set_key(self, ZMQ_CURVE_SECRETKEY, options->own->secret_key);
}

static void on_edge(struct loop_watch *watch, uint32_t bits);

static fault watch_socket(struct socket *self)
{
    int fd = -1;
    size_t size = sizeof fd;
    if (zmq_getsockopt(self->zmq, ZMQ_FD, &fd, &size) != 0)
        return RAISE(INTERNAL, "ZMQ_FD: %s", zmq_strerror(errno));
    self->watch = (struct loop_watch){.fd = fd, .bits = EPOLLIN, .ready = on_edge, .owner = self};
    return loop_watch(self->net->loop, &self->watch);
}

/* Puts the socket into the queue of those to be looked at at the end of this turn. */
static void mark(struct socket *self)
{
    struct net *net = self->net;
    if (self->dirty)
        return;
    self->dirty = true;
    self->next_dirty = NULL;
    if (net->dirty_last == NULL)
        net->dirty_first = self;
    else
        net->dirty_last->next_dirty = self;
    net->dirty_last = self;
    net->dirty_count++;
    loop_again(net->loop); /* from within a hook, too, there must be another look before sleep */
}

static void unmark(struct socket *self)
{
    struct net *net = self->net;
    if (!self->dirty)
        return;
    struct socket *before = NULL;
    for (struct socket *at = net->dirty_first; at != self; at = at->next_dirty)
        before = at;
    if (before == NULL)
        net->dirty_first = self->next_dirty;
    else
        before->next_dirty = self->next_dirty;
    if (net->dirty_last == self)
        net->dirty_last = before;
    self->dirty = false;
    net->dirty_count--;
}

/* libzmq reads an empty domain as "ask nobody" and no bound as "any size". */
static void check_options(const struct socket_options *options)
{
    assert(options->queue_messages > 0 && options->message_bytes_max >= FRAME_BYTES_LEAST);
    if (options->own != NULL && options->kind == SOCKET_ROUTER)
        assert(options->zap_domain != NULL && options->zap_domain[0] != '\0');
    else if (options->own != NULL && !is_server(options->kind))
        assert(options->server_key != NULL);
    assert(options->zap_domain == NULL || options->zap_domain[0] != '\0');
}

/* The library's own thread writes these events and would wait for room: so there is no bound here,
 * and socket_broken_handshakes empties it. */
static fault watch_handshakes(struct socket *self)
{
    char name[64];
    int unbounded = 0;
    text_format(name, sizeof name, "inproc://handshakes-%u", self->net->monitors++);
    if (zmq_socket_monitor(self->zmq, name,
                           ZMQ_EVENT_ACCEPTED | ZMQ_EVENT_HANDSHAKE_SUCCEEDED |
                               ZMQ_EVENT_HANDSHAKE_FAILED_AUTH) != 0)
        return RAISE(IO_FAILED, "no monitor: %s", zmq_strerror(errno));
    self->knocks.monitor = zmq_socket(self->net->context, ZMQ_PAIR);
    if (self->knocks.monitor == NULL ||
        zmq_setsockopt(self->knocks.monitor, ZMQ_RCVHWM, &unbounded, sizeof unbounded) != 0 ||
        zmq_connect(self->knocks.monitor, name) != 0)
        return RAISE(IO_FAILED, "no monitor: %s", zmq_strerror(errno));
    return DONE;
}

fault socket_open(struct net *net, const struct socket_options *options,
                  void (*take)(void *owner, const struct message *message), void *owner,
                  struct socket **out)
{
    static const int types[] = {[SOCKET_ROUTER] = ZMQ_ROUTER,
                                [SOCKET_DEALER] = ZMQ_DEALER,
                                [SOCKET_PUBLISHER] = ZMQ_PUB,
                                [SOCKET_SUBSCRIBER] = ZMQ_SUB};
    check_options(options);
    OWNED(socket) self = owned_new(sizeof *self);
    self->net = net;
    self->next = net->open;
    self->link = &net->open;
    if (self->next != NULL)
        self->next->link = &self->next;
    net->open = self;
    self->kind = options->kind;
    self->take = take;
    self->owner = owner;
    self->watch.fd = -1;
    self->zmq = zmq_socket(net->context, types[options->kind]);
    if (self->zmq == NULL)
        return RAISE(IO_FAILED, "no socket: %s", zmq_strerror(errno));
    TRY(set_bounds(self, options));
    TRY(set_curve(self, options));
    TRY(watch_socket(self));
    if (options->kind == SOCKET_ROUTER && options->own != NULL)
        TRY(watch_handshakes(self));
    mark(self);
    *out = TAKE(self);
    return DONE;
}

static void release(struct socket *self)
{
    unmark(self);
    if (self->knocks.monitor != NULL) {
        zmq_socket_monitor(self->zmq, NULL, 0);
        zmq_close(self->knocks.monitor);
    }
    *self->link = self->next;
    if (self->next != NULL)
        self->next->link = self->link;
    if (self->watch.fd >= 0)
        loop_unwatch(self->net->loop, &self->watch);
    if (self->zmq != NULL)
        zmq_close(self->zmq);
    free(self);
}

void socket_close(struct socket **self)
{
    if (*self == NULL)
        return;
    if ((*self)->taking)
        (*self)->closed = true;
    else
        release(*self);
    *self = NULL;
}

void socket_free(struct socket **self)
{
    socket_close(self);
}

fault socket_bind(struct socket *self, const char *address)
{
    if (zmq_bind(self->zmq, address) != 0)
        return RAISE(IO_FAILED, "cannot listen on %s: %s", address, zmq_strerror(errno));
    size_t size = sizeof self->address;
    if (zmq_getsockopt(self->zmq, ZMQ_LAST_ENDPOINT, self->address, &size) != 0)
        text_format(self->address, sizeof self->address, "%s", address);
    return DONE;
}

fault socket_connect(struct socket *self, const char *address)
{
    /* a process on the same machine is back within moments of its end */
    if (strncmp(address, "ipc://", 6) == 0) {
        TRY(set(self, ZMQ_RECONNECT_IVL, 20));
        TRY(set(self, ZMQ_RECONNECT_IVL_MAX, 100));
    }
    if (zmq_connect(self->zmq, address) != 0)
        return RAISE(IO_FAILED, "cannot connect to %s: %s", address, zmq_strerror(errno));
    mark(self);
    return DONE;
}

const char *socket_address(struct socket *self)
{
    return self->address;
}

// --- taking -------------------------------------------------------------------------------------

#define PARTS_MAX (NET_FRAMES_MAX + 1)

struct parts {
    size_t count; /* that are kept */
    bool too_many;
    zmq_msg_t part[PARTS_MAX];
};

/* False when there is none. All parts of a message arrive together. */
static bool receive(struct socket *self, struct parts *out)
{
    out->count = 0;
    out->too_many = false;
    for (int more = 1; more != 0;) {
        zmq_msg_t extra;
        zmq_msg_t *part = out->count < PARTS_MAX ? &out->part[out->count] : &extra;
        zmq_msg_init(part);
        if (zmq_msg_recv(part, self->zmq, ZMQ_DONTWAIT) < 0) {
            zmq_msg_close(part);
            return false;
        }
        more = zmq_msg_more(part);
        if (part == &extra) {
            out->too_many = true;
            zmq_msg_close(part);
        } else {
            out->count++;
        }
    }
    return true;
}

static void close_parts(struct parts *parts)
{
    for (size_t i = 0; i < parts->count; i++)
        zmq_msg_close(&parts->part[i]);
}

/* libzmq 4.3 leaves it off the routing id of a message that a poll has fetched ahead, as ours are.
 */
static const char *user_of(struct parts *parts)
{
    for (size_t i = 0; i < parts->count; i++) {
        const char *user = zmq_msg_gets(&parts->part[i], "User-Id");
        if (user != NULL)
            return user;
    }
    return "";
}

static void hand_over(struct socket *self, struct parts *parts)
{
    struct message message = {.user = ""};
    size_t first = self->kind == SOCKET_ROUTER ? 1 : 0;
    if (parts->too_many || parts->count < first || parts->count - first > NET_FRAMES_MAX) {
        self->dropped++; /* no event: a peer could fill the disk with them */
        return;
    }
    if (first == 1) {
        message.from = span_of(zmq_msg_data(&parts->part[0]), zmq_msg_size(&parts->part[0]));
        message.user = user_of(parts);
    }
    for (size_t i = first; i < parts->count; i++)
        message.frame[message.count++] =
            span_of(zmq_msg_data(&parts->part[i]), zmq_msg_size(&parts->part[i]));
    self->taking = true;
    self->take(self->owner, &message);
    self->taking = false;
}

/* Takes what is there, within a bound so that nobody starves others. */
static void drain(struct socket *self)
{
    for (int taken = 0; taken < MESSAGES_PER_TURN; taken++) {
        struct parts parts;
        bool got = receive(self, &parts);
        if (got)
            hand_over(self, &parts);
        close_parts(&parts);
        if (self->closed) {
            release(self);
            return;
        }
        if (!got)
            return;
    }
    mark(self); /* there may be more: look again in the next turn */
}

static void on_edge(struct loop_watch *watch, uint32_t bits)
{
    (void)bits;
    struct socket *self = watch->owner;
    mark(self);
}

/* End of turn: an edge may have been swallowed by a send, so every socket in use is asked. What is
 * marked meanwhile waits for the next turn. */
static bool look_again(void *owner)
{
    struct net *net = owner;
    for (size_t left = net->dirty_count; left > 0 && net->dirty_first != NULL; left--) {
        struct socket *socket = net->dirty_first;
        unmark(socket);
        int events = 0;
        size_t size = sizeof events;
        if (zmq_getsockopt(socket->zmq, ZMQ_EVENTS, &events, &size) == 0 &&
            (events & ZMQ_POLLIN) != 0)
            drain(socket);
    }
    return net->dirty_count > 0;
}

// --- sending ------------------------------------------------------------------------------------

static fault send_fault(int error)
{
    if (error == EAGAIN)
        return RAISE(OVERLOADED, "the queue is full or not connected");
    if (error == EHOSTUNREACH)
        return RAISE(PEER_UNREACHABLE, "no such peer is connected");
    return RAISE(IO_FAILED, "send: %s", zmq_strerror(error));
}

static fault send_part(struct socket *self, zmq_msg_t *part, bool more)
{
    int flags = ZMQ_DONTWAIT | (more ? ZMQ_SNDMORE : 0);
    while (zmq_msg_send(part, self->zmq, flags) < 0)
        if (errno != EINTR)
            return send_fault(errno);
    return DONE;
}

/* When the connection breaks between two parts, libzmq refuses one and swallows what follows up to
 * the last. So the others are offered all the same: otherwise it would swallow the next message.
 * Only when the first is refused, nothing has begun. */
static fault send_parts(struct socket *self, zmq_msg_t *part, size_t count)
{
    TRY(send_part(self, &part[0], count > 1));
    fault result = DONE;
    for (size_t i = 1; i < count; i++) {
        fault sent = send_part(self, &part[i], i + 1 < count);
        if (failed(sent))
            result = sent;
    }
    return result;
}

/* Gets the memory for all parts before the first is sent, so that none is sent without the rest. */
static fault fill_parts(struct parts *out, const struct span *from, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (zmq_msg_init_size(&out->part[i], from[i].size) != 0)
            return RAISE(NO_MEMORY, "no room to send %zu bytes", from[i].size);
        out->count++;
        if (from[i].size > 0)
            memcpy(zmq_msg_data(&out->part[i]), from[i].at, from[i].size);
    }
    return DONE;
}

fault socket_send(struct socket *self, struct span to, const struct span *frames, size_t count)
{
    assert(count > 0 && count <= NET_FRAMES_MAX && self->kind != SOCKET_SUBSCRIBER);
    struct span from[PARTS_MAX];
    size_t all = 0;
    if (self->kind == SOCKET_ROUTER)
        from[all++] = to;
    for (size_t i = 0; i < count; i++)
        from[all++] = frames[i];
    struct parts parts = {.count = 0};
    fault result = fill_parts(&parts, from, all);
    if (!failed(result))
        result = send_parts(self, parts.part, all);
    close_parts(&parts);
    mark(self); /* the send may have swallowed the edge of an arrival */
    return result;
}

uint64_t socket_dropped(const struct socket *self)
{
    return self->dropped;
}

/* Each event is two frames: number and value, then the address. */
static void take_knocks(struct knocks *self)
{
    uint8_t frame[ADDRESS_BYTES];
    int size;
    while ((size = zmq_recv(self->monitor, frame, sizeof frame, ZMQ_DONTWAIT)) >= 0) {
        uint16_t event = 0;
        int more = 0;
        size_t room = sizeof more;
        zmq_getsockopt(self->monitor, ZMQ_RCVMORE, &more, &room);
        if (more == 0 || size < 2)
            continue;
        memcpy(&event, frame, sizeof event);
        self->accepted += event == ZMQ_EVENT_ACCEPTED;
        self->admitted += event == ZMQ_EVENT_HANDSHAKE_SUCCEEDED;
        self->refused += event == ZMQ_EVENT_HANDSHAKE_FAILED_AUTH;
    }
}

/* libzmq has no event for each way to fail: what was accepted a handshake's time ago and neither
 * admitted nor refused by the gate did not speak as a peer does. */
uint64_t socket_broken_handshakes(struct socket *self)
{
    struct knocks *knocks = &self->knocks;
    if (knocks->monitor == NULL)
        return 0;
    take_knocks(knocks);
    int64_t now_ms = clock_steady_ms();
    if (now_ms - knocks->mark_ms > HANDSHAKE_MS) {
        knocks->settled = knocks->accepted_before;
        knocks->accepted_before = knocks->accepted;
        knocks->mark_ms = now_ms;
    }
    uint64_t known = knocks->admitted + knocks->refused;
    return knocks->settled > known ? knocks->settled - known : 0;
}

// --- CURVE keys ---------------------------------------------------------------------------------

void curve_make(struct curve_keys *out)
{
    char public_text[Z85_KEY_BYTES + 1], secret_text[Z85_KEY_BYTES + 1];
    if (zmq_curve_keypair(public_text, secret_text) != 0)
        abort(); /* a libzmq without CURVE is no library for us */
    zmq_z85_decode(out->public_key, public_text);
    zmq_z85_decode(out->secret_key, secret_text);
    explicit_bzero(secret_text, sizeof secret_text);
}

fault curve_parse(struct span content, struct curve_keys *out)
{
    char secret[Z85_KEY_BYTES + 1], public_text[Z85_KEY_BYTES + 1];
    struct curve_keys keys = {0};
    if (content.size == Z85_KEY_BYTES + 1 && content.at[Z85_KEY_BYTES] == '\n')
        content.size--;
    if (content.size != Z85_KEY_BYTES)
        return RAISE(BAD_KEY, "no transport key of %d characters", Z85_KEY_BYTES);
    memcpy(secret, content.at, Z85_KEY_BYTES);
    secret[Z85_KEY_BYTES] = '\0';
    bool good = zmq_curve_public(public_text, secret) == 0 &&
                zmq_z85_decode(keys.secret_key, secret) != NULL &&
                zmq_z85_decode(keys.public_key, public_text) != NULL;
    if (good)
        *out = keys;
    explicit_bzero(secret, sizeof secret);
    explicit_bzero(&keys, sizeof keys);
    return good ? DONE : RAISE(BAD_KEY, "no transport key");
}

static fault read_secret(int fd, const char *path, struct curve_keys *out)
{
    struct stat st;
    if (fstat(fd, &st) != 0 || !S_ISREG(st.st_mode))
        return RAISE(BAD_KEY, "%s is not a file", path);
    if ((st.st_mode & 077) != 0)
        return RAISE(BAD_KEY, "%s can be read by others: chmod 600 it", path);
    char text[Z85_KEY_BYTES + 2]; /* the key, a newline, and one that must not be there */
    ssize_t got = read(fd, text, sizeof text);
    fault f = got < 0 ? RAISE(BAD_KEY, "%s: %s", path, strerror(errno))
                      : curve_parse(span_of(text, (size_t)got), out);
    explicit_bzero(text, sizeof text);
    return failed(f) ? RAISE(BAD_KEY, "%s: %s", path, fault_detail()) : DONE;
}

fault curve_load(const char *path, struct curve_keys *out)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NOCTTY | O_NONBLOCK);
    if (fd < 0)
        return RAISE(BAD_KEY, "%s: %s", path, strerror(errno));
    fault f = read_secret(fd, path, out);
    close(fd);
    return f;
}

void curve_secret_text(const struct curve_keys *keys, char out[42])
{
    zmq_z85_encode(out, keys->secret_key, CURVE_KEY_BYTES);
    out[Z85_KEY_BYTES] = '\n';
    out[Z85_KEY_BYTES + 1] = '\0';
}

fault curve_save(const struct curve_keys *keys, const char *path)
{
    char secret[Z85_KEY_BYTES + 2];
    int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (fd < 0)
        return RAISE(IO_FAILED, "%s: %s", path, strerror(errno));
    curve_secret_text(keys, secret);
    bool good = write(fd, secret, Z85_KEY_BYTES + 1) == Z85_KEY_BYTES + 1 && fsync(fd) == 0;
    explicit_bzero(secret, sizeof secret);
    if (close(fd) == 0 && good)
        return DONE;
    unlink(path); /* half a key is worse than none */
    return RAISE(IO_FAILED, "%s could not be written", path);
}

void curve_public_text(const struct curve_keys *keys, char out[41])
{
    zmq_z85_encode(out, keys->public_key, CURVE_KEY_BYTES);
}
