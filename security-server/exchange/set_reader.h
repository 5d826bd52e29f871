// SPDX-License-Identifier: MIT
/*
 * set_reader - a thread that reads the sets of leaves (lib/bus/leaf_set.h): sorting and hashing a
 * busy hour takes longer than a message may wait. One job at a time, in the order in which they
 * were asked for.
 */
#ifndef EXCHANGE_SET_READER_H
#define EXCHANGE_SET_READER_H

#include "lib/base/loop.h"
#include "lib/bus/leaf_set.h"

enum set_work {
    SET_HOURS, /* digests of `parts` hours from range.hour on */
    SET_PARTS, /* of the `parts` parts of the range */
    SET_LIST,  /* entries behind `after`, at most `most` */
    SET_FIND,  /* `queries`, all of range.hour */
    SET_CALL, /* `call`, which may read and write files and touch what the asker lent it, no more */
    SET_STOP
};

/* One piece of work; the asker's memory, untouched by it until `done` is called on its thread. */
struct set_job {
    enum set_work work;
    const char *peer; /* borrowed */
    struct set_range range;
    size_t parts;
    bool has_after;
    struct sha256 after;
    size_t most; /* room in `entry` */
    struct set_query *queries;
    size_t count; /* FIND: of queries. LIST: out, of entries */
    /* out */
    struct set_digest *digest; /* HOURS, PARTS: the asker's, room for `parts` */
    struct set_entry *entry;   /* LIST: the asker's */
    uint64_t lates;            /* FIND: records of that hour that late receipts hold */
    bool more;
    enum fault_code fault;
    char detail[200];
    fault (*call)(void *owner); /* CALL: on the thread */
    void (*done)(struct set_job *job);
    void *owner;
};

struct set_reader;

fault set_reader_start(struct loop *loop, const char *audit_folder, struct set_reader **out);
/* Finishes the job under way; `done` is not called any more. */
void set_reader_free(struct set_reader **self);

/* Asks; OVERLOADED when SET_READER_QUEUE jobs wait already. */
fault set_reader_ask(struct set_reader *self, struct set_job *job);
#define SET_READER_QUEUE 1024

#endif
