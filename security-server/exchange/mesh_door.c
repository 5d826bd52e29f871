// SPDX-License-Identifier: MIT
#include "security-server/exchange/mesh_door.h"

#include "lib/base/clock.h"
#include "lib/base/event.h"
#include "security-server/exchange/step_mesh.h"

#include <stdlib.h>

#define LOOK_MS 1000
#define BIND_AGAIN_MS 5
#define BIND_WAIT_MS 10000
#define REPORT_EVERY_LOOKS 10 /* one event speaks for ten seconds */

struct mesh_door {
    struct node *node;
    struct loop_timer timer;
    struct loop_timer bind;        /* while the old socket holds an address still */
    size_t bound;                  /* of mesh_listen */
    int64_t bind_until_ms;         /* steady */
    unsigned quiet;                /* looks for which nothing is said */
    uint64_t handshakes, messages; /* told already */
};

/* What reaches no exchange and has no sender who could be named. */
static void report(struct mesh_door *self)
{
    uint64_t handshakes = socket_broken_handshakes(self->node->mesh);
    uint64_t messages = socket_dropped(self->node->mesh);
    if (handshakes < self->handshakes)
        handshakes = self->handshakes; /* a slow one was counted and came through after all */
    if (self->quiet > 0)
        self->quiet--;
    if (self->quiet > 0 || (handshakes == self->handshakes && messages == self->messages))
        return;
    EVENT(WARN, "mesh.garbage_refused",
          E_NUMBER("broken_handshakes", handshakes - self->handshakes),
          E_NUMBER("messages_of_too_many_frames", messages - self->messages));
    self->handshakes = handshakes;
    self->messages = messages;
    self->quiet = REPORT_EVERY_LOOKS;
}

static void on_timer(struct loop_timer *timer)
{
    struct mesh_door *self = timer->owner;
    report(self);
    loop_set_timer(self->node->loop, &self->timer, LOOK_MS);
}

static fault bind_all(struct mesh_door *self)
{
    struct node *node = self->node;
    for (; self->bound < node->config->mesh_listen.count; self->bound++) {
        TRY(socket_bind(node->mesh, node->config->mesh_listen.item[self->bound]));
        EVENT(INFO, "mesh.listening", E_TEXT("address", socket_address(node->mesh)));
    }
    return DONE;
}

static fault open_socket(struct mesh_door *self)
{
    struct node *node = self->node;
    struct socket_options options = {
        .kind = SOCKET_ROUTER,
        .queue_messages = MESH_QUEUE_MESSAGES,
        .message_bytes_max = node_message_bytes_max(node),
        .own = &node->transport,
        .zap_domain = MESH_ZAP_DOMAIN,
    };
    self->bound = 0;
    self->handshakes = self->messages = 0;
    return socket_open(node->net, &options, mesh_take_question, node, &node->mesh);
}

/* libzmq gives an address up in a thread of its own, within moments. */
static void on_bind(struct loop_timer *timer)
{
    struct mesh_door *self = timer->owner;
    fault f = bind_all(self);
    if (!failed(f))
        return;
    if (clock_steady_ms() < self->bind_until_ms) {
        loop_set_timer(self->node->loop, &self->bind, BIND_AGAIN_MS);
        return;
    }
    EVENT(ERROR, "mesh.not_listening", E_FAULT(f));
    loop_stop(self->node->loop);
}

fault mesh_door_renew(struct mesh_door *self)
{
    socket_close(&self->node->mesh);
    TRY(open_socket(self));
    self->bind_until_ms = clock_steady_ms() + BIND_WAIT_MS;
    on_bind(&self->bind);
    return DONE;
}

fault mesh_door_open(struct node *node, struct mesh_door **out)
{
    OWNED(mesh_door) self = owned_new(sizeof *self);
    self->node = node;
    self->bind = (struct loop_timer){.fire = on_bind, .owner = self};
    TRY(open_socket(self));
    TRY(bind_all(self));
    self->timer = (struct loop_timer){.fire = on_timer, .owner = self};
    loop_set_timer(node->loop, &self->timer, LOOK_MS);
    *out = TAKE(self);
    return DONE;
}

void mesh_door_free(struct mesh_door **self)
{
    if (*self == NULL)
        return;
    loop_stop_timer((*self)->node->loop, &(*self)->timer);
    loop_stop_timer((*self)->node->loop, &(*self)->bind);
    socket_close(&(*self)->node->mesh);
    free(*self);
    *self = NULL;
}
