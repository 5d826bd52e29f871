// SPDX-License-Identifier: MIT
#include "tools/audit/index.h"

#include "lib/base/clock.h"
#include "lib/base/cursor.h"
#include "lib/base/file.h"
#include "lib/base/text.h"
#include "lib/bus/audit_log.h"
#include "lib/bus/pruned.h"
#include "lib/crypto/cades.h"
#include "lib/crypto/merkle.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define PROGRESS_MS 2000
#define PROMISE_BYTES_MAX 16384

__attribute__((format(printf, 2, 3))) static void remark(struct index *self, const char *format,
                                                         ...)
{
    char text[512];
    va_list args;
    if (self->remarks == INDEX_REMARKS_MAX)
        return;
    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    self->remark[self->remarks++] = owned_text(text);
}

// --- the log ------------------------------------------------------------------------------------

static unsigned epoch_of(const struct index_options *options)
{
    return options->epoch == 0 ? 1 : options->epoch;
}

static fault wal_folder(const struct index_options *options, char out[INDEX_PATH_BYTES])
{
    if (strlen(options->folder) > INDEX_PATH_BYTES - 32)
        return RAISE(BAD_REQUEST, "the folder's name is too long");
    audit_log_path(options->folder, epoch_of(options), "wal", out, INDEX_PATH_BYTES);
    return access(out, X_OK) == 0 ? DONE : RAISE(NOT_FOUND, "there is no log in %s: %m", out);
}

/* What the newest checkpoint says, unverified; 0 when there is none. */
static uint64_t promised(const struct index_options *options)
{
    char path[INDEX_PATH_BYTES];
    uint64_t size = 0;
    OWNED(bytes) note = NULL;
    struct span line;
    audit_log_path(options->folder, epoch_of(options), "promise", path, sizeof path);
    if (failed(file_read(path, PROMISE_BYTES_MAX, &note)))
        return 0;
    struct cursor at = cursor_over(bytes_span(note));
    if (failed(cursor_take_until(&at, '\n', &line)) ||
        failed(cursor_take_until(&at, '\n', &line)) || failed(text_number(line, INT64_MAX, &size)))
        return 0;
    return size;
}

/* How an index stands to its log. */
enum relation { SAME_END, LOG_LONGER, LOG_OTHER };

static fault compare_hash(void *owner, uint64_t index, struct span leaf)
{
    const struct index_state *state = owner;
    struct sha256 hash = merkle_leaf_hash(leaf);
    return index + 1 != state->entries || sha256_equal(&hash, &state->last_leaf_hash)
               ? DONE
               : RAISE(INCONSISTENT, "entry %" PRIu64 " is another one than was indexed", index);
}

static fault see(void *owner, uint64_t index, struct span leaf)
{
    (void)owner;
    (void)index;
    (void)leaf;
    return DONE;
}

static fault relate(const struct index_options *options, struct index_state *state,
                    enum relation *out)
{
    char folder[INDEX_PATH_BYTES];
    OWNED(wal_reader) reader = NULL;
    TRY(wal_folder(options, folder));
    struct pruned pruned;
    *out = LOG_OTHER;
    TRY(pruned_read(options->folder, epoch_of(options), &pruned));
    if (state->entries > 0 && state->first != pruned.first)
        return DONE; /* what was pruned since must not be found here any more */
    if (failed(wal_reader_open(folder, state->entries == 0 ? pruned.first : state->entries - 1,
                               &reader))) {
        *out = state->entries == 0 ? SAME_END : LOG_OTHER; /* no entry at all, or fewer */
        return DONE;
    }
    if (state->entries > 0 && failed(wal_reader_show(reader, state->entries, compare_hash, state)))
        return DONE;
    uint64_t next = state->entries == 0 ? pruned.first : state->entries;
    *out = failed(wal_reader_show(reader, next + 1, see, NULL)) ? SAME_END : LOG_LONGER;
    return DONE;
}

// --- reading it in ------------------------------------------------------------------------------

struct feed {
    struct database *database;
    struct index_rows *rows;
    uint64_t in_batch;
    int64_t told_ms;
    bool told, batches;
    bool stopped; /* by us, and not by the log's end */
};

static void tell_progress(struct feed *self)
{
    int64_t now_ms = clock_steady_ms();
    if (!isatty(STDERR_FILENO) || now_ms - self->told_ms < PROGRESS_MS)
        return;
    self->told_ms = now_ms;
    fprintf(stderr, "\rindexing: %" PRIu64 " entries ", index_rows_entries(self->rows));
    self->told = true;
}

