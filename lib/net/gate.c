// SPDX-License-Identifier: MIT
#include "lib/net/gate.h"

#include "lib/base/clock.h"
#include "lib/base/event.h"
#include "lib/base/text.h"
#include "lib/net/net_private.h"

#include <assert.h>
#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <zmq.h>

#define ZAP_ENDPOINT "inproc://zeromq.zap.01"
#define REQUEST_PARTS 8 /* RFC 27 with CURVE has 7; room to see that there is one more */
#define PART_BYTES 256
#define REPORT_EVERY_MS 10000
#define SELF_TEST_MS 2000 /* usually a few; a loaded machine must not keep the gate shut */

struct list {
    size_t count;
    struct gate_entry *entry; /* sorted by key */
};

struct gate {
    struct net *net;
    pthread_t thread;
    void *commands; /* our end of the pair: a pointer to the next list, or NULL to end */
    char domain[64];
    char pair[64];
};

// --- the handler's thread -----------------------------------------------------------------------

struct handler {
    void *zap;
    void *commands;
    struct list *list;
    const char *domain;
    uint64_t refused; /* since the last event about it */
    int64_t reported_ms;
    size_t lists; /* taken so far; the first is the self-test's */
};

static int by_key(const void *a, const void *b)
{
    return memcmp(((const struct gate_entry *)a)->public_key,
                  ((const struct gate_entry *)b)->public_key, CURVE_KEY_BYTES);
}

static void list_free(struct list *list)
{
    if (list == NULL)
        return;
    free(list->entry);
    free(list);
}

struct zap_request {
    size_t count;
    struct {
        size_t size;
        uint8_t at[PART_BYTES];
    } part[REQUEST_PARTS];
};

static bool receive_request(void *zap, struct zap_request *out)
{
    out->count = 0;
    for (int more = 1; more != 0;) {
        size_t slot = out->count < REQUEST_PARTS ? out->count : REQUEST_PARTS - 1;
        int got = zmq_recv(zap, out->part[slot].at, PART_BYTES, 0);
        if (got < 0)
            return false;
        out->part[slot].size = (size_t)got < PART_BYTES ? (size_t)got : PART_BYTES;
        out->count++;
        size_t size = sizeof more;
        zmq_getsockopt(zap, ZMQ_RCVMORE, &more, &size);
    }
    return true;
}

static bool part_is(const struct zap_request *request, size_t i, const char *text)
{
    return request->part[i].size == strlen(text) &&
           memcmp(request->part[i].at, text, request->part[i].size) == 0;
}

/* RFC 27: version, request id, domain, address, identity, mechanism, credentials. */
static const struct gate_entry *judge(const struct handler *self, const struct zap_request *request)
{
    if (request->count != 7 || !part_is(request, 0, "1.0") || !part_is(request, 2, self->domain) ||
        !part_is(request, 5, "CURVE") || request->part[6].size != CURVE_KEY_BYTES)
        return NULL;
    struct gate_entry wanted;
    memcpy(wanted.public_key, request->part[6].at, CURVE_KEY_BYTES);
    if (self->list == NULL || self->list->count == 0)
        return NULL;
    return bsearch(&wanted, self->list->entry, self->list->count, sizeof wanted, by_key);
}

static void reply(const struct handler *self, const struct zap_request *request,
                  const struct gate_entry *entry)
{
    /* 300, "not now", and not 400: libzmq's clients never try again after a 400, but who is not in
     * the directory yet may stand in the next one. libzmq closes the connection at once, or when
     * the handshake's five seconds are over. */
    const char *status = entry != NULL ? "200" : "300";
    const char *text = entry != NULL ? "OK" : "not in the directory";
    const char *user = entry != NULL ? entry->user : "";
    size_t id_size = request->count > 1 ? request->part[1].size : 0;
    zmq_send(self->zap, "1.0", 3, ZMQ_SNDMORE);
    zmq_send(self->zap, request->part[1].at, id_size, ZMQ_SNDMORE);
    zmq_send(self->zap, status, 3, ZMQ_SNDMORE);
    zmq_send(self->zap, text, strlen(text), ZMQ_SNDMORE);
    zmq_send(self->zap, user, strlen(user), ZMQ_SNDMORE);
    zmq_send(self->zap, "", 0, 0);
}

/* A refused peer tries several times a second: one event speaks for all of ten seconds. */
static void report_refusal(struct handler *self)
{
    int64_t now_ms = clock_steady_ms();
    self->refused++;
    if (self->reported_ms != 0 && now_ms - self->reported_ms < REPORT_EVERY_MS)
        return;
    EVENT(WARN, "gate.strangers_refused", E_NUMBER("attempts", self->refused));
    self->refused = 0;
    self->reported_ms = now_ms;
}

static void serve_one(struct handler *self)
{
    struct zap_request request;
    if (!receive_request(self->zap, &request))
        return;
    const struct gate_entry *entry = judge(self, &request);
    reply(self, &request, entry);
    if (entry == NULL && self->lists > 1)
        report_refusal(self);
}

