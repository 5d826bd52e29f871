// SPDX-License-Identifier: MIT
/*
 * search_query - filters to SQL, and its rows.
 *
 * One filter leads: the one with the fewest rows, whose index is walked in the order of time; the
 * others are looked at row by row. So a page costs what its rarest filter costs. The choice is made
 * here, by counts that the index keeps, and not by guesses of SQLite's planner.
 */
#ifndef TOOLS_AUDIT_SEARCH_QUERY_H
#define TOOLS_AUDIT_SEARCH_QUERY_H

#include "tools/audit/search_arguments.h"

/* A number that is not there. */
#define SEARCH_NOTHING INT64_MIN

/* One row; spans are borrowed, and empty where there is nothing. */
struct search_row {
    int64_t key, entry, answer_entry, latency_ms, payload_bytes, answer_bytes;
    struct span kind; /* of the first entry, and after a blank of the outcome */
    struct span peer, sender, caller_member, receiver, provider_member, service;
    struct span exchange; /* 16 bytes */
    struct span purpose, procedure, case_ref, subject, outcome, rule;
    struct span withheld; /* columns, each with its rule; empty: none */
};

struct search_page {
    uint64_t rows;
    int64_t last_key;
    bool more;           /* after the last one */
    const char *unknown; /* the name of a filter whose word this log does not have, or NULL */
};

typedef void search_visit(void *owner, const struct search_row *row);

/* BAD_TABLE: the index is damaged. */
fault search_query_run(struct database *database, const struct search_arguments *arguments,
                       search_visit *visit, void *owner, struct search_page *out);

#endif
