// SPDX-License-Identifier: MIT
/*
 * index - the search index of one log: derived from it, thrown away and made anew at any time.
 *
 *   index_rows.c   tables and rows
 *   index_file.c   whose file it is, and how a new one takes its place
 *   index.c        reads the log into it: at each opening from where it ended, or from the start
 *
 * It holds headers, never a payload, and nothing in it is verified: it says where to look.
 */
#ifndef TOOLS_AUDIT_INDEX_H
#define TOOLS_AUDIT_INDEX_H

#include "tools/audit/index_file.h"
#include "tools/audit/index_rows.h"

#define INDEX_REMARKS_MAX 8
#define INDEX_BATCH 20000 /* entries per transaction */

struct index_options {
    const char *folder;      /* of the audit log */
    unsigned epoch;          /* of that log; 0: the first */
    const char *file;        /* NULL: folder/index/search.db, of a later epoch search-<epoch>.db */
    bool rebuild;            /* from the start, whatever is there */
    const char *rebuild_why; /* for a remark; NULL when it was asked for */
    bool as_is;              /* does not look into the log */
};

struct index {
    struct index_place place;
    struct database *database;
    struct index_state state;
    char *remark[INDEX_REMARKS_MAX]; /* what its user should know */
    size_t remarks;
};

/* Opens the index, made or brought up to the log's end as far as it may be written. An index that
 * is not of this log any more, or damaged, is made anew with a remark.
 * NOT_FOUND: no log there. REFUSED: another process is making it. IO_FAILED: it has to be made, and
 * cannot be written there. LOG_BROKEN and others as wal_reader_show when the log cannot be read. */
fault index_open(const struct index_options *options, struct index **out);
void index_free(struct index **self);

#endif
