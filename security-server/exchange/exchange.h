// SPDX-License-Identifier: MIT
/*
 * exchange - one exchange on its walk: ids, bytes, deadline, present step.
 *
 * An exchange has a role (we ask, or we are asked) and walks a table of steps (exchange_steps.c). A
 * step says NEXT, WAIT (somebody will call exchange_resume or exchange_fail), FAULT (the exchange
 * changes to its refusal walk, which leaves evidence) or DONE. Used by the exchange thread only.
 */
#ifndef EXCHANGE_EXCHANGE_H
#define EXCHANGE_EXCHANGE_H

#include "lib/base/loop.h"
#include "lib/bus/directory.h"
#include "lib/bus/header.h"
#include "lib/bus/letter.h"
#include "lib/bus/limits.h"
#include "lib/bus/policy.h"
#include "lib/bus/policy_columns.h"
#include "lib/bus/pseudonym.h"
#include "lib/crypto/cades.h"
#include "security-server/exchange/audit_actor.h"
#include "security-server/exchange/sign_desk.h"

struct node; /* node.h: everything an exchange leans on */
struct exchange;

/* STEP_CHANGED: the step has put the exchange at the head of another walk. */
enum step_end { STEP_NEXT, STEP_WAIT, STEP_FAULT, STEP_CHANGED, STEP_DONE };

struct step {
    const char *name; /* for times and people; NULL ends a walk */
    enum step_end (*run)(struct exchange *x);
};

enum exchange_role { ROLE_CONSUMER, ROLE_PROVIDER };

/* What it waits for; only these waits may end by the deadline. */
enum exchange_wait { WAIT_INSIDE, WAIT_ANSWER, WAIT_SERVICE };

/* A signed record: header, signature, leaf, and the payload it commits to. */
struct record {
    struct bytes *header;
    struct header_read *read; /* decoded header */
    uint8_t ski[SKI_BYTES];
    uint8_t signature[P256_SIGNATURE_BYTES_MAX];
    size_t signature_size;
    uint8_t place[BATCH_PLACE_BYTES_MAX]; /* in a batch */
    size_t place_size;                    /* 0: signed alone */
    struct bytes *leaf;
    struct bytes *blob; /* salt || payload */
    struct sha256 leaf_hash;
    uint64_t index; /* in our log, once durable */
    bool durable;
};

/* Why an exchange is refused or has failed, for evidence and for the caller. */
struct problem {
    enum fault_code fault; /* OK: none */
    bool at_provider;
    char detail[DETAIL_BYTES_MAX];
    char rule[POLICY_RULE_ROOM];
    char remedy[POLICY_TEXT_BYTES];
    uint32_t retry_s; /* when it may be asked again; 0: nothing is said */
};

#define STEPS_TIMED 12

struct exchange {
    struct node *node;
    enum exchange_role role;
    const struct step *step;
    bool refusing;   /* on its refusal walk */
    bool doubled;    /* a double of a request that was taken before */
    bool remembered; /* in seen, by this exchange */
    enum exchange_wait wait;
    uint8_t id[EXCHANGE_ID_BYTES];

    /* who and what, canonical text, owned */
    char *client, *service;
    char *purpose, *procedure, *legal_basis, *case_ref, *wanted_server;
    char *endpoint;                   /* "": none of the service's */
    char person[PSEUDONYM_TEXT_ROOM]; /* consumer: until it is a pseudonym; then wiped */
    unsigned subject_year;            /* consumer: of the pseudonym below; 0: there is none */
    struct sha256 subject;
    int64_t sealed_until_ms; /* consumer: 0: it is not sealed */
    char *sealing;
    char *requirement;
    char *source;                        /* consumer: whose own query it is; "" */
    char rule[POLICY_RULE_ROOM];         /* that allowed it */
    bool counted;                        /* provider: under the grant of that rule */
    struct policy_columns *columns;      /* provider: of a table that lists some, owned; or NULL */
    int64_t deadline_ms;                 /* wall time */
    const struct directory_server *peer; /* valid while `directory` is held */
    struct directory *directory;

    struct record request;
    struct record answer; /* response or fault */
    struct problem problem;

    /* consumer: where the answer goes; provider: who was called */
    uint8_t gateway[256];
    size_t gateway_size;
    uint64_t ask;
    struct bytes *sealed; /* the question as sent, for sending it again; NULL: not yet */
    uint8_t sealed_to[X25519_PUBLIC_BYTES];
    uint8_t envelope[MESH_ENVELOPE_BYTES_MAX];
    size_t envelope_size;
    int64_t resend_ms; /* present wait between sends */
    struct loop_timer resend;

    /* provider: where the answer goes, and the call to our own service */
    uint8_t route[256];
    size_t route_size;
    uint64_t call;
    uint32_t status;

    struct loop_timer deadline;
    struct audit_job job; /* at most one piece of work at the evidence log */
    struct sign_job signing;
    bool batches; /* provider: the peer takes answers that were signed in a batch */

    int64_t started_us, step_started_us;
    struct {
        const char *name;
        int64_t us;
    } timed[STEPS_TIMED];
    size_t timed_count;
};

/* Starts walking. The exchange belongs to the node's table from here on. */
void exchange_start(struct exchange *x);
/* Starts on the refusal walk; the problem is set. */
void exchange_start_refused(struct exchange *x);
/* The present step got what it waited for. */
void exchange_resume(struct exchange *x);
/* The present step failed; the note of the last fault is taken as detail. */
void exchange_fail(struct exchange *x, fault f);

/* For steps: note a problem and return STEP_FAULT. */
enum step_end exchange_refuse(struct exchange *x, fault f);

struct exchange *exchange_new(struct node *node, enum exchange_role role,
                              const uint8_t id[EXCHANGE_ID_BYTES]);
void exchange_free(struct exchange **self);
void record_clear(struct record *self);

/* 8-4-4-4-12 text of an exchange id and NUL. */
void exchange_id_text(const uint8_t id[EXCHANGE_ID_BYTES], char out[37]);

#endif