/* False: it is time to end. */
static bool take_command(struct handler *self)
{
    struct list *next = NULL;
    if (zmq_recv(self->commands, &next, sizeof next, 0) != sizeof next)
        return true;
    if (next == NULL)
        return false;
    list_free(self->list);
    self->list = next;
    self->lists++;
    return true;
}

static void *handler_main(void *argument)
{
    struct handler *self = argument;
    sigset_t all;
    sigfillset(&all);
    pthread_sigmask(SIG_BLOCK, &all, NULL);
    for (bool running = true; running;) {
        zmq_pollitem_t item[] = {{self->zap, 0, ZMQ_POLLIN, 0}, {self->commands, 0, ZMQ_POLLIN, 0}};
        if (zmq_poll(item, 2, -1) < 0) {
            if (errno == EINTR)
                continue;
            /* Without a handler libzmq lets everyone in: rather no server at all. */
            EVENT(ERROR, "gate.died", E_TEXT("error", zmq_strerror(errno)));
            abort();
        }
        /* the list first: who was allowed before connecting must be let in */
        if ((item[1].revents & ZMQ_POLLIN) != 0)
            running = take_command(self);
        else if ((item[0].revents & ZMQ_POLLIN) != 0)
            serve_one(self);
    }
    zmq_unbind(self->zap, ZAP_ENDPOINT); /* now; a close alone frees the name some time later */
    zmq_close(self->zap);
    zmq_close(self->commands);
    list_free(self->list);
    free(self);
    return NULL;
}

// --- the owner's side ---------------------------------------------------------------------------

static void send_list(struct gate *self, struct list *list)
{
    if (zmq_send(self->commands, &list, sizeof list, 0) != sizeof list)
        abort(); /* the pair is inside this process and has room: it cannot fail */
}

void gate_allow(struct gate *self, const struct gate_entry *entries, size_t count)
{
    struct list *list = owned_new(sizeof *list);
    list->count = count;
    list->entry = owned_array(count, sizeof *entries);
    if (count > 0)
        memcpy(list->entry, entries, count * sizeof *entries);
    qsort(list->entry, count, sizeof *entries, by_key);
    send_list(self, list);
}

static fault start_handler(struct gate *self)
{
    struct handler *handler = owned_new(sizeof *handler);
    int unbounded = 0;
    handler->domain = self->domain;
    /* a name of its own: libzmq frees names some time after their sockets are closed */
    static atomic_uint opened;
    snprintf(self->pair, sizeof self->pair, "inproc://gate-%u", atomic_fetch_add(&opened, 1));
    handler->zap = zmq_socket(self->net->context, ZMQ_REP);
    handler->commands = zmq_socket(self->net->context, ZMQ_PAIR);
    self->commands = zmq_socket(self->net->context, ZMQ_PAIR);
    if (handler->zap == NULL || handler->commands == NULL || self->commands == NULL)
        return RAISE(IO_FAILED, "no sockets for the gate: %s", zmq_strerror(errno));
    zmq_setsockopt(self->commands, ZMQ_LINGER, &unbounded, sizeof unbounded);
    zmq_setsockopt(handler->zap, ZMQ_LINGER, &unbounded, sizeof unbounded);
    if (zmq_bind(handler->zap, ZAP_ENDPOINT) != 0 || zmq_bind(handler->commands, self->pair) != 0 ||
        zmq_connect(self->commands, self->pair) != 0 ||
        pthread_create(&self->thread, NULL, handler_main, handler) != 0) {
        int error = errno;
        zmq_close(handler->zap);
        zmq_close(handler->commands);
        zmq_close(self->commands);
        free(handler);
        return RAISE(IO_FAILED, "the gate cannot be opened: %s", zmq_strerror(error));
    }
    return DONE;
}

// --- the self-test ------------------------------------------------------------------------------

struct trial {
    void *router;
    void *watcher; /* hears from libzmq whom the router refused */
    void *known;
    void *stranger;
    struct curve_keys server;
    char address[256];
};

static bool set_number(void *socket, int option, int value)
{
    return zmq_setsockopt(socket, option, &value, sizeof value) == 0;
}

static bool set_key(void *socket, int option, const uint8_t key[CURVE_KEY_BYTES])
{
    return zmq_setsockopt(socket, option, key, CURVE_KEY_BYTES) == 0;
}

/* Without ZMQ_ZAP_ENFORCE_DOMAIN: it must be the handler that refuses, not the lack of one. */
static bool open_router(struct gate *self, struct trial *trial)
{
    char watched[80];
    size_t size = sizeof trial->address;
    text_format(watched, sizeof watched, "%s-trial", self->pair);
    curve_make(&trial->server);
    trial->router = zmq_socket(self->net->context, ZMQ_ROUTER);
    trial->watcher = zmq_socket(self->net->context, ZMQ_PAIR);
    return trial->router != NULL && trial->watcher != NULL &&
           set_number(trial->router, ZMQ_LINGER, 0) && set_number(trial->watcher, ZMQ_LINGER, 0) &&
           set_number(trial->router, ZMQ_CURVE_SERVER, 1) &&
           zmq_setsockopt(trial->router, ZMQ_ZAP_DOMAIN, self->domain, strlen(self->domain)) == 0 &&
           set_key(trial->router, ZMQ_CURVE_SECRETKEY, trial->server.secret_key) &&
           zmq_socket_monitor(trial->router, watched, ZMQ_EVENT_HANDSHAKE_FAILED_AUTH) == 0 &&
           zmq_connect(trial->watcher, watched) == 0 &&
           zmq_bind(trial->router, "tcp://127.0.0.1:*") == 0 &&
           zmq_getsockopt(trial->router, ZMQ_LAST_ENDPOINT, trial->address, &size) == 0;
}

