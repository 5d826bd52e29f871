// SPDX-License-Identifier: MIT
#include "tools/audit/search_query.h"

#include "lib/base/text.h"

#include <assert.h>
#include <stdlib.h>

#define FILTERS_MAX 10
#define MERGED_MAX 32 /* values of one filter whose indices are merged; more are gathered */
#define FAULT_NAME_ROOM 64
#define WORDS_MAX 20000        /* of one filter */
#define PROBE_ROWS 20000       /* a word that is not counted is looked at so far */
#define GATHER_ROWS_LEAST 5000 /* so many are gathered and sorted without a thought */

// --- filters ------------------------------------------------------------------------------------

/* `column` is equal to one of the values, or within a range of bytes. */
struct filter {
    const char *name; /* as on the command line */
    const char *column;
    const char *or_column; /* the same value may stand here instead, or NULL */
    struct span text;      /* the value, when values stand in the rows themselves */
    struct span bytes, bytes_last;
    int64_t *word; /* ... or numbers of words */
    size_t words;
    uint64_t rows; /* that it lets through, about */
};

struct query {
    struct database *database;
    const struct search_arguments *arguments;
    struct filter filter[FILTERS_MAX];
    size_t filters;
    uint8_t exchange_first[EXCHANGE_ID_BYTES], exchange_last[EXCHANGE_ID_BYTES];
    const char *unknown;
};

static bool is_asked(const char *wanted)
{
    return wanted != NULL && wanted[0] != '\0';
}

static struct filter *add_filter(struct query *self, const char *name, const char *column)
{
    assert(self->filters < FILTERS_MAX);
    struct filter *filter = &self->filter[self->filters++];
    filter->name = name;
    filter->column = column;
    return filter;
}

static void add_word(struct filter *filter, int64_t id, int64_t rows)
{
    filter->word = owned_grow(filter->word, filter->words + 1, sizeof *filter->word);
    filter->word[filter->words++] = id;
    filter->rows += rows > 0 ? (uint64_t)rows : 0;
}

/* Which words of a field belong to a filter? */
typedef bool takes_word(const char *wanted, struct span word);

/* All words of the field are looked at: for fields of which there are few. */
static fault filter_few(struct query *self, const char *name, const char *column,
                        enum index_field field, const char *wanted, takes_word *takes)
{
    OWNED(statement) ask = NULL;
    bool row = false;
    if (!is_asked(wanted))
        return DONE;
    struct filter *filter = add_filter(self, name, column);
    TRY(statement_new(self->database, "SELECT id, text, rows FROM word WHERE field = ?", &ask));
    statement_put_number(ask, 1, field);
    for (;;) {
        TRY(statement_step(ask, &row));
        if (!row)
            return DONE;
        if (takes(wanted, statement_bytes(ask, 1)))
            add_word(filter, statement_number(ask, 0), statement_number(ask, 2));
    }
}

/* The words from `first` up to `last`. */
static fault filter_range(struct query *self, struct filter *filter, enum index_field field,
                          const char *first, const char *last)
{
    OWNED(statement) ask = NULL;
    bool row = false;
    TRY(statement_new(self->database,
                      "SELECT id, rows FROM word WHERE field = ? AND text BETWEEN ? AND ?", &ask));
    statement_put_number(ask, 1, field);
    statement_put_text(ask, 2, span_of_text(first));
    statement_put_text(ask, 3, span_of_text(last));
    for (;;) {
        TRY(statement_step(ask, &row));
        if (!row)
            return DONE;
        if (filter->words == WORDS_MAX)
            return RAISE(BAD_REQUEST, "more than %d words of this log begin so: give more of --%s",
                         WORDS_MAX, filter->name);
        add_word(filter, statement_number(ask, 0), statement_number(ask, 1));
    }
}

static fault filter_word(struct query *self, const char *name, const char *column,
                         const char *or_column, enum index_field field, const char *wanted)
{
    if (!is_asked(wanted))
        return DONE;
    struct filter *filter = add_filter(self, name, column);
    filter->or_column = or_column;
    return filter_range(self, filter, field, wanted, wanted);
}

static const char last_character[] = "\xf4\x8f\xbf\xbf"; /* of all there are */

