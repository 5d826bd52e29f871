// SPDX-License-Identifier: MIT
#include "security-server/exchange/transport_roll.h"

#include "lib/base/clock.h"
#include "lib/base/event.h"
#include "security-server/exchange/mesh_door.h"
#include "security-server/exchange/peers.h"
#include "security-server/exchange/step_mesh.h"
#include "security-server/transport_key.h"

#include <stdlib.h>

#define LOOK_MS 100

struct transport_roll {
    struct node *node;
    struct mesh_door *door;
    struct loop_timer timer;
    int64_t client_ms; /* steady: when connections of ours change, too; 0: they need not */
};

static bool is_named(const struct node *node)
{
    const struct directory_server *self = node_self(node);
    return node->has_transport_next && self != NULL &&
           memcmp(self->transport_key, node->transport_next.public_key, CURVE_KEY_BYTES) == 0;
}

static fault take_over(struct node *node)
{
    node->transport = node->transport_next;
    node->transport_next = (struct curve_keys){0}; /* the same secret is in use now */
    node->has_transport_next = false;
    return transport_key_take(node->config);
}

fault transport_roll_begin(struct node *node)
{
    if (!is_named(node))
        return DONE;
    TRY(take_over(node));
    node->transport_client = node->transport;
    EVENT(INFO, "transport.rolled", E_TEXT("when", "at the start"));
    return DONE;
}

/* A name that could not be changed is changed at the next start: the file is there. */
static void roll(struct transport_roll *self)
{
    struct node *node = self->node;
    fault f = take_over(node);
    if (failed(f))
        EVENT(ERROR, "transport.not_renamed", E_FAULT(f));
    self->client_ms = clock_steady_ms() + TRANSPORT_CLIENT_MS;
    f = mesh_door_renew(self->door);
    if (failed(f)) { /* nobody could reach us: a new start tries again */
        EVENT(ERROR, "transport.door_lost", E_FAULT(f));
        loop_stop(node->loop);
        return;
    }
    EVENT(INFO, "transport.rolled", E_TEXT("when", "while running"));
}

/* Connections that stand need no key any more; a new one is refused by who does not have the
 * directory yet. So they are made anew a little later, when all have it. */
static void roll_client(struct transport_roll *self)
{
    struct node *node = self->node;
    self->client_ms = 0;
    node->transport_client = node->transport;
    peers_reconnect(node->peers);
    mesh_send_again(node, NULL, &(struct send_again){.all = true});
}

static void look(struct loop_timer *timer)
{
    struct transport_roll *self = timer->owner;
    if (is_named(self->node) && !self->node->draining)
        roll(self);
    if (self->client_ms != 0 && clock_steady_ms() >= self->client_ms)
        roll_client(self);
    if (self->node->has_transport_next || self->client_ms != 0)
        loop_set_timer(self->node->loop, &self->timer, LOOK_MS);
}

struct transport_roll *transport_roll_new(struct node *node, struct mesh_door *door)
{
    if (!node->has_transport_next)
        return NULL;
    struct transport_roll *self = owned_new(sizeof *self);
    self->node = node;
    self->door = door;
    self->timer = (struct loop_timer){.fire = look, .owner = self};
    loop_set_timer(node->loop, &self->timer, LOOK_MS);
    return self;
}

void transport_roll_free(struct transport_roll **self)
{
    if (*self == NULL)
        return;
    loop_stop_timer((*self)->node->loop, &(*self)->timer);
    free(*self);
    *self = NULL;
}
