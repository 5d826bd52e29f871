// SPDX-License-Identifier: MIT
/*
 * socket - ZeroMQ sockets with every bound set, fitted into a loop.
 *
 * ZMQ_FD is edge-triggered and one edge may stand for many messages, and a send may swallow the
 * edge of an arrival: so a socket is read until empty, and looked at again at the end of every turn
 * in which it was used. Callers only give a `take` function.
 */
#ifndef NET_SOCKET_H
#define NET_SOCKET_H

#include "lib/base/bytes.h"
#include "lib/base/loop.h"

#define CURVE_KEY_BYTES 32
#define NET_FRAMES_MAX 4

struct net; /* the ZeroMQ context of this process and its sockets in one loop */

/* The loop is borrowed and outlives it. */
fault net_new(struct loop *loop, struct net **out);
/* Closes what is still open, waiting at most 200 ms for unsent messages. The gate is freed before;
 * no struct socket may be used afterwards. Not from within a `take`. */
void net_free(struct net **self);

/* A PUBLISHER sends each message to every SUBSCRIBER that is connected, and never waits: who is too
 * slow, or not connected, misses messages and is not told. */
enum socket_kind { SOCKET_ROUTER, SOCKET_DEALER, SOCKET_PUBLISHER, SOCKET_SUBSCRIBER };

struct curve_keys {
    uint8_t public_key[CURVE_KEY_BYTES];
    uint8_t secret_key[CURVE_KEY_BYTES];
};

struct socket_options {
    enum socket_kind kind;
    int queue_messages;           /* high-water mark, both ways; more than 0 */
    int64_t message_bytes_max;    /* a longer frame ends the connection; at least 1024 */
    const struct curve_keys *own; /* NULL: no CURVE (ipc inside one machine) */
    const uint8_t *server_key;    /* DEALER, SUBSCRIBER with CURVE: the other's public key */
    /* ROUTER with CURVE, required: the gate is asked. PUBLISHER with CURVE: NULL lets everyone in
     */
    const char *zap_domain;
};

/* An arrived message: frames are borrowed until `take` returns. For a ROUTER, `from` is the routing
 * id; `user` is the name the gate gave this peer ("" without CURVE). */
struct message {
    struct span from;
    const char *user;
    size_t count;
    struct span frame[NET_FRAMES_MAX];
};

struct socket;

/* `take` is called from the loop and may send on and close any socket, this one too. Options are
 * copied. A message of more than NET_FRAMES_MAX frames is dropped and counted. */
fault socket_open(struct net *net, const struct socket_options *options,
                  void (*take)(void *owner, const struct message *message), void *owner,
                  struct socket **out);
void socket_close(struct socket **self);
fault socket_bind(struct socket *self, const char *address); /* IO_FAILED with the address */
/* Returns before the connection stands; libzmq keeps trying for the life of the socket. */
fault socket_connect(struct socket *self, const char *address);
/* The address really bound, for port 0 or '*': borrowed until the next call. */
const char *socket_address(struct socket *self);

/* Queues one message, whole or not at all; copies. `to` only for a ROUTER; 1 to NET_FRAMES_MAX
 * frames. OVERLOADED when the queue is full, and on a DEALER also while no connection stands (yet,
 * or for now): nothing is parked for a peer that may not come back. PEER_UNREACHABLE when a ROUTER
 * has no such peer, NO_MEMORY when there is none. Not on a SUBSCRIBER. DONE means queued: what is
 * queued when the connection breaks is lost, and so is what a DEALER took while its handshake was
 * then refused. */
fault socket_send(struct socket *self, struct span to, const struct span *frames, size_t count);
uint64_t socket_dropped(const struct socket *self); /* messages with too many frames, so far */
/* Connections so far that did not speak as a peer does, told 5 to 10 seconds later. Only of a
 * ROUTER with CURVE; those whose key the gate refused are the gate's to tell. Call it every second
 * or so: what it counts waits in memory until then. */
uint64_t socket_broken_handshakes(struct socket *self);

/* CURVE keys: files hold 40-character Z85 text of the secret key. */
void curve_make(struct curve_keys *out);
/* BAD_KEY when it is missing, a symbolic link, not a regular file, open to group or others, or does
 * not hold exactly one key. */
fault curve_load(const char *path, struct curve_keys *out);
/* From the content of such a file, however it was read. BAD_KEY. */
fault curve_parse(struct span content, struct curve_keys *out);
/* 40 characters of Z85 and NUL: how a public key is written into another machine's settings. */
void curve_public_text(const struct curve_keys *keys, char out[41]);
/* The content of such a file: Z85 of the secret key, a newline and NUL. Who asks wipes it. */
void curve_secret_text(const struct curve_keys *keys, char out[42]);
/* Mode 0600, synced; refuses to overwrite (IO_FAILED). */
fault curve_save(const struct curve_keys *keys, const char *path);

#endif
