// SPDX-License-Identifier: MIT
#include "security-server/exchange/peers.h"

#include "lib/base/clock.h"
#include "lib/base/event.h"
#include "lib/base/map.h"
#include "security-server/exchange/node.h"
#include "security-server/exchange/seal_cards.h"
#include "security-server/exchange/step_mesh.h"

#include <stdlib.h>

struct peer {
    struct peers *home;
    char *id;
    uint8_t transport_key[CURVE_KEY_BYTES];
    int64_t used_ms;

    struct socket *socket; /* NULL until we ask this peer something */
    size_t address;        /* which of its addresses */
    int64_t not_before_ms; /* steady: it is changing its own key just now */
    bool answered;         /* at this address, since it was connected */
    bool batches;          /* it takes letters with a place */

    struct seal_key *context;              /* NULL until something is sealed for it */
    uint8_t seal_key[X25519_PUBLIC_BYTES]; /* ... to this key */
    uint8_t ephemeral[X25519_PUBLIC_BYTES];
    uint64_t counter;
    int64_t context_ms;
};

struct peers {
    struct node *node;
    peers_take *take;
    peers_hear *hear;
    struct map by_id;
    struct loop_timer sweep;
};

static void peer_free(struct peer *peer)
{
    socket_close(&peer->socket);
    seal_key_free(&peer->context);
    free(peer->id);
    free(peer);
}

/* Drops peers that `unwanted` says so of; the map is built anew because it may not change under a
 * walk. */
static void drop(struct peers *self, bool (*unwanted)(const struct peers *, const struct peer *))
{
    struct map kept = {0};
    size_t step = 0;
    for (struct peer *peer; (peer = map_next(&self->by_id, &step, NULL)) != NULL;) {
        if (unwanted(self, peer))
            peer_free(peer);
        else
            map_set(&kept, span_of_text(peer->id), peer);
    }
    map_clear(&self->by_id);
    self->by_id = kept;
}

static bool has_left(const struct peers *self, const struct peer *peer)
{
    return directory_server(self->node->directory, span_of_text(peer->id)) == NULL;
}

static bool is_idle(const struct peers *self, const struct peer *peer)
{
    (void)self;
    return clock_steady_ms() - peer->used_ms > MESH_PEER_IDLE_MS;
}

static bool is_any(const struct peers *self, const struct peer *peer)
{
    (void)self;
    (void)peer;
    return true;
}

/* It takes its key into use when it has that state of the directory, which is about now. Who comes
 * too early is kept waiting by libzmq for the five seconds of a handshake. */
static void take_key(struct peer *peer, const uint8_t key[CURVE_KEY_BYTES])
{
    socket_close(&peer->socket);
    memcpy(peer->transport_key, key, CURVE_KEY_BYTES);
    peer->not_before_ms = clock_steady_ms() + TRANSPORT_SETTLE_MS;
    mesh_send_again(peer->home->node, peer->id, &(struct send_again){.all = true});
}

void peers_refresh(struct peers *self)
{
    size_t step = 0;
    drop(self, has_left);
    for (struct peer *peer; (peer = map_next(&self->by_id, &step, NULL)) != NULL;) {
        const struct directory_server *server =
            directory_server(self->node->directory, span_of_text(peer->id));
        if (memcmp(peer->transport_key, server->transport_key, CURVE_KEY_BYTES) != 0)
            take_key(peer, server->transport_key);
    }
}

void peers_reconnect(struct peers *self)
{
    drop(self, is_any);
}

static void sweep(struct loop_timer *timer)
{
    struct peers *self = timer->owner;
    drop(self, is_idle);
    loop_set_timer(self->node->loop, &self->sweep, MESH_PEER_IDLE_MS / 4);
}

struct peers *peers_new(struct node *node, peers_take *take, peers_hear *hear)
{
    struct peers *self = owned_new(sizeof *self);
    self->node = node;
    self->take = take;
    self->hear = hear;
    self->sweep = (struct loop_timer){.fire = sweep, .owner = self};
    loop_set_timer(node->loop, &self->sweep, MESH_PEER_IDLE_MS / 4);
    return self;
}

void peers_free(struct peers **self)
{
    if (*self == NULL)
        return;
    loop_stop_timer((*self)->node->loop, &(*self)->sweep);
    drop(*self, is_any);
    map_clear(&(*self)->by_id);
    free(*self);
    *self = NULL;
}

static fault get(struct peers *self, const struct directory_server *server, struct peer **out)
{
    struct peer *peer = map_get(&self->by_id, span_of_text(server->id));
    if (peer == NULL) {
        if (self->by_id.count >= MESH_PEERS_MAX)
            return RAISE(OVERLOADED, "%d peers are in use", MESH_PEERS_MAX);
        peer = owned_new(sizeof *peer);
        peer->home = self;
        peer->id = owned_text(server->id);
        memcpy(peer->transport_key, server->transport_key, CURVE_KEY_BYTES);
        map_set(&self->by_id, span_of_text(peer->id), peer);
    }
    peer->used_ms = clock_steady_ms();
    *out = peer;
    return DONE;
}

// --- sealing ------------------------------------------------------------------------------------