/* "restricted/grant" is that of every grant, "restricted/grant G-1" of one. */
static fault filter_rule(struct query *self, const char *wanted)
{
    char first[WORD_BYTES_MAX + 2], last[WORD_BYTES_MAX + 1 + sizeof last_character];
    if (!is_asked(wanted))
        return DONE;
    struct filter *filter = add_filter(self, "rule", "rule");
    text_format(first, sizeof first, "%s ", wanted);
    text_format(last, sizeof last, "%s %s", wanted, last_character);
    TRY(filter_range(self, filter, FIELD_RULE, wanted, wanted));
    return filter_range(self, filter, FIELD_RULE, first, last);
}

static fault filter_service(struct query *self, const char *wanted)
{
    char last[ID_TEXT_BYTES_MAX + 1 + sizeof last_character];
    if (!is_asked(wanted))
        return DONE;
    text_format(last, sizeof last, "%s%s", wanted, last_character);
    return filter_range(self, add_filter(self, "service", "service"), FIELD_SERVICE, wanted, last);
}

/* "request response" is taken by request and by response. */
static bool takes_kind(const char *wanted, struct span word)
{
    size_t length = strlen(wanted);
    if (word.size < length)
        return false;
    bool begins =
        memcmp(word.at, wanted, length) == 0 && (word.size == length || word.at[length] == ' ');
    bool ends = memcmp(word.at + word.size - length, wanted, length) == 0 &&
                (word.size == length || word.at[word.size - length - 1] == ' ');
    return begins || ends;
}

/* ok: it was answered. refused: somebody said no, by a rule or for what was asked. failed: the rest
 * of what has ended. */
static const char *outcome_group(struct span word)
{
    uint64_t status = 0;
    char name[FAULT_NAME_ROOM];
    enum fault_code code;
    if (span_is_text(word, INDEX_OUTCOME_OPEN))
        return INDEX_OUTCOME_OPEN;
    if (span_is_text(word, INDEX_OUTCOME_ANSWERED))
        return "ok";
    if (!failed(text_number(word, UINT32_MAX, &status)))
        return status < 400 ? "ok" : status < 500 ? "refused" : "failed";
    if (text_format(name, sizeof name, "%.*s", (int)word.size, (const char *)word.at) &&
        fault_named(name, &code) && fault_blame(code) == BLAME_CALLER)
        return "refused";
    return "failed"; /* as is a fault that a later version knows */
}

static bool takes_outcome(const char *wanted, struct span word)
{
    return span_is_text(word, wanted) || strcmp(outcome_group(word), wanted) == 0;
}

/* How many rows, up to PROBE_ROWS: a case may be one person's, or "none" in each row. */
static fault probe(struct query *self, struct filter *filter, const char *sql, bool text)
{
    OWNED(statement) ask = NULL;
    bool row = false;
    TRY(statement_new(self->database, sql, &ask));
    if (text)
        statement_put_text(ask, 1, filter->text);
    else
        statement_put_bytes(ask, 1, filter->bytes);
    statement_put_number(ask, 2, PROBE_ROWS);
    TRY(statement_step(ask, &row));
    filter->rows = row ? (uint64_t)statement_number(ask, 0) : 0;
    return DONE;
}

static fault filter_values(struct query *self)
{
    const struct search_arguments *arguments = self->arguments;
    if (arguments->case_ref != NULL) {
        struct filter *filter = add_filter(self, "case", "case_ref");
        filter->text = span_of_text(arguments->case_ref);
        TRY(probe(self, filter,
                  "SELECT count(*) FROM (SELECT 1 FROM record WHERE case_ref = ? LIMIT ?)", true));
    }
    if (arguments->subject_bytes > 0) {
        struct filter *filter = add_filter(self, "subject", "subject");
        filter->bytes = span_of(arguments->subject, arguments->subject_bytes);
        TRY(probe(self, filter,
                  "SELECT count(*) FROM (SELECT 1 FROM record WHERE subject = ? LIMIT ?)", false));
    }
    return DONE;
}