static fault end_batch(struct feed *self)
{
    self->in_batch = 0;
    tell_progress(self);
    TRY(index_rows_flush(self->rows));
    return self->batches ? database_run(self->database, "COMMIT; BEGIN IMMEDIATE") : DONE;
}

static fault add_leaf(struct feed *self, uint64_t index, struct span leaf)
{
    struct sha256 hash = merkle_leaf_hash(leaf);
    struct cades_parts parts;
    OWNED(header_read) read = NULL;
    struct index_entry entry = {.index = index, .leaf_hash = &hash};
    if (!failed(cades_parse(leaf, &parts)) && !failed(header_decode(parts.content, &read)))
        entry.header = header_of(read);
    TRY(index_rows_add(self->rows, &entry));
    return ++self->in_batch == INDEX_BATCH ? end_batch(self) : DONE;
}

static fault take_leaf(void *owner, uint64_t index, struct span leaf)
{
    struct feed *self = owner;
    fault f = add_leaf(self, index, leaf);
    self->stopped = failed(f);
    return f;
}

/* Entries that are not durable yet may come along: should a crash take them back, the last leaf
 * hash is another one, and the index is made anew. */
static fault read_log(const struct index_options *options, struct feed *self)
{
    char folder[INDEX_PATH_BYTES];
    OWNED(wal_reader) reader = NULL;
    uint64_t first = index_rows_entries(self->rows);
    struct pruned pruned;
    TRY(wal_folder(options, folder));
    TRY(pruned_read(options->folder, epoch_of(options), &pruned));
    if (first == 0)
        first = pruned.first;
    fault f = wal_reader_open(folder, first, &reader);
    if (!failed(f))
        f = wal_reader_show(reader, UINT64_MAX, take_leaf, self);
    else if (first > 0 || f.code != NOT_FOUND)
        self->stopped = true;
    if (self->told)
        fputs("\r                                        \r", stderr);
    return self->stopped ? f : index_rows_flush(self->rows);
}

static fault fill(const struct index_options *options, struct database *database, bool batches,
                  struct index_state *out)
{
    OWNED(index_rows) rows = NULL;
    TRY(index_rows_new(database, &rows));
    struct feed feed = {
        .database = database, .rows = rows, .batches = batches, .told_ms = clock_steady_ms()};
    TRY(read_log(options, &feed));
    return index_state_read(database, out);
}

/* From where it ended, a transaction per batch: whatever happens, each entry is in it once. */
static fault catch_up(struct index *self, const struct index_options *options)
{
    TRY(database_run(self->database, "BEGIN IMMEDIATE"));
    fault f = fill(options, self->database, true, &self->state);
    if (failed(f)) {
        ignore(database_run(self->database, "ROLLBACK")); /* the fault that matters is told */
        return f;
    }
    return database_run(self->database, "COMMIT");
}

static fault build_into(struct database *database, const struct index_options *options,
                        struct index_state *state)
{
    TRY(database_run(database, "BEGIN"));
    TRY(index_rows_make_tables(database));
    TRY(fill(options, database, false, state));
    TRY(index_rows_make_indices(database));
    return database_run(database, "COMMIT");
}

static fault build(struct index *self, const struct index_options *options)
{
    OWNED(database) made = NULL;
    database_free(&self->database);
    TRY(index_file_begin(&self->place, &made));
    fault f = build_into(made, options, &self->state);
    if (!failed(f))
        f = index_file_finish(&self->place, &made);
    if (failed(f)) {
        database_free(&made);
        index_file_give_up(&self->place);
        return f;
    }
    return database_open(self->place.file, &self->database);
}

// --- opening ------------------------------------------------------------------------------------

static const char *condition_words(enum index_condition condition)
{
    switch (condition) {
    case INDEX_FOREIGN:
        return "it was made elsewhere and came with a copy, so nobody knows what it says";
    case INDEX_OLD:
        return "it was made by another version";
    case INDEX_DAMAGED:
        return "it is damaged";
    case INDEX_ABSENT:
    case INDEX_USABLE:
        break;
    }
    return NULL;
}

/* What has to be done before one can search. */
struct verdict {
    bool usable;          /* self->database is open, and of this log */
    enum relation log;    /* when usable */
    const char *why_anew; /* NULL when there was none, or when usable */
};

