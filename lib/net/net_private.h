// SPDX-License-Identifier: MIT
/*
 * net_private - the ZeroMQ context, for the files of this floor only.
 */
#ifndef NET_NET_PRIVATE_H
#define NET_NET_PRIVATE_H

#include "lib/net/socket.h"

struct net {
    struct loop *loop;
    void *context;
    struct socket *open; /* list of all */
    /* sockets that were used in this turn, in order */
    struct socket *dirty_first, *dirty_last;
    size_t dirty_count;
    unsigned
        monitors; /* names of monitors are used once: libzmq may hold a closed one for a while */
};

void socket_free(struct socket **self); /* for OWNED */

#endif