/* Digits that are not given may be all from 0 to f. */
static void filter_exchange(struct query *self)
{
    char first[2 * EXCHANGE_ID_BYTES + 1], last[2 * EXCHANGE_ID_BYTES + 1];
    size_t digits = strlen(self->arguments->exchange.digits);
    if (digits == 0)
        return;
    memset(first, '0', sizeof first);
    memset(last, 'f', sizeof last);
    memcpy(first, self->arguments->exchange.digits, digits);
    memcpy(last, self->arguments->exchange.digits, digits);
    ignore(text_unhex(span_of(first, 2 * EXCHANGE_ID_BYTES), self->exchange_first,
                      EXCHANGE_ID_BYTES)); /* they were read as digits */
    ignore(
        text_unhex(span_of(last, 2 * EXCHANGE_ID_BYTES), self->exchange_last, EXCHANGE_ID_BYTES));
    struct filter *filter = add_filter(self, "exchange", "exchange");
    filter->bytes = span_of(self->exchange_first, EXCHANGE_ID_BYTES);
    filter->bytes_last = span_of(self->exchange_last, EXCHANGE_ID_BYTES);
    filter->rows = 1;
}

static fault make_filters(struct query *self)
{
    const struct search_arguments *arguments = self->arguments;
    TRY(filter_word(self, "peer", "peer", NULL, FIELD_SERVER, arguments->peer));
    TRY(filter_word(self, "member", "caller_member", "provider_member", FIELD_MEMBER,
                    arguments->member));
    TRY(filter_service(self, arguments->service));
    TRY(filter_word(self, "purpose", "purpose", NULL, FIELD_PURPOSE, arguments->purpose));
    TRY(filter_rule(self, arguments->rule));
    TRY(filter_few(self, "outcome", "outcome", FIELD_OUTCOME, arguments->outcome, takes_outcome));
    TRY(filter_few(self, "kind", "kind", FIELD_KIND, arguments->kind, takes_kind));
    TRY(filter_values(self));
    filter_exchange(self);
    for (size_t i = 0; i < self->filters; i++)
        if (self->filter[i].rows == 0)
            self->unknown = self->filter[i].name;
    return DONE;
}

static struct filter *leading(struct query *self)
{
    struct filter *best = NULL;
    for (size_t i = 0; i < self->filters; i++)
        if (best == NULL || self->filter[i].rows < best->rows)
            best = &self->filter[i];
    return best;
}

// --- SQL ----------------------------------------------------------------------------------------

/* The values of a statement in the order of their question marks. */
struct value {
    enum { NUMBER, TEXT, BYTES } kind;
    int64_t number;
    struct span span;
};

struct sql {
    struct bytes *text;
    struct value *value;
    size_t values;
};

static void say(struct sql *self, const char *piece)
{
    if (failed(bytes_append_text(self->text, piece)))
        abort(); /* out of memory, for a line of SQL */
}

static void put(struct sql *self, struct value value)
{
    self->value = owned_grow(self->value, self->values + 1, sizeof *self->value);
    self->value[self->values++] = value;
}

static void say_number(struct sql *self, int64_t number)
{
    say(self, "?");
    put(self, (struct value){.kind = NUMBER, .number = number});
}

/* column = ?, column IN (?, ...) or column BETWEEN ? AND ?; of the words `count` from `first`.
 * `led`: by the column's index; otherwise a + keeps SQLite from thinking of one. */
static void say_column(struct sql *self, const struct filter *filter, const char *column,
                       size_t first, size_t count, bool led)
{
    say(self, led ? "" : "+");
    say(self, column);
    if (filter->text.at != NULL) {
        say(self, " = ?");
        put(self, (struct value){.kind = TEXT, .span = filter->text});
    } else if (filter->bytes_last.at != NULL) {
        say(self, " BETWEEN ? AND ?");
        put(self, (struct value){.kind = BYTES, .span = filter->bytes});
        put(self, (struct value){.kind = BYTES, .span = filter->bytes_last});
    } else if (filter->bytes.at != NULL) {
        say(self, " = ?");
        put(self, (struct value){.kind = BYTES, .span = filter->bytes});
    } else {
        say(self, count == 1 ? " = " : " IN (");
        for (size_t i = 0; i < count; i++) {
            say(self, i > 0 ? ", " : "");
            say_number(self, filter->word[first + i]);
        }
        say(self, count == 1 ? "" : ")");
    }
}

