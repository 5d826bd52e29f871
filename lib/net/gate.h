// SPDX-License-Identifier: MIT
/*
 * gate - who may connect: the ZAP handler (ZeroMQ RFC 27) of this process, an actor of its own.
 *
 * libzmq without a running handler lets everyone in, so the gate is opened before any socket is
 * bound, checks itself by a refused stranger, and its death ends the process.
 */
#ifndef NET_GATE_H
#define NET_GATE_H

#include "lib/net/socket.h"

struct gate;

struct gate_entry {
    uint8_t public_key[CURVE_KEY_BYTES];
    char user[1024]; /* name given to the peer's messages: its server identifier */
};

/* Starts the handler with an empty list for `domain` and tests that a stranger is refused. */
fault gate_open(struct net *net, const char *domain, struct gate **out);
/* Replaces the list; takes effect for the next handshake: sessions that stand go on. Copies. A
 * refused peer tries again by itself, after 0.1 to 8 seconds. */
void gate_allow(struct gate *self, const struct gate_entry *entries, size_t count);
void gate_free(struct gate **self);

#endif
