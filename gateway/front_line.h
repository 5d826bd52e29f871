// SPDX-License-Identifier: MIT
/*
 * front_line - the line to the security server: a ZeroMQ DEALER that speaks proto/front.proto.
 * Says Hello each FRONT_BEAT_MS, knows whether the server is there, and turns messages into calls
 * of the functions below. Texts and spans given to those are borrowed until they return.
 */
#ifndef GATEWAY_FRONT_LINE_H
#define GATEWAY_FRONT_LINE_H

#include "lib/net/socket.h"

/* A fault that travels. code == OK: none. Texts are never NULL. */
struct front_problem {
    enum fault_code code;
    const char *detail;
    const char *rule;
    const char *remedy;
    bool at_provider;
    uint32_t retry_s; /* when it may be asked again; 0: nothing is said */
};

struct front_want {
    const char *client;
    const char *service;
    const char *security_server;
    const char *purpose;
    const char *procedure;
    const char *legal_basis;
    const char *case_ref;
    const char *requirement;
    const char *source; /* NULL but for a collection: whose own query this is */
    uint32_t wait_ms;
    uint64_t payload_bytes;
    struct span exchange_id;
    const char *method;  /* with the path: which endpoint of the service it is; NULL: not told */
    struct span path;    /* below the service, raw */
    const char *person;  /* normalised; NULL or "": nobody */
    struct span subject; /* instead of it, a pseudonym; and whose key it is under, or is to be */
    unsigned subject_year;
    const char *sealing; /* NULL or "": not sealed */
    int64_t sealed_until_ms;
};

struct front_answer {
    uint64_t ask;
    struct front_problem problem;
    bool has_receipt;
    const char *origin;
    uint64_t index;
    struct span leaf_hash;
    const char *client;
    const char *service;
    struct span payload;
};

struct front_call {
    uint64_t call;
    struct span exchange_id;
    const char *client;
    const char *service;
    const char *purpose;
    uint32_t wait_ms;
    struct span payload;
    bool has_offer; /* a metaservice's: what the directory says of the subsystem's services */
    size_t codes;
    const char *const *code; /* canonical text of their last parts */
    size_t subjects;         /* those of them that take no request that names no person */
    const char *const *subject;
    size_t parts;
    const struct front_parts *part; /* of those that have some, in their order */
    size_t endpoints; /* of the service, in order: up to the one named, or all if none is */
    const struct front_endpoint *endpoint;
    const char *endpoint_id; /* that the signed request names; "" for none */
    const char *source;      /* whose own query it says that it is; "" for none */
    const char *source_path; /* ... and that query, as registered */
    size_t withheld, given;  /* columns; 0 of both: the directory lists none */
    const struct front_withheld *withheld_column;
    const char *const *given_column;
};

/* Which parts of an offered service the caller may have. */
struct front_parts {
    size_t place; /* of its code */
    bool lists_columns;
    size_t given;
    const char *const *given_column;
    size_t endpoints;
    const struct front_endpoint *endpoint;
    const int *allowed; /* each */
    bool rest;          /* what is of none of them */
};

struct front_withheld {
    const char *name, *rule;
};

struct front_endpoint {
    const char *method;
    const char *path; /* a pattern, endpoint.h */
};

/* A page of the directory's members and subsystems. */
struct front_client {
    const char *id;
    const char *name;
    const char *subsystem_name; /* "" for a member */
};

struct front_clients {
    uint64_t ask;
    struct front_problem problem; /* nothing below then */
    uint64_t epoch;
    uint32_t from, total;
    size_t count;
    const struct front_client *client;
};

/* What an exchange would be answered. */
struct front_can_step {
    const char *name;
    bool holds;
    const char *detail;
};

struct front_can {
    uint64_t ask;
    struct front_problem problem; /* code OK: it may */
    const char *rule;             /* ... by this one */
    uint64_t epoch;
    size_t steps;
    const struct front_can_step *step;
    const char *missing, *supplier, *command;
    uint32_t volume_a_day, rate; /* of the grant and of the service; 0: no bound, nothing said */
    uint64_t used_today;
    bool subject_required; /* each request names a person */
    size_t withheld;       /* columns of a table that it would not get */
    const struct front_withheld *withheld_column;
};

/* A page of the servers that have logs. */
struct front_server {
    const char *id, *subsystem, *name;
};

