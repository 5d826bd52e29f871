// SPDX-License-Identifier: MIT
#include "lib/net/door.h"

#include "lib/base/text.h"
#include "lib/net/gate.h"
#include "lib/net/z85.h"

#include <stdlib.h>

struct door {
    struct net *net; /* its own, over tcp */
    struct gate *gate;
    struct socket *socket;
};

/* Only these, by key; what goes over a network is encrypted. */
static fault open_gate(struct door *self, const struct door_options *options)
{
    TRY(net_new(options->loop, &self->net));
    TRY(gate_open(self->net, options->domain, &self->gate));
    struct gate_entry *entries = owned_array(options->keys->count, sizeof *entries);
    fault f = DONE;
    for (size_t i = 0; i < options->keys->count && !failed(f); i++) {
        text_format(entries[i].user, sizeof entries[i].user, "gateway %zu", i);
        f = z85_read(span_of_text(options->keys->item[i]), entries[i].public_key, CURVE_KEY_BYTES);
    }
    if (!failed(f))
        gate_allow(self->gate, entries, options->keys->count);
    free(entries);
    return f;
}

fault door_open(const struct door_options *options,
                void (*take)(void *owner, const struct message *message), void *owner,
                struct door **out)
{
    OWNED(door) self = owned_new(sizeof *self);
    bool tcp = strncmp(options->address, "tcp://", 6) == 0;
    struct socket_options socket_options = {
        .kind = SOCKET_ROUTER,
        .queue_messages = options->queue_messages,
        .message_bytes_max = options->message_bytes_max,
        .own = tcp ? options->own : NULL,
        .zap_domain = tcp ? options->domain : NULL,
    };
    if (tcp)
        TRY(open_gate(self, options));
    TRY(socket_open(tcp ? self->net : options->net, &socket_options, take, owner, &self->socket));
    TRY(socket_bind(self->socket, options->address));
    *out = TAKE(self);
    return DONE;
}

void door_free(struct door **self)
{
    if (*self == NULL)
        return;
    socket_close(&(*self)->socket);
    gate_free(&(*self)->gate);
    net_free(&(*self)->net);
    free(*self);
    *self = NULL;
}

struct socket *door_socket(struct door *self)
{
    return self->socket;
}
