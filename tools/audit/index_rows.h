// SPDX-License-Identifier: MIT
/*
 * index_rows - the tables of the search index, and how an entry of a log becomes a row.
 *
 * One row per exchange as this log holds it: the request, and the outcome that names it (reply_to,
 * or for the refusal of a request that could not be verified its exchange id). What joins nothing
 * has a row of its own, so that nothing a log holds is hidden: an outcome without a request, a
 * second outcome, a record about the log itself, an entry that cannot be read.
 *
 * A row's key is its time and the low bits of its entry's number: rows lie in the order of time, so
 * does every index, and a key is a place to go on from that outlives a rebuild.
 * Words that come again and again stand once, with the number of their rows, in table word.
 */
#ifndef TOOLS_AUDIT_INDEX_ROWS_H
#define TOOLS_AUDIT_INDEX_ROWS_H

#include "lib/bus/header.h"
#include "tools/audit/database.h"

/* Of the tables below: another number, and an index is built anew. */
#define INDEX_FORMAT 4

#define INDEX_KEY_BITS 21 /* below the time; 42 bits of milliseconds reach beyond 2100 */

static inline int64_t index_key_time_ms(int64_t key)
{
    return key >> INDEX_KEY_BITS;
}

/* First key of a millisecond. */
static inline int64_t index_key_of_time(int64_t time_ms)
{
    return time_ms << INDEX_KEY_BITS;
}

/* Columns whose words stand in table word; the numbers stand in the file. */
enum index_field {
    FIELD_KIND = 1, /* "request", "request response", "request fault", "started", ... */
    FIELD_SERVER,
    FIELD_SUBSYSTEM, /* of sender and receiver; a record about the log itself has a member there */
    FIELD_MEMBER,
    FIELD_SERVICE,
    FIELD_PURPOSE,
    FIELD_PROCEDURE,
    FIELD_OUTCOME, /* "200", "answered" (without a status of HTTP), "ACCESS_DENIED", "FAULT_900",
                      "FAULT_OTHER" (beyond three digits), "none": never many */
    FIELD_RULE,
    INDEX_FIELDS
};

#define INDEX_OUTCOME_OPEN "none"
#define INDEX_OUTCOME_ANSWERED "answered"
#define INDEX_KIND_UNREADABLE "unreadable"

/* How far an index has come; stands in table state. */
struct index_state {
    uint64_t entries;             /* indexed */
    uint64_t first;               /* ... from this one on: those before were pruned */
    struct sha256 last_leaf_hash; /* of the last one; zero when there is none */
    int64_t last_ms;              /* its time, or of the last one that had any */
    int64_t server;               /* word of the log's own server; 0: not known yet */
};

struct index_entry {
    uint64_t index;
    const struct sha256 *leaf_hash;
    const struct header *header; /* NULL: cannot be read */
};

struct index_rows; /* a writer */

/* The tables, empty; what makes searching fast is added at the end of a build. */
fault index_rows_make_tables(struct database *database);
fault index_rows_make_indices(struct database *database);

fault index_state_read(struct database *database, struct index_state *out);

/* Borrows the database. Entries come in order, from state->entries on; into an empty index from
 * any. */
fault index_rows_new(struct database *database, struct index_rows **out);
void index_rows_free(struct index_rows **self);
fault index_rows_add(struct index_rows *self, const struct index_entry *entry);
/* Writes down how far it has come and how often each word is used: before each commit. */
fault index_rows_flush(struct index_rows *self);
uint64_t index_rows_entries(const struct index_rows *self);

#endif