/* A year for which the directory names a key of pseudonyms. */
enum front_year_state { FRONT_YEAR_HELD = 1, FRONT_YEAR_MISSING, FRONT_YEAR_DESTROYED };
struct front_year {
    unsigned year;
    enum front_year_state state; /* what is none of these is MISSING */
};

struct front_servers {
    uint64_t ask;
    struct front_problem problem; /* nothing below then */
    uint64_t epoch;
    uint32_t from, total;
    size_t count;
    const struct front_server *server;
    size_t years; /* on the first page */
    const struct front_year *year;
};

struct Chaski__FrontMessage; /* front.pb-c.h */

enum front_loss {
    FRONT_LOST,     /* no Welcome for FRONT_LOST_MS */
    FRONT_RESTARTED /* another process answers now: it knows nothing of what was asked before */
};

struct front_handler {
    void (*admitted)(void *owner, uint64_t ask, const struct front_problem *problem);
    void (*answered)(void *owner, const struct front_answer *answer);
    void (*called)(void *owner, const struct front_call *call);
    void (*lost)(void *owner, enum front_loss loss);
    void (*witnessed)(void *owner, uint64_t ask, unsigned status, struct span body); /* or NULL */
    void (*clients)(void *owner, const struct front_clients *page);                  /* or NULL */
    void (*can)(void *owner, const struct front_can *answer);                        /* or NULL */
    void (*servers)(void *owner, const struct front_servers *page);                  /* or NULL */
    /* plan_answer, permit_answer or permit_said, as it came; or NULL */
    void (*once_only)(void *owner, const struct Chaski__FrontMessage *message);
};

struct front_line_options {
    struct loop *loop;
    struct net *net;
    const char *address;
    const char *name;             /* of this gateway, for the server's events */
    const struct curve_keys *own; /* NULL without CURVE; borrowed */
    const uint8_t *server_key;
    const struct front_handler *handler;
    void *owner;
};

struct front_line;

fault front_line_open(const struct front_line_options *options, struct front_line **out);
void front_line_free(struct front_line **self);

/* Takes one message as if it had arrived; the line's own socket does, and tests do. */
void front_line_take(struct front_line *self, const struct message *message);

/* The subsystems whose services this gateway can call; copied. Said at once and with each beat. */
void front_line_serve(struct front_line *self, const char *const *subsystem, size_t count);

/* This gateway is shutting down: no new calls, please. */
void front_line_leave(struct front_line *self);

/* A Welcome came within FRONT_LOST_MS. */
bool front_line_up(const struct front_line *self);
/* OK, SERVER_AWAY, or what the server's Welcome said of itself. */
enum fault_code front_line_state(const struct front_line *self);
/* Since the newest signed word of the server's directory; 0: it follows none, or is away. */
uint64_t front_line_directory_age_ms(const struct front_line *self);
/* From the last Welcome: "" before the first. */
const char *front_line_instance(const struct front_line *self);
const char *front_line_server(const struct front_line *self);
/* Of the directory that the server uses; 0 before the first Welcome. */
uint64_t front_line_epoch(const struct front_line *self);

/* All copy. OVERLOADED: the queue is full or nobody is connected. BODY_TOO_LARGE (ask) and
 * SERVICE_TOO_LARGE (done): more than a message may hold. */
fault front_line_admit(struct front_line *self, uint64_t ask, const struct front_want *want);
fault front_line_ask(struct front_line *self, uint64_t ask, const struct front_want *want,
                     struct span payload);
/* The body of an add-checkpoint, for the server's witness. */
fault front_line_witness(struct front_line *self, uint64_t ask, struct span body);
/* A page of members and subsystems; epoch 0 and from 0 for the first one. */
fault front_line_clients(struct front_line *self, uint64_t ask, uint64_t epoch, uint32_t from);
/* A page of the servers that have logs; as above. */
fault front_line_servers(struct front_line *self, uint64_t ask, uint64_t epoch, uint32_t from);
/* May this be asked? */
/* ... now, or at another time by the directory as it is now. at_ms 0: now. */
fault front_line_can(struct front_line *self, uint64_t ask, const struct front_want *want,
                     int64_t at_ms);
/* A question of once only, as it is. */
fault front_line_send(struct front_line *self, const struct Chaski__FrontMessage *message);
fault front_line_done(struct front_line *self, uint64_t call, unsigned status, struct span payload);
fault front_line_done_badly(struct front_line *self, uint64_t call,
                            const struct front_problem *problem);

#endif