static void say_filter(struct sql *self, const struct filter *filter)
{
    say(self, " AND (");
    say_column(self, filter, filter->column, 0, filter->words, false);
    if (filter->or_column != NULL) {
        say(self, " OR ");
        say_column(self, filter, filter->or_column, 0, filter->words, false);
    }
    say(self, ")");
}

static void say_times(struct sql *self, const struct search_arguments *arguments)
{
    int64_t first = index_key_of_time(arguments->from_ms);
    int64_t last = index_key_of_time(arguments->until_ms + 1) - 1;
    if (arguments->after != 0 && arguments->oldest && arguments->after >= first)
        first = arguments->after + 1;
    if (arguments->after != 0 && !arguments->oldest && arguments->after <= last)
        last = arguments->after - 1;
    say(self, "key BETWEEN ");
    say_number(self, first);
    say(self, " AND ");
    say_number(self, last);
}

static void say_others(struct sql *self, const struct query *query, const struct filter *lead)
{
    for (size_t i = 0; i < query->filters; i++)
        if (&query->filter[i] != lead)
            say_filter(self, &query->filter[i]);
}

/* The keys of one way through an index, in order. */
static void say_walk(struct sql *self, const struct query *query, const struct filter *lead,
                     const char *column, size_t first, size_t count)
{
    say(self, "SELECT key FROM record INDEXED BY by_");
    say(self, column);
    say(self, " WHERE ");
    say_column(self, lead, column, first, count, true);
    if (column == lead->or_column) { /* what the other way has shown already */
        say(self, " AND +");
        say(self, lead->column);
        say(self, " IS NOT ");
        say_number(self, lead->word[first]);
    }
    say(self, " AND ");
    say_times(self, query->arguments);
    say_others(self, query, lead);
}

/* A way for each value: SQLite merges them, and takes no more of each than the page needs. */
static void say_merged(struct sql *self, const struct query *query, const struct filter *lead)
{
    size_t ways = lead->words == 0 ? 1 : lead->words;
    for (size_t i = 0; i < ways; i++) {
        say(self, i > 0 ? " UNION ALL " : "");
        say_walk(self, query, lead, lead->column, i, 1);
        if (lead->or_column == NULL)
            continue;
        say(self, " UNION ALL ");
        say_walk(self, query, lead, lead->or_column, i, 1);
    }
}

/* So many values that their rows are either few, and gathered, or found soon by looking at all. */
static fault say_many(struct sql *self, const struct query *query, const struct filter *lead)
{
    OWNED(statement) ask = NULL;
    bool row = false;
    TRY(statement_new(query->database, "SELECT sum(rows) FROM word WHERE field = ?", &ask));
    statement_put_number(ask, 1, FIELD_KIND);
    TRY(statement_step(ask, &row));
    double all = row ? (double)statement_number(ask, 0) : 0, some = (double)lead->rows;
    if (some < GATHER_ROWS_LEAST || some * some < all * (double)query->arguments->limit) {
        say_walk(self, query, lead, lead->column, 0, lead->words);
        return DONE;
    }
    say(self, "SELECT key FROM record NOT INDEXED WHERE ");
    say_times(self, query->arguments);
    say_others(self, query, NULL);
    return DONE;
}

static fault say_keys(struct sql *self, struct query *query)
{
    const struct filter *lead = leading(query);
    if (lead != NULL && lead->words > MERGED_MAX)
        return say_many(self, query, lead);
    if (lead != NULL) {
        say_merged(self, query, lead);
        return DONE;
    }
    say(self, "SELECT key FROM record NOT INDEXED WHERE ");
    say_times(self, query->arguments);
    return DONE;
}

#define WORD_OF(column) ", (SELECT text FROM word WHERE id = r." column ")"