/* Connects with these keys and says one word. */
static bool open_dealer(struct gate *self, const struct trial *trial, const struct curve_keys *keys,
                        const char *word, void **out)
{
    void *dealer = *out = zmq_socket(self->net->context, ZMQ_DEALER);
    return dealer != NULL && set_number(dealer, ZMQ_LINGER, 0) &&
           set_number(dealer, ZMQ_RECONNECT_IVL, -1) &&
           set_key(dealer, ZMQ_CURVE_SERVERKEY, trial->server.public_key) &&
           set_key(dealer, ZMQ_CURVE_PUBLICKEY, keys->public_key) &&
           set_key(dealer, ZMQ_CURVE_SECRETKEY, keys->secret_key) &&
           zmq_connect(dealer, trial->address) == 0 &&
           zmq_send(dealer, word, strlen(word), ZMQ_DONTWAIT) >= 0;
}

static void close_trial(struct trial *trial)
{
    void *const sockets[] = {trial->known, trial->stranger, trial->router, trial->watcher};
    for (size_t i = 0; i < sizeof sockets / sizeof sockets[0]; i++)
        if (sockets[i] != NULL)
            zmq_close(sockets[i]);
    explicit_bzero(&trial->server, sizeof trial->server);
}

/* What the next message says: its last part begins with this letter; 0 when there is none. */
static char next_letter(void *socket)
{
    char letter = 0;
    for (int more = 1; more != 0;) {
        size_t size = sizeof more;
        if (zmq_recv(socket, &letter, 1, ZMQ_DONTWAIT) < 0)
            return 0;
        zmq_getsockopt(socket, ZMQ_RCVMORE, &more, &size);
    }
    return letter;
}

/* Both must be seen to happen: that nothing came from the stranger in some time would prove nothing
 * on a slow machine. */
static fault await_verdicts(struct trial *trial)
{
    bool admitted = false, refused = false;
    while (!admitted || !refused) {
        zmq_pollitem_t item[] = {{trial->router, 0, ZMQ_POLLIN, 0},
                                 {trial->watcher, 0, ZMQ_POLLIN, 0}};
        int ready = zmq_poll(item, 2, SELF_TEST_MS);
        if (ready < 0 && errno == EINTR)
            continue;
        if (ready <= 0)
            return RAISE(INTERNAL, "the gate %s within %d ms",
                         admitted ? "did not refuse a stranger" : "did not admit an allowed key",
                         SELF_TEST_MS);
        char letter = (item[0].revents & ZMQ_POLLIN) != 0 ? next_letter(trial->router) : 0;
        if (letter == 's')
            return RAISE(INTERNAL, "the gate lets strangers in");
        admitted |= letter == 'k';
        refused |= (item[1].revents & ZMQ_POLLIN) != 0 && next_letter(trial->watcher) != 0;
    }
    return DONE;
}

/* The allowed key must come through and a stranger must not: then the handler really decides. */
static fault self_test(struct gate *self)
{
    struct trial trial = {0};
    struct curve_keys known, stranger;
    struct gate_entry entry = {.user = "self-test"};
    curve_make(&known);
    curve_make(&stranger);
    memcpy(entry.public_key, known.public_key, CURVE_KEY_BYTES);
    gate_allow(self, &entry, 1);
    fault f;
    if (!open_router(self, &trial) || !open_dealer(self, &trial, &known, "known", &trial.known) ||
        !open_dealer(self, &trial, &stranger, "stranger", &trial.stranger))
        f = RAISE(IO_FAILED, "the gate's self-test finds no sockets: %s", zmq_strerror(errno));
    else
        f = await_verdicts(&trial);
    close_trial(&trial);
    gate_allow(self, NULL, 0);
    explicit_bzero(&known, sizeof known);
    explicit_bzero(&stranger, sizeof stranger);
    return f;
}

fault gate_open(struct net *net, const char *domain, struct gate **out)
{
    struct gate *self = owned_new(sizeof *self);
    self->net = net;
    text_format(self->domain, sizeof self->domain, "%s", domain);
    fault f = start_handler(self);
    if (failed(f)) {
        free(self);
        return f;
    }
    f = self_test(self);
    if (failed(f)) {
        gate_free(&self);
        return f;
    }
    *out = self;
    return DONE;
}

void gate_free(struct gate **self)
{
    if (*self == NULL)
        return;
    send_list(*self, NULL);
    pthread_join((*self)->thread, NULL);
    zmq_close((*self)->commands);
    free(*self);
    *self = NULL;
}
