// SPDX-License-Identifier: MIT
/*
 * database - SQLite in one file: the only place that includes sqlite3.h.
 *
 * SQL text is ours and fixed or put together of fixed pieces; every value is bound. Values are
 * borrowed until the statement is reset, which statement_done and statement_reset do.
 *
 * Faults: BAD_TABLE (damaged, or not our tables), REFUSED (another process writes), IO_FAILED.
 */
#ifndef TOOLS_AUDIT_DATABASE_H
#define TOOLS_AUDIT_DATABASE_H

#include "lib/base/bytes.h"

struct database;
struct statement;

/* An existing file, for writing where that is possible, else for reading only. A link is not
 * followed: the file may lie in a stranger's folder. */
fault database_open(const char *path, struct database **out);
/* A new file, in nobody's way: kept in memory until pages must go, nothing is synced, and a crash
 * leaves rubbish. For files that get their name when they are complete. IO_FAILED when it is there
 * already. */
fault database_make(const char *path, struct database **out);
void database_free(struct database **self);
/* Statements without values or results. */
fault database_run(struct database *self, const char *sql);
/* Rows that the last statement changed. */
int64_t database_changed(const struct database *self);

fault statement_new(struct database *database, const char *sql, struct statement **out);
void statement_free(struct statement **self);
/* place: from 1. */
void statement_put_number(struct statement *self, int place, int64_t value);
void statement_put_text(struct statement *self, int place, struct span value);
void statement_put_bytes(struct statement *self, int place, struct span value);
void statement_put_null(struct statement *self, int place);
/* *row: is there one? */
fault statement_step(struct statement *self, bool *row);
/* For what gives no rows: runs and resets. */
fault statement_done(struct statement *self);
void statement_reset(struct statement *self);
/* column: from 0; borrowed until the next step or reset. NULL reads as 0 or as nothing. */
bool statement_is_null(const struct statement *self, int column);
int64_t statement_number(const struct statement *self, int column);
struct span statement_bytes(const struct statement *self, int column); /* of text, too */

#endif
