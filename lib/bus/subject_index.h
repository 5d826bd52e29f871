// SPDX-License-Identifier: MIT
/*
 * subject_index - which entries of this server's log are about a person, by pseudonym: derived from
 * the segments, made anew when it is missing.
 *
 *   <audit_folder>/subjects/<yyyymm>/<2 hex digits>   records of pseudonyms that begin so, of
 *                                                     entries dated in that month (UTC), 128 bytes:
 *   pseudonym (32) | exchange id (16) | leaf hash (32) | i64 time_ms | i64 sealed_until_ms |
 *   u64 index | u32 log epoch | u16 year | u16 status | u16 fault | u8 kind | u8 own | 8 zeros |
 *   u32 crc32c(the 124 before)                        (big-endian)
 *
 *   <audit_folder>/subjects/next    "v2", log epoch and entries that are in it, decimal
 *
 * A leaf that came late from the other side counts as if it stood in the place of its LATE record,
 * whose header has what is needed of it; those of before LATE records named persons are not in it.
 *
 * Of the view of a person (metaservice.h) only the questions that came to this server are in it:
 * who asks a country would have thousands of records of each view, which those who were asked have
 * as well.
 *
 * A crash repeats what was not noted in `next`: one entry may have several records, and counts
 * once. Used by one thread at a time.
 */
#ifndef BUS_SUBJECT_INDEX_H
#define BUS_SUBJECT_INDEX_H

#include "lib/bus/header.h"

struct subject_index;

/* server: whose log it is. epoch: of the log that grows. IO_FAILED. */
fault subject_index_open(const char *audit_folder, const char *server, unsigned epoch,
                         struct subject_index **out);
void subject_index_free(struct subject_index **self);

/* Takes entries in, SUBJECT_INDEX_STEP at most, towards `until`, which is durable. *more: there is
 * more to do. LOG_BROKEN: an entry cannot be read; IO_FAILED. */
fault subject_index_follow(struct subject_index *self, uint64_t until, bool *more);
/* Makes what was taken in durable, and notes how far. */
fault subject_index_keep(struct subject_index *self);

/* An exchange, or a record of its own, as this log has it. */
struct subject_found {
    uint8_t exchange_id[EXCHANGE_ID_BYTES];
    bool has_request, has_outcome; /* one of them at least; a record of its own is a request */
    struct subject_half {
        struct sha256 leaf_hash; /* of the leaf that came, if the entry is a LATE record */
        int64_t time_ms;
        uint64_t index;
        unsigned epoch;
        enum header_kind kind;
        unsigned status, fault;
        bool own; /* signed by this server */
    } request, outcome;
    int64_t sealed_until_ms;
};

struct subject_search {
    struct sha256 pseudonym;
    unsigned year;
    int64_t now_ms;            /* what is sealed beyond it is left out */
    int64_t from_ms, until_ms; /* of requests (or outcomes without one) dated so */
    uint64_t after;            /* places before this one are passed over */
    size_t most;               /* room in `found` */
    /* out */
    struct subject_found *found; /* the asker's; in the order of the log */
    size_t count;
    uint64_t next; /* for `after`; 0: that was all */
};
/* OVERLOADED: more than SUBJECT_RECORDS_MAX entries of that time are about that person here.
 * IO_FAILED. */
fault subject_index_find(const char *audit_folder, struct subject_search *search);

#endif
