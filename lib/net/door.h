// SPDX-License-Identifier: MIT
/*
 * door - where gateways come in: a ROUTER, over ipc, whose socket file says who may, or over tcp
 * with CURVE and a list of the keys that may. Over tcp it has a context of its own, so that its
 * gate lets in gateways and nobody else.
 */
#ifndef NET_DOOR_H
#define NET_DOOR_H

#include "lib/base/config.h"
#include "lib/net/socket.h"

struct door;

struct door_options {
    struct loop *loop;
    struct net *net; /* for ipc; borrowed */
    const char *address;
    const char *domain;             /* of the gate */
    const struct curve_keys *own;   /* for tcp; borrowed */
    const struct config_list *keys; /* for tcp: Z85 text */
    int queue_messages;
    int64_t message_bytes_max;
};

/* Binds; IO_FAILED with the address, BAD_REQUEST for a key that is none. `take` as in
 * socket_open. */
fault door_open(const struct door_options *options,
                void (*take)(void *owner, const struct message *message), void *owner,
                struct door **out);
void door_free(struct door **self);
struct socket *door_socket(struct door *self); /* borrowed */

#endif
