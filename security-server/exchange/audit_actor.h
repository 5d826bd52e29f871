// SPDX-License-Identifier: MIT
/*
 * audit_actor - the thread that owns the evidence log. Whatever waits is committed as one group;
 * the group grows by itself while the previous one is being flushed.
 */
#ifndef EXCHANGE_AUDIT_ACTOR_H
#define EXCHANGE_AUDIT_ACTOR_H

#include "lib/base/loop.h"
#include "lib/bus/audit_log.h"

/* FILE: a small file of the evidence folder is replaced, durably. */
enum audit_work {
    AUDIT_APPEND,
    AUDIT_READ,
    AUDIT_CHECKPOINT,
    AUDIT_FILE,
    AUDIT_KEYS,
    AUDIT_ERASE,
    AUDIT_PLAN_PRUNE,
    AUDIT_PRUNE,
    AUDIT_STOP
};

/* Day keys on their way to the payloads, and what is wanted next. */
struct audit_keys {
    struct day_key *spare; /* in, or NULL */
    /* in: begin to put the slab of `day` under the fresh one, or NULL */
    struct day_key *old, *fresh;
    /* in; out: which slab is due, or "", and its key as it lies in its file */
    char day[DAY_TEXT_BYTES];
    uint8_t wrapped[KEY_WRAPPED_BYTES];
    bool wants_spare; /* out */
};

/* One piece of work; the asker's memory, untouched by it until `done` is called on its thread. */
struct audit_job {
    enum audit_work work;
    struct audit_record record;    /* APPEND: leaf and blob borrowed. READ: index in, a place */
    struct span note;              /* CHECKPOINT, FILE: borrowed */
    const char *path;              /* FILE: borrowed */
    struct audit_keys *keys;       /* KEYS */
    struct audit_erasing *erasing; /* ERASE: one step */
    struct audit_pruning *pruning; /* PLAN_PRUNE, PRUNE: one step */
    struct bytes *leaf, *blob;     /* READ: out, the asker's; blob may be NULL */
    enum fault_code fault;         /* out */
    char detail[300];
    struct audit_head head; /* out: committed head after it */
    void (*done)(struct audit_job *job);
    void *owner;
};

struct audit_actor;

/* Takes the log over and starts the thread. */
fault audit_actor_start(struct loop *loop, struct audit_log **log, struct audit_actor **out);
/* Finishes what was asked, then ends; `done` is not called for it any more. */
void audit_actor_free(struct audit_actor **self);

/* Asks; OVERLOADED when AUDIT_QUEUE jobs wait already. Sent on at the end of the loop's turn. */
fault audit_actor_ask(struct audit_actor *self, struct audit_job *job);
#define AUDIT_QUEUE 131072

/* Records that were asked to be appended, and how many of them came back: the first ones. */
struct audit_pace {
    uint64_t asked, done;
};
/* As it is at any moment, for as long as the actor is there. */
const struct audit_pace *audit_actor_pace(const struct audit_actor *self);
uint64_t audit_actor_asked(const struct audit_actor *self);
uint64_t audit_actor_done(const struct audit_actor *self);
/* One watcher, told of each leaf that is asked to be appended from now on; NULL: none any more. */
void audit_actor_watch(struct audit_actor *self, void (*each)(void *owner, struct span leaf),
                       void *owner);

#endif
