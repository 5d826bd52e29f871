// SPDX-License-Identifier: MIT
/*
 * flows - who asked whom for what, and for which purpose, in this node's own evidence: requests
 * that it sent, got, or refused to send, each sort once. Read from the log as it lies there, also
 * while the node runs.
 */
#ifndef TOOLS_CHASKI_FLOWS_H
#define TOOLS_CHASKI_FLOWS_H

#include "lib/base/map.h"

#define FLOWS_MAX 100000 /* sorts */

struct flow {
    const char *client, *service, *purpose; /* canonical; purpose may be "" */
    const char *endpoint;                   /* of the service; "" for none */
    const char *procedure, *requirement;    /* as the request names them; "" for none */
    bool names_nobody;                      /* no person */
    uint64_t requests;
    int64_t last_ms;
};

struct flows {
    size_t count, room;
    struct flow *flow; /* in the order of their first requests */
    struct map by_key;
    uint64_t requests, unread; /* unread: entries that are no records of ours */
};

/* Requests signed from since_ms on. folder: of the evidence. Of a closed epoch what is left of it.
 * OVERLOADED: more than FLOWS_MAX sorts. Faults of wal_walk. flows_clear() it also after a fault.
 */
fault flows_read(const char *folder, int64_t since_ms, struct flows *out);
void flows_clear(struct flows *self);

#endif
