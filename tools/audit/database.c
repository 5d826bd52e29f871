// SPDX-License-Identifier: MIT
#include "tools/audit/database.h"

#include <assert.h>
#include <fcntl.h>
#include <sqlite3.h>
#include <stdlib.h>
#include <unistd.h>

#define BUSY_MS 10000

struct database {
    sqlite3 *handle;
};

struct statement {
    sqlite3 *handle;
    sqlite3_stmt *prepared;
};

static fault raise_of(sqlite3 *handle, int code)
{
    const char *words = handle == NULL ? sqlite3_errstr(code) : sqlite3_errmsg(handle);
    switch (code & 0xff) {
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
        return RAISE(REFUSED, "another process writes the index: %s", words);
    case SQLITE_CORRUPT:
    case SQLITE_NOTADB:
    case SQLITE_ERROR: /* tables that are not there */
    case SQLITE_SCHEMA:
    case SQLITE_MISMATCH:
    case SQLITE_CONSTRAINT:
        return RAISE(BAD_TABLE, "the index: %s", words);
    case SQLITE_NOMEM:
        abort();
    default:
        return RAISE(IO_FAILED, "the index: %s", words);
    }
}

static fault begin(const char *path, const char *settings, struct database **out)
{
    OWNED(database) self = owned_new(sizeof *self);
    int code =
        sqlite3_open_v2(path, &self->handle, SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOFOLLOW, NULL);
    if (code != SQLITE_OK)
        return raise_of(self->handle, code);
    sqlite3_busy_timeout(self->handle, BUSY_MS);
    /* whatever stands in the file's schema runs no function with an effect */
    sqlite3_db_config(self->handle, SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0, NULL);
    TRY(database_run(self, settings));
    /* after the settings: it forbids to do without a journal */
    sqlite3_db_config(self->handle, SQLITE_DBCONFIG_DEFENSIVE, 1, NULL);
    *out = TAKE(self);
    return DONE;
}

fault database_open(const char *path, struct database **out)
{
    return begin(path,
                 "PRAGMA cell_size_check = ON; PRAGMA secure_delete = OFF;"
                 "PRAGMA cache_size = -65536; PRAGMA temp_store = MEMORY;",
                 out);
}

fault database_make(const char *path, struct database **out)
{
    int fd = open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (fd < 0)
        return RAISE(IO_FAILED, "%s: %m", path);
    close(fd);
    return begin(path,
                 "PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF; PRAGMA secure_delete = OFF;"
                 "PRAGMA locking_mode = EXCLUSIVE; PRAGMA cache_size = -131072;",
                 out);
}

void database_free(struct database **self)
{
    if (*self == NULL)
        return;
    sqlite3_close_v2((*self)->handle);
    free(*self);
    *self = NULL;
}

fault database_run(struct database *self, const char *sql)
{
    int code = sqlite3_exec(self->handle, sql, NULL, NULL, NULL);
    return code == SQLITE_OK ? DONE : raise_of(self->handle, code);
}

int64_t database_changed(const struct database *self)
{
    return sqlite3_changes64(self->handle);
}

fault statement_new(struct database *database, const char *sql, struct statement **out)
{
    OWNED(statement) self = owned_new(sizeof *self);
    self->handle = database->handle;
    int code = sqlite3_prepare_v2(database->handle, sql, -1, &self->prepared, NULL);
    if (code != SQLITE_OK)
        return raise_of(database->handle, code);
    *out = TAKE(self);
    return DONE;
}

void statement_free(struct statement **self)
{
    if (*self == NULL)
        return;
    sqlite3_finalize((*self)->prepared);
    free(*self);
    *self = NULL;
}

/* A place that the statement does not have, or one bound while it runs, is our own mistake. */
static void must(int code)
{
    if (code == SQLITE_NOMEM)
        abort();
    assert(code == SQLITE_OK);
}

void statement_put_number(struct statement *self, int place, int64_t value)
{
    must(sqlite3_bind_int64(self->prepared, place, value));
}

/* An empty span may have no address, which SQLite would take for NULL. */
static const void *address_of(struct span value)
{
    return value.size == 0 ? (const void *)"" : value.at;
}

void statement_put_text(struct statement *self, int place, struct span value)
{
    must(sqlite3_bind_text64(self->prepared, place, address_of(value), value.size, SQLITE_STATIC,
                             SQLITE_UTF8));
}

void statement_put_bytes(struct statement *self, int place, struct span value)
{
    must(sqlite3_bind_blob64(self->prepared, place, address_of(value), value.size, SQLITE_STATIC));
}

void statement_put_null(struct statement *self, int place)
{
    must(sqlite3_bind_null(self->prepared, place));
}

fault statement_step(struct statement *self, bool *row)
{
    int code = sqlite3_step(self->prepared);
    if (code != SQLITE_ROW && code != SQLITE_DONE)
        return raise_of(self->handle, code);
    *row = code == SQLITE_ROW;
    return DONE;
}

fault statement_done(struct statement *self)
{
    bool row = false;
    fault f = statement_step(self, &row);
    statement_reset(self);
    return f;
}

void statement_reset(struct statement *self)
{
    sqlite3_reset(self->prepared); /* repeats the fault that the step has told */
}

bool statement_is_null(const struct statement *self, int column)
{
    return sqlite3_column_type(self->prepared, column) == SQLITE_NULL;
}

int64_t statement_number(const struct statement *self, int column)
{
    return sqlite3_column_int64(self->prepared, column);
}

struct span statement_bytes(const struct statement *self, int column)
{
    const void *at = sqlite3_column_blob(self->prepared, column);
    return span_of(at, at == NULL ? 0 : (size_t)sqlite3_column_bytes(self->prepared, column));
}
