// SPDX-License-Identifier: MIT
/*
 * server_set - a ServerSet act put together from what stands in the directory and what is new.
 */
#ifndef BUS_SERVER_SET_H
#define BUS_SERVER_SET_H

#include "lib/bus/directory.h"

struct Chaski__Act; /* directory.pb-c.h */

/* All spans and texts are borrowed until server_set_act returns. */
struct server_set {
    const char *id;
    size_t addresses;
    const char *address[DIRECTORY_ADDRESSES_MAX];
    struct span transport_key;
    size_t seal_keys;
    struct span seal_key[SEAL_KEYS_MAX];
    char log_vkey[400];
    char witness_vkey[400]; /* "" none */
    size_t certificates;
    struct span certificate[DIRECTORY_CERTIFICATES_MAX];
};

/* What the directory says of this server now. */
void server_set_from(const struct directory_server *server, struct server_set *out);

/* The act, which lives until `carry_out` returns; its fault is passed on. */
typedef fault server_set_carry_out(void *owner, struct Chaski__Act *act);
fault server_set_act(const struct server_set *self, server_set_carry_out *carry_out, void *owner);

#endif
