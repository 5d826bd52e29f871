// SPDX-License-Identifier: MIT
/*
 * pair_private - what the rooms of pair share: pair_young.c counts what is left out, pair.c walks
 * and compares, pair_leaves.c brings what one side lacks.
 */
#ifndef EXCHANGE_PAIR_PRIVATE_H
#define EXCHANGE_PAIR_PRIVATE_H

#include "lib/bus/set_talk.h"
#include "security-server/exchange/leaf_checker.h"
#include "security-server/exchange/leaf_lender.h"
#include "security-server/exchange/log_talk.h"
#include "security-server/exchange/pair.h"
#include "security-server/exchange/set_reader.h"

#define PAIR_STACK_MAX (RECONCILE_HOURS_A_QUESTION + SET_MINUTES + SET_PREFIXES)

typedef void pair_step(struct pair *self);

/* A range that is not equal, and how many leaves the larger side has there. */
struct pair_task {
    struct set_range range;
    uint64_t count;
};

struct pair {
    struct node *node;
    char *peer;
    int64_t next_hour, until_ms;
    int64_t young_until_ms; /* wall time when the run began */
    uint64_t young;
    struct pair_report report;
    pair_done *done;
    void *owner;
    int64_t began_ms, waits_since_ms; /* steady */
    struct loop_timer timer;
    pair_step *step; /* what the timer does */
    size_t depth;
    struct pair_task stack[PAIR_STACK_MAX];
    /* being compared */
    struct pair_task task;
    size_t parts;
    struct set_digest own[SET_PREFIXES], theirs[SET_PREFIXES];
    struct set_job job;
    /* a page of hashes */
    bool has_after, own_more, their_more;
    struct sha256 after;
    size_t own_count, their_count;
    struct set_entry own_list[RECONCILE_HASHES_A_MESSAGE];
    struct sha256 their_list[RECONCILE_HASHES_A_MESSAGE];
    /* of a page: what we lack, and what the peer lacks */
    size_t lacks, lack_at, gives, give_at;
    struct sha256 lack[RECONCILE_HASHES_A_MESSAGE];
    struct set_entry give[RECONCILE_HASHES_A_MESSAGE];
    /* of a message: leaves that came and are good */
    size_t came;
    struct set_query query[RECONCILE_LEAVES_A_MESSAGE];
    struct sha256 content[RECONCILE_LEAVES_A_MESSAGE], hash[RECONCILE_LEAVES_A_MESSAGE];
    size_t asked; /* of `lack`, from lack_at on */
    struct set_entry twin[RECONCILE_LEAVES_A_MESSAGE];
    struct sha256 twin_of[RECONCILE_LEAVES_A_MESSAGE];
    struct leaf_checker checker;
    struct leaf_lender lender;
    size_t pending; /* leaves that are being taken in */
    bool ending;
};

/* The step is done in the next turn of the loop. */
void pair_next(struct pair *self, pair_step *step);
/* ... a while later, for somebody is not ready; PAIR ends when that goes on for RECONCILE_WAIT_MS.
 */
void pair_wait(struct pair *self, pair_step *step);
/* It does not go on. Reports what was found so far. */
void pair_fail(struct pair *self, fault f);
/* ... for what our own sets did not give. */
void pair_fail_own(struct pair *self, const struct set_job *job);
/* Asks the peer; a fault ends the pair. */
void pair_ask(struct pair *self, struct Chaski__LogTalk *message, log_talk_done *done);
/* What the status of an answer means: true when it can be used; else what is needed was done. */
bool pair_ready(struct pair *self, int status, pair_step *again);

/* Counts our leaves that are too young, then goes on with pair_go. */
void pair_count_young(struct pair *self);
/* Brings the leaves of `lack` and `give`, then goes on with pair_go. */
void pair_bring(struct pair *self);
void pair_go(struct pair *self);

#endif
