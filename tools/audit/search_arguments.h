// SPDX-License-Identifier: MIT
/*
 * search_arguments - the command line of chaski-audit search, read and checked.
 */
#ifndef TOOLS_AUDIT_SEARCH_ARGUMENTS_H
#define TOOLS_AUDIT_SEARCH_ARGUMENTS_H

#include "lib/bus/limits.h"
#include "lib/bus/bus_id.h"
#include "tools/audit/exchange_prefix.h"
#include "tools/audit/index.h"

#define SEARCH_ROWS_DEFAULT 50
#define SEARCH_ROWS_MAX 10000

enum search_shape { SEARCH_TEXT, SEARCH_JSON, SEARCH_CSV };

struct search_arguments {
    struct index_options index;
    int64_t from_ms, until_ms; /* both included */
    char peer[ID_TEXT_BYTES_MAX + 1], member[ID_TEXT_BYTES_MAX + 1];
    char service[ID_TEXT_BYTES_MAX + 1]; /* begins so */
    struct exchange_prefix exchange;
    uint8_t subject[SUBJECT_BYTES_MAX];
    size_t subject_bytes;
    const char *purpose, *case_ref, *outcome, *rule, *kind; /* NULL: any */
    uint64_t limit;
    int64_t after; /* key of the row before the first one wanted; 0: from the end */
    bool oldest;   /* first */
    enum search_shape shape;
};

/* argv[0] is the command. BAD_REQUEST with a sentence about the option that is wrong. */
fault search_arguments_read(int argc, char **argv, struct search_arguments *out);

/* An ISO date or time, UTC, as milliseconds: the first it names, and the last. "2026-11-21" is a
 * day, "2026-11-21T04:05" a minute, "...:06" a second, "...:06.789Z" a millisecond. BAD_REQUEST. */
fault search_time_read(const char *text, int64_t *first_ms, int64_t *last_ms);

/* --member, in the form that the log has it in. BAD_REQUEST. */
fault search_member_read(const char *text, char out[ID_TEXT_BYTES_MAX + 1]);

#endif