static fault say_all(struct sql *self, struct query *query)
{
    const char *order = query->arguments->oldest ? "ASC" : "DESC";
    say(self, "SELECT r.key, r.entry, r.answer_entry, r.latency_ms, r.payload_bytes,"
              " r.answer_bytes, r.exchange, r.case_ref, r.subject, r.withheld" WORD_OF("kind")
                  WORD_OF("peer") WORD_OF("sender") WORD_OF("caller_member") WORD_OF("receiver")
                      WORD_OF("provider_member") WORD_OF("service") WORD_OF("purpose")
                          WORD_OF("procedure") WORD_OF("outcome") WORD_OF("rule") " FROM (");
    TRY(say_keys(self, query));
    say(self, " ORDER BY key ");
    say(self, order);
    say(self, " LIMIT ");
    say_number(self, (int64_t)query->arguments->limit + 1); /* is there more? */
    say(self, ") AS page CROSS JOIN record AS r ON r.key = page.key ORDER BY r.key ");
    say(self, order);
    return bytes_append(self->text, span_of("", 1));
}

static fault prepare(struct sql *self, struct database *database, struct statement **out)
{
    OWNED(statement) made = NULL;
    TRY(statement_new(database, (const char *)self->text->data, &made));
    for (size_t i = 0; i < self->values; i++) {
        const struct value *value = &self->value[i];
        if (value->kind == NUMBER)
            statement_put_number(made, (int)i + 1, value->number);
        else if (value->kind == TEXT)
            statement_put_text(made, (int)i + 1, value->span);
        else
            statement_put_bytes(made, (int)i + 1, value->span);
    }
    *out = TAKE(made);
    return DONE;
}

// --- rows ---------------------------------------------------------------------------------------

static int64_t number_at(const struct statement *from, int column)
{
    return statement_is_null(from, column) ? SEARCH_NOTHING : statement_number(from, column);
}

static void read_row(const struct statement *from, struct search_row *out)
{
    *out = (struct search_row){
        .key = statement_number(from, 0),
        .entry = statement_number(from, 1),
        .answer_entry = number_at(from, 2),
        .latency_ms = number_at(from, 3),
        .payload_bytes = number_at(from, 4),
        .answer_bytes = number_at(from, 5),
        .exchange = statement_bytes(from, 6),
        .case_ref = statement_bytes(from, 7),
        .subject = statement_bytes(from, 8),
        .withheld = statement_bytes(from, 9),
        .kind = statement_bytes(from, 10),
        .peer = statement_bytes(from, 11),
        .sender = statement_bytes(from, 12),
        .caller_member = statement_bytes(from, 13),
        .receiver = statement_bytes(from, 14),
        .provider_member = statement_bytes(from, 15),
        .service = statement_bytes(from, 16),
        .purpose = statement_bytes(from, 17),
        .procedure = statement_bytes(from, 18),
        .outcome = statement_bytes(from, 19),
        .rule = statement_bytes(from, 20),
    };
}

static fault read_rows(struct statement *ask, uint64_t limit, search_visit *visit, void *owner,
                       struct search_page *out)
{
    bool row = false;
    for (;;) {
        struct search_row found;
        TRY(statement_step(ask, &row));
        if (!row)
            return DONE;
        if (out->rows == limit) {
            out->more = true;
            return DONE;
        }
        read_row(ask, &found);
        visit(owner, &found);
        out->rows++;
        out->last_key = found.key;
    }
}

static fault run(struct query *query, search_visit *visit, void *owner, struct search_page *out)
{
    struct sql sql = {.text = bytes_empty(4096)};
    OWNED(statement) ask = NULL;
    fault f = say_all(&sql, query);
    if (!failed(f))
        f = prepare(&sql, query->database, &ask);
    if (!failed(f))
        f = read_rows(ask, query->arguments->limit, visit, owner, out);
    bytes_free(&sql.text);
    free(sql.value);
    return f;
}

fault search_query_run(struct database *database, const struct search_arguments *arguments,
                       search_visit *visit, void *owner, struct search_page *out)
{
    struct query query = {.database = database, .arguments = arguments};
    *out = (struct search_page){0};
    fault f = make_filters(&query);
    out->unknown = query.unknown;
    if (!failed(f) && query.unknown == NULL)
        f = run(&query, visit, owner, out);
    for (size_t i = 0; i < query.filters; i++)
        free(query.filter[i].word);
    return f;
}
