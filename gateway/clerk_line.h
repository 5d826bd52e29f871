// SPDX-License-Identifier: MIT
/*
 * clerk_line - the line to the security server's clerk, who reads the evidence for others: a ZeroMQ
 * DEALER that speaks proto/evidence.proto. Texts and spans given to the handler are borrowed until
 * it returns.
 */
#ifndef GATEWAY_CLERK_LINE_H
#define GATEWAY_CLERK_LINE_H

#include "lib/net/socket.h"

struct clerk_answer {
    uint64_t ask;
    unsigned status;      /* 200..599 */
    const char *type;     /* media type, fit for a header field */
    const char *name;     /* fit for a header field; "" for none */
    const char *sentence; /* when the status is not 200 */
    bool constant;
    struct span body;
};

struct clerk_record_ask {
    const char *client;
    const char *message_id;
    bool request, response, unique, force;
};

struct clerk_line_options {
    struct loop *loop;
    struct net *net;
    const char *address;
    const struct curve_keys *own; /* NULL without CURVE; borrowed */
    const uint8_t *server_key;
    void (*answered)(void *owner, const struct clerk_answer *answer);
    /* Another process answers now: it knows nothing of what was asked before. */
    void (*restarted)(void *owner);
    void *owner;
};

struct clerk_line;

fault clerk_line_open(const struct clerk_line_options *options, struct clerk_line **out);
void clerk_line_free(struct clerk_line **self);
/* One message as if it had arrived; the line's own socket does, and tests do. */
void clerk_line_take(struct clerk_line *self, const struct message *message);

/* All copy. SERVER_AWAY: nobody is connected, or the queue is full. */
fault clerk_line_ask_file(struct clerk_line *self, uint64_t ask, struct span path);
fault clerk_line_ask_record(struct clerk_line *self, uint64_t ask,
                            const struct clerk_record_ask *record);
fault clerk_line_ask_verification(struct clerk_line *self, uint64_t ask);
/* Are you still the one that I asked? Call it while something is outstanding. */
void clerk_line_hello(struct clerk_line *self);

#endif