static fault judge(struct index *self, const struct index_options *options, struct verdict *out)
{
    *out = (struct verdict){0};
    database_free(&self->database);
    enum index_condition condition = index_file_look(&self->place);
    out->why_anew = condition_words(condition);
    if (condition != INDEX_USABLE)
        return DONE;
    fault f = database_open(self->place.file, &self->database);
    if (!failed(f))
        f = index_state_read(self->database, &self->state);
    if (f.code == BAD_TABLE) {
        out->why_anew = condition_words(INDEX_DAMAGED);
        return DONE;
    }
    TRY(f);
    if (!options->as_is)
        TRY(relate(options, &self->state, &out->log));
    out->usable = options->as_is || out->log != LOG_OTHER;
    if (!out->usable)
        out->why_anew = "the log is another one than it was made of, or was cut or pruned";
    return DONE;
}

static fault make_anew(struct index *self, const struct index_options *options, const char *why)
{
    if (why != NULL)
        remark(self, "the index is made anew: %s", why);
    return build(self, options);
}

/* Under the lock: others may have worked on it until now. */
static fault write_index(struct index *self, const struct index_options *options)
{
    struct verdict verdict;
    TRY(judge(self, options, &verdict));
    if (options->rebuild || !verdict.usable)
        return make_anew(self, options, options->rebuild ? options->rebuild_why : verdict.why_anew);
    if (verdict.log == SAME_END)
        return DONE;
    fault f = catch_up(self, options);
    return f.code == BAD_TABLE ? make_anew(self, options, condition_words(INDEX_DAMAGED)) : f;
}

/* It cannot be written, but it is of this log: better a little old than not at all. */
static fault use_as_it_is(struct index *self, fault why)
{
    if (self->database == NULL)
        TRY(database_open(self->place.file, &self->database));
    TRY(index_state_read(self->database, &self->state));
    remark(self,
           "the index ends before entry %" PRIu64 ", and what came later is not shown: %s (%s)%s",
           self->state.entries, fault_sentence(why.code), fault_detail(),
           why.code == REFUSED ? "" : "; --index FILE puts it elsewhere");
    return DONE;
}

static fault bring_up(struct index *self, const struct index_options *options)
{
    struct verdict verdict;
    int lock = -1;
    TRY(judge(self, options, &verdict));
    if (!options->rebuild && verdict.usable && verdict.log == SAME_END)
        return DONE;
    fault f = index_file_lock(&self->place, &lock);
    if (!failed(f))
        f = write_index(self, options);
    if (lock >= 0)
        close(lock);
    if (!failed(f) || (f.code != REFUSED && f.code != IO_FAILED))
        return f;
    if (verdict.usable && !options->rebuild)
        return use_as_it_is(self, f);
    return f.code == REFUSED
               ? f
               : RAISE(IO_FAILED, "%.250s; --index FILE puts the index elsewhere", fault_detail());
}

static fault open_as_is(struct index *self, const struct index_options *options)
{
    struct verdict verdict;
    TRY(judge(self, options, &verdict));
    return verdict.usable ? DONE
                          : RAISE(NOT_FOUND, "%s cannot be used as it is: %s", self->place.file,
                                  verdict.why_anew == NULL ? "it is not there" : verdict.why_anew);
}

static fault open_and_bring_up(struct index *self, const struct index_options *options)
{
    char folder[INDEX_PATH_BYTES];
    TRY(wal_folder(options, folder));
    uint64_t size = promised(options); /* first: a running node writes on */
    TRY(bring_up(self, options));
    if (self->state.entries < size && self->remarks == 0)
        remark(self,
               "the log can be read up to entry %" PRIu64 ", but its checkpoint promises %" PRIu64
               " entries: see chaski-audit verify",
               self->state.entries, size);
    return DONE;
}

fault index_open(const struct index_options *options, struct index **out)
{
    OWNED(index) self = owned_new(sizeof *self);
    TRY(index_place_find(options->folder, epoch_of(options), options->file, &self->place));
    if (epoch_of(options) > 1)
        remark(self, "this is epoch %u of the log; what was before it is found with --epoch %u",
               epoch_of(options), epoch_of(options) - 1);
    TRY(options->as_is ? open_as_is(self, options) : open_and_bring_up(self, options));
    *out = TAKE(self);
    return DONE;
}

void index_free(struct index **self)
{
    if (*self == NULL)
        return;
    database_free(&(*self)->database);
    for (size_t i = 0; i < (*self)->remarks; i++)
        free((*self)->remark[i]);
    free(*self);
    *self = NULL;
}