static fault renew_context(struct peer *peer, const uint8_t key[X25519_PUBLIC_BYTES])
{
    int64_t now_ms = clock_steady_ms();
    if (peer->context != NULL && memcmp(peer->seal_key, key, X25519_PUBLIC_BYTES) == 0 &&
        now_ms - peer->context_ms < SEAL_CONTEXT_MS && peer->counter < SEAL_CONTEXT_MESSAGES)
        return DONE;
    seal_key_free(&peer->context);
    TRY(seal_start(key, peer->ephemeral, &peer->context));
    memcpy(peer->seal_key, key, X25519_PUBLIC_BYTES);
    peer->counter = 0;
    peer->context_ms = now_ms;
    return DONE;
}

fault peers_seal(struct peers *self, const struct directory_server *server,
                 const struct record *record, enum letter_direction direction,
                 uint8_t *envelope_out, size_t *envelope_size, struct bytes **sealed)
{
    struct peer *peer = NULL;
    uint8_t key[X25519_PUBLIC_BYTES];
    TRY(seal_cards_key(self->node->cards, server, key));
    TRY(get(self, server, &peer));
    TRY(renew_context(peer, key));
    struct envelope envelope = {
        .counter = peer->counter++, .direction = direction, .batches = true};
    memcpy(envelope.ephemeral, peer->ephemeral, X25519_PUBLIC_BYTES);
    seal_key_id(peer->seal_key, envelope.seal_key_id);
    *envelope_size = envelope_encode(&envelope, envelope_out);
    struct letter letter = {.header = bytes_span(record->header),
                            .ski = span_of(record->ski, SKI_BYTES),
                            .signature = span_of(record->signature, record->signature_size),
                            .blob = bytes_span(record->blob),
                            .place = span_of(record->place, record->place_size)};
    return letter_seal(&letter, peer->context, envelope.counter,
                       span_of(envelope_out, *envelope_size), sealed);
}

// --- connections --------------------------------------------------------------------------------

static void on_answer(void *owner, const struct message *message)
{
    struct peer *peer = owner;
    if (message->count == 1) {
        peer->home->hear(peer->home->node, peer->id, message->frame[0]);
        return;
    }
    if (message->count != 2) {
        EVENT(WARN, "mesh.message_refused", E_TEXT("peer", peer->id),
              E_NUMBER("frames", message->count));
        return;
    }
    peer->home->take(peer->home->node, peer->id, message->frame[0], message->frame[1]);
}

static fault connect_peer(struct peer *peer, const struct directory_server *server)
{
    struct node *node = peer->home->node;
    if (peer->socket != NULL)
        return DONE;
    if (server->addresses == 0)
        return RAISE(PEER_UNREACHABLE, "the directory has no address of %s", server->id);
    if (clock_steady_ms() < peer->not_before_ms)
        return RAISE(OVERLOADED, "%s is changing its transport key", server->id);
    struct socket_options options = {
        .kind = SOCKET_DEALER,
        .queue_messages = MESH_QUEUE_MESSAGES,
        .message_bytes_max = node_message_bytes_max(node),
        .own = &node->transport_client,
        .server_key = peer->transport_key,
    };
    const char *address = server->address[peer->address % server->addresses];
    TRY(socket_open(node->net, &options, on_answer, peer, &peer->socket));
    fault f = socket_connect(peer->socket, address);
    if (failed(f))
        socket_close(&peer->socket);
    else
        EVENT(DEBUG, "mesh.peer_connecting", E_TEXT("peer", peer->id), E_TEXT("address", address));
    peer->answered = false;
    return f;
}

fault peers_send(struct peers *self, const struct directory_server *server, struct span envelope,
                 struct span sealed)
{
    struct peer *peer = NULL;
    TRY(get(self, server, &peer));
    TRY(connect_peer(peer, server));
    struct span frames[] = {envelope, sealed};
    return socket_send(peer->socket, (struct span){0}, frames, 2);
}

fault peers_tell(struct peers *self, const struct directory_server *server, struct span frame)
{
    struct peer *peer = NULL;
    TRY(get(self, server, &peer));
    TRY(connect_peer(peer, server));
    return socket_send(peer->socket, (struct span){0}, &frame, 1);
}

void peers_each_connected(struct peers *self,
                          void (*visit)(void *owner, const struct directory_server *server),
                          void *owner)
{
    size_t step = 0;
    for (struct peer *peer; (peer = map_next(&self->by_id, &step, NULL)) != NULL;) {
        const struct directory_server *server =
            directory_server(self->node->directory, span_of_text(peer->id));
        if (peer->socket != NULL && server != NULL)
            visit(owner, server);
    }
}

void peers_doubt(struct peers *self, const struct directory_server *server)
{
    struct peer *peer = map_get(&self->by_id, span_of_text(server->id));
    if (peer == NULL || peer->socket == NULL || peer->answered || server->addresses < 2)
        return;
    socket_close(&peer->socket);
    peer->address = (peer->address + 1) % server->addresses;
}

void peers_trust(struct peers *self, const char *server)
{
    struct peer *peer = map_get(&self->by_id, span_of_text(server));
    if (peer != NULL)
        peer->answered = true;
}

void peers_note_batches(struct peers *self, const char *server, bool batches)
{
    struct peer *peer = map_get(&self->by_id, span_of_text(server));
    if (peer != NULL)
        peer->batches = batches;
}

bool peers_take_batches(const struct peers *self, const char *server)
{
    const struct peer *peer = map_get(&self->by_id, span_of_text(server));
    return peer != NULL && peer->batches;
}
