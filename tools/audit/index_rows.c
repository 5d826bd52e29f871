// SPDX-License-Identifier: MIT
#include "tools/audit/index_rows.h"

#include "lib/base/map.h"
#include "lib/base/text.h"
#include "tools/audit/withheld_text.h"

#include <inttypes.h>
#include <stdlib.h>

#define WORDS_KEPT_MAX 200000 /* a log may hold a new word in each entry */

fault index_rows_make_tables(struct database *database)
{
    return database_run(
        database,
        "CREATE TABLE state(entries INTEGER NOT NULL, last_leaf_hash BLOB NOT NULL,"
        " last_ms INTEGER NOT NULL, server INTEGER NOT NULL, first INTEGER NOT NULL);"
        "INSERT INTO state VALUES(0, zeroblob(32), 0, 0, 0);"
        "CREATE TABLE word(id INTEGER PRIMARY KEY, field INTEGER NOT NULL, text TEXT NOT NULL,"
        " rows INTEGER NOT NULL, UNIQUE(field, text));"
        "CREATE TABLE record(key INTEGER PRIMARY KEY, entry INTEGER NOT NULL, answer_entry INTEGER,"
        " kind INTEGER NOT NULL, peer INTEGER, sender INTEGER, caller_member INTEGER,"
        " receiver INTEGER, provider_member INTEGER, service INTEGER, exchange BLOB,"
        " purpose INTEGER, procedure INTEGER, case_ref TEXT, subject BLOB, outcome INTEGER,"
        " rule INTEGER, latency_ms INTEGER, payload_bytes INTEGER, answer_bytes INTEGER,"
        " withheld TEXT);"
        /* Requests without an outcome so far: few, so that finding one costs nothing. A server's
         * exchange with itself stands in its log twice, from either side. */
        "CREATE TABLE open(leaf_hash BLOB NOT NULL, key INTEGER NOT NULL,"
        " exchange BLOB NOT NULL, server INTEGER, rule INTEGER,"
        " PRIMARY KEY(leaf_hash, key)) WITHOUT ROWID;"
        "CREATE INDEX open_by_exchange ON open(exchange);");
}

fault index_rows_make_indices(struct database *database)
{
    return database_run(database,
                        "CREATE INDEX by_kind ON record(kind);"
                        "CREATE INDEX by_peer ON record(peer);"
                        "CREATE INDEX by_caller_member ON record(caller_member);"
                        "CREATE INDEX by_provider_member ON record(provider_member);"
                        "CREATE INDEX by_service ON record(service);"
                        "CREATE INDEX by_purpose ON record(purpose);"
                        "CREATE INDEX by_outcome ON record(outcome);"
                        "CREATE INDEX by_rule ON record(rule);"
                        "CREATE INDEX by_exchange ON record(exchange);"
                        "CREATE INDEX by_case_ref ON record(case_ref) WHERE case_ref IS NOT NULL;"
                        "CREATE INDEX by_subject ON record(subject) WHERE subject IS NOT NULL;");
}

fault index_state_read(struct database *database, struct index_state *out)
{
    OWNED(statement) ask = NULL;
    bool row = false;
    TRY(statement_new(database, "SELECT entries, last_leaf_hash, last_ms, server, first FROM state",
                      &ask));
    TRY(statement_step(ask, &row));
    struct span hash = row ? statement_bytes(ask, 1) : (struct span){0};
    if (hash.size != SHA256_BYTES || statement_number(ask, 0) < 0)
        return RAISE(BAD_TABLE, "the index does not say how far it has come");
    *out = (struct index_state){.entries = (uint64_t)statement_number(ask, 0),
                                .last_ms = statement_number(ask, 2),
                                .server = statement_number(ask, 3),
                                .first = (uint64_t)statement_number(ask, 4)};
    memcpy(out->last_leaf_hash.at, hash.at, SHA256_BYTES);
    return DONE;
}

// --- words --------------------------------------------------------------------------------------

struct word {
    int64_t id;
    int64_t more; /* rows since the last flush */
};

struct index_rows {
    struct database *database;
    struct index_state state;
    struct map words; /* field and text -> struct word */
    struct statement *find_word, *add_word, *count_word;
    struct statement *add, *top_key, *find_open, *find_open_exchange, *add_open, *drop_open;
    struct statement *join, *keep_state;
};

static void forget_words(struct index_rows *self)
{
    size_t step = 0;
    for (struct word *word; (word = map_next(&self->words, &step, NULL)) != NULL;)
        free(word);
    map_clear(&self->words);
}

static fault look_up(struct index_rows *self, enum index_field field, struct span text, int64_t *id)
{
    bool row = false;
    statement_put_number(self->find_word, 1, field);
    statement_put_text(self->find_word, 2, text);
    fault f = statement_step(self->find_word, &row);
    if (!failed(f) && row)
        *id = statement_number(self->find_word, 0);
    statement_reset(self->find_word);
    TRY(f);
    if (row)
        return DONE;
    statement_put_number(self->add_word, 1, field);
    statement_put_text(self->add_word, 2, text);
    f = statement_step(self->add_word, &row);
    if (!failed(f) && row)
        *id = statement_number(self->add_word, 0);
    statement_reset(self->add_word);
    return f;
}

/* The word's number in *id; 0 for no text. It counts as used by `more` rows more. */
static fault word_of(struct index_rows *self, enum index_field field, struct span text,
                     int64_t more, int64_t *id)
{
    char key[1 + ID_TEXT_BYTES_MAX];
    *id = 0;
    if (text.size == 0)
        return DONE;
    if (text.size >= sizeof key)
        return RAISE(BAD_REQUEST, "a word of %zu bytes", text.size);
    key[0] = (char)field;
    memcpy(key + 1, text.at, text.size);
    struct span found_by = span_of(key, 1 + text.size);
    struct word *word = map_get(&self->words, found_by);
    if (word == NULL) {
        TRY(look_up(self, field, text, id));
        word = owned_new(sizeof *word);
        word->id = *id;
        map_set(&self->words, found_by, word);
    }
    word->more += more;
    *id = word->id;
    return DONE;
}

static fault write_counts(struct index_rows *self)
{
    size_t step = 0;
    for (struct word *word; (word = map_next(&self->words, &step, NULL)) != NULL;) {
        if (word->more == 0)
            continue;
        statement_put_number(self->count_word, 1, word->id);
        statement_put_number(self->count_word, 2, word->more);
        TRY(statement_done(self->count_word));
        word->more = 0;
    }
    if (self->words.count > WORDS_KEPT_MAX)
        forget_words(self);
    return DONE;
}

// --- a row --------------------------------------------------------------------------------------

enum place { /* of the values of a row, as INSERT binds them */
             P_KEY = 1,
             P_ENTRY,
             P_KIND,
             P_PEER,
             P_SENDER,
             P_CALLER_MEMBER,
             P_RECEIVER,
             P_PROVIDER_MEMBER,
             P_SERVICE,
             P_EXCHANGE,
             P_PURPOSE,
             P_PROCEDURE,
             P_CASE_REF,
             P_SUBJECT,
             P_OUTCOME,
             P_RULE,
             P_PAYLOAD_BYTES,
             P_WITHHELD,
             P_LAST = P_WITHHELD
};

static fault put_word(struct index_rows *self, enum place place, enum index_field field,
                      struct span text)
{
    int64_t id = 0;
    TRY(word_of(self, field, text, 1, &id));
    if (id == 0)
        statement_put_null(self->add, place);
    else
        statement_put_number(self->add, place, id);
    return DONE;
}

static void put_text(struct index_rows *self, enum place place, struct span text)
{
    if (text.size == 0)
        statement_put_null(self->add, place);
    else
        statement_put_text(self->add, place, text);
}

/* Numbers that make no sense share a word: strangers choose them, and there must not be many. */
static struct span outcome_of(const struct header *header, char out[32])
{
    bool fits = false;
    if (header->kind == HEADER_REQUEST)
        return span_of_text(INDEX_OUTCOME_OPEN);
    if (header->kind == HEADER_RESPONSE) {
        fits = header->status >= 100 && header->status <= 999;
        text_format(out, 32, "%" PRIu32, header->status);
        return span_of_text(fits ? out : INDEX_OUTCOME_ANSWERED);
    }
    if (header->kind != HEADER_FAULT)
        return (struct span){0};
    if (fault_known(header->fault))
        return span_of_text(fault_name((enum fault_code)header->fault));
    fits = header->fault <= 999;
    text_format(out, 32, "FAULT_%" PRIu32, header->fault);
    return span_of_text(fits ? out : "FAULT_OTHER");
}

/* The other server, when we know which is ours. */
static fault put_peer(struct index_rows *self, const struct header *header)
{
    int64_t sender = 0;
    TRY(word_of(self, FIELD_SERVER, header->sender_server, 0, &sender));
    if (self->state.server == 0 && header->kind >= HEADER_STARTED)
        self->state.server = sender;
    if (header->kind >= HEADER_STARTED || self->state.server == 0) {
        statement_put_null(self->add, P_PEER);
        return DONE;
    }
    return put_word(self, P_PEER, FIELD_SERVER,
                    sender == self->state.server ? header->receiver_server : header->sender_server);
}

/* Who asked whom, whichever of the two speaks in this entry: an outcome that has a row of its own
 * is spoken by the provider, or by the caller's own server when nothing was sent. */
static fault put_members(struct index_rows *self, const struct header *header)
{
    bool outcome = header->kind == HEADER_RESPONSE || header->kind == HEADER_FAULT;
    struct span caller = outcome ? header->receiver : header->sender;
    struct span provider = outcome ? header->sender : header->receiver;
    if (header->service.size > 0)
        provider = header->service;
    TRY(put_word(self, P_CALLER_MEMBER, FIELD_MEMBER, bus_id_prefix(caller, ID_MEMBER)));
    return put_word(self, P_PROVIDER_MEMBER, FIELD_MEMBER, bus_id_prefix(provider, ID_MEMBER));
}

static fault put_header(struct index_rows *self, const struct header *header)
{
    char text[32];
    TRY(put_word(self, P_KIND, FIELD_KIND, span_of_text(header_kind_word(header->kind))));
    TRY(put_peer(self, header));
    TRY(put_word(self, P_SENDER, FIELD_SUBSYSTEM, header->sender));
    TRY(put_word(self, P_RECEIVER, FIELD_SUBSYSTEM, header->receiver));
    TRY(put_members(self, header));
    TRY(put_word(self, P_SERVICE, FIELD_SERVICE, header->service));
    statement_put_bytes(self->add, P_EXCHANGE, span_of(header->exchange_id, EXCHANGE_ID_BYTES));
    TRY(put_word(self, P_PURPOSE, FIELD_PURPOSE, header->purpose));
    TRY(put_word(self, P_PROCEDURE, FIELD_PROCEDURE, header->procedure));
    put_text(self, P_CASE_REF, header->case_ref);
    if (header->subject.size > 0)
        statement_put_bytes(self->add, P_SUBJECT, header->subject);
    else
        statement_put_null(self->add, P_SUBJECT);
    TRY(put_word(self, P_OUTCOME, FIELD_OUTCOME, outcome_of(header, text)));
    TRY(put_word(self, P_RULE, FIELD_RULE, header->rule));
    statement_put_number(self->add, P_PAYLOAD_BYTES, (int64_t)header->payload_bytes);
    return DONE;
}

/* The next free key of a millisecond whose own place is taken: an honest log comes here hardly
 * ever, and one that puts two million entries into a millisecond spills into the next. */
static fault free_key(struct index_rows *self, int64_t taken, int64_t *out)
{
    int64_t end = index_key_of_time(index_key_time_ms(taken) + 1);
    for (;; end += index_key_of_time(1)) {
        bool row = false;
        statement_put_number(self->top_key, 1, end);
        fault f = statement_step(self->top_key, &row);
        int64_t top = row ? statement_number(self->top_key, 0) : 0;
        statement_reset(self->top_key);
        TRY(f);
        if (top + 1 < end) {
            int64_t first = end - index_key_of_time(1);
            *out = top < first ? first : top + 1;
            return DONE;
        }
    }
}

/* Inserts what is bound, at the time's place. */
static fault insert(struct index_rows *self, uint64_t index, int64_t time_ms, int64_t *key)
{
    int64_t low = (int64_t)(index & ((UINT64_C(1) << INDEX_KEY_BITS) - 1));
    *key = index_key_of_time(time_ms) | low;
    statement_put_number(self->add, P_KEY, *key);
    statement_put_number(self->add, P_ENTRY, (int64_t)index);
    TRY(statement_done(self->add));
    if (database_changed(self->database) > 0)
        return DONE;
    TRY(free_key(self, *key, key));
    statement_put_number(self->add, P_KEY, *key);
    return statement_done(self->add);
}

static fault add_unreadable(struct index_rows *self, uint64_t index)
{
    int64_t key = 0;
    for (int place = P_PEER; place <= P_LAST; place++)
        statement_put_null(self->add, place);
    TRY(put_word(self, P_KIND, FIELD_KIND, span_of_text(INDEX_KIND_UNREADABLE)));
    return insert(self, index, self->state.last_ms, &key);
}

static fault add_row(struct index_rows *self, const struct index_entry *entry)
{
    int64_t key = 0, server = 0, rule = 0;
    const struct header *header = entry->header;
    OWNED(bytes) withheld = withheld_text(header->withheld);
    TRY(put_header(self, header));
    put_text(self, P_WITHHELD, bytes_span(withheld));
    TRY(insert(self, entry->index, header->time_ms, &key));
    if (header->kind != HEADER_REQUEST)
        return DONE;
    TRY(word_of(self, FIELD_SERVER, header->sender_server, 0, &server));
    statement_put_bytes(self->add_open, 1, sha256_span(entry->leaf_hash));
    statement_put_number(self->add_open, 2, key);
    statement_put_bytes(self->add_open, 3, span_of(header->exchange_id, EXCHANGE_ID_BYTES));
    statement_put_number(self->add_open, 4, server);
    TRY(word_of(self, FIELD_RULE, header->rule, 0, &rule));
    statement_put_number(self->add_open, 5, rule);
    return statement_done(self->add_open);
}

// --- an outcome ---------------------------------------------------------------------------------

struct request { /* that has no outcome yet */
    int64_t key; /* 0: there is none */
    int64_t rule;
    struct sha256 leaf_hash;
};

static fault find_request(struct index_rows *self, const struct header *header, struct request *out)
{
    bool row = false;
    int64_t server = 0;
    struct statement *find = header->has_reply_to ? self->find_open : self->find_open_exchange;
    if (header->has_reply_to) {
        statement_put_bytes(find, 1, sha256_span(&header->reply_to));
    } else { /* who could not verify a request cannot name its leaf */
        TRY(word_of(self, FIELD_SERVER, header->receiver_server, 0, &server));
        statement_put_bytes(find, 1, span_of(header->exchange_id, EXCHANGE_ID_BYTES));
        statement_put_number(find, 2, server);
    }
    fault f = statement_step(find, &row);
    struct span hash = !failed(f) && row ? statement_bytes(find, 2) : (struct span){0};
    if (hash.size == SHA256_BYTES) {
        *out =
            (struct request){.key = statement_number(find, 0), .rule = statement_number(find, 1)};
        memcpy(out->leaf_hash.at, hash.at, SHA256_BYTES);
    }
    statement_reset(find);
    return f;
}

static fault count_as(struct index_rows *self, enum index_field field, const char *before,
                      struct span after, int64_t *id)
{
    int64_t old = 0;
    TRY(word_of(self, field, span_of_text(before), -1, &old));
    return word_of(self, field, after, 1, id);
}

/* The outcome's rule goes before the one that the request named; mostly they are one. */
static fault choose_rule(struct index_rows *self, const struct request *request, struct span rule,
                         int64_t *id)
{
    TRY(word_of(self, FIELD_RULE, rule, 0, id));
    if (*id == 0)
        *id = request->rule;
    if (*id == request->rule)
        return DONE;
    TRY(word_of(self, FIELD_RULE, rule, 1, id));
    statement_put_number(self->count_word, 1, request->rule);
    statement_put_number(self->count_word, 2, -1);
    return request->rule == 0 ? DONE : statement_done(self->count_word);
}

static fault join(struct index_rows *self, const struct index_entry *entry,
                  const struct request *request)
{
    const struct header *header = entry->header;
    char text[32];
    int64_t kind = 0, outcome = 0, rule = 0;
    bool response = header->kind == HEADER_RESPONSE;
    TRY(count_as(self, FIELD_KIND, "request",
                 span_of_text(response ? "request response" : "request fault"), &kind));
    TRY(count_as(self, FIELD_OUTCOME, INDEX_OUTCOME_OPEN, outcome_of(header, text), &outcome));
    TRY(choose_rule(self, request, header->rule, &rule));
    statement_put_number(self->join, 1, (int64_t)entry->index);
    statement_put_number(self->join, 2, kind);
    statement_put_number(self->join, 3, outcome);
    if (rule == 0)
        statement_put_null(self->join, 4);
    else
        statement_put_number(self->join, 4, rule);
    statement_put_number(self->join, 5, header->time_ms - index_key_time_ms(request->key));
    statement_put_number(self->join, 6, (int64_t)header->payload_bytes);
    statement_put_number(self->join, 7, request->key);
    OWNED(bytes) withheld = withheld_text(header->withheld);
    if (withheld->size == 0)
        statement_put_null(self->join, 8);
    else
        statement_put_text(self->join, 8, bytes_span(withheld));
    TRY(statement_done(self->join));
    statement_put_bytes(self->drop_open, 1, sha256_span(&request->leaf_hash));
    statement_put_number(self->drop_open, 2, request->key);
    return statement_done(self->drop_open);
}

static bool may_answer(const struct header *header)
{
    return header != NULL && ((header->kind == HEADER_RESPONSE && header->has_reply_to) ||
                              header->kind == HEADER_FAULT);
}

fault index_rows_add(struct index_rows *self, const struct index_entry *entry)
{
    struct request request = {0};
    if (may_answer(entry->header))
        TRY(find_request(self, entry->header, &request));
    if (entry->header == NULL)
        TRY(add_unreadable(self, entry->index));
    else if (request.key != 0)
        TRY(join(self, entry, &request));
    else
        TRY(add_row(self, entry));
    if (entry->header != NULL)
        self->state.last_ms = entry->header->time_ms;
    if (self->state.entries == 0)
        self->state.first = entry->index;
    self->state.entries = entry->index + 1;
    self->state.last_leaf_hash = *entry->leaf_hash;
    return DONE;
}

// --- begin and end ------------------------------------------------------------------------------

static fault prepare(struct index_rows *self)
{
    const struct {
        struct statement **out;
        const char *sql;
    } all[] = {
        {&self->find_word, "SELECT id FROM word WHERE field = ? AND text = ?"},
        {&self->add_word, "INSERT INTO word(field, text, rows) VALUES(?, ?, 0) RETURNING id"},
        {&self->count_word, "UPDATE word SET rows = rows + ?2 WHERE id = ?1"},
        {&self->add, "INSERT OR IGNORE INTO record(key, entry, kind, peer, sender, caller_member,"
                     " receiver, provider_member, service, exchange, purpose, procedure, case_ref,"
                     " subject, outcome, rule, payload_bytes, withheld)"
                     " VALUES(?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"},
        {&self->top_key, "SELECT key FROM record WHERE key < ? ORDER BY key DESC LIMIT 1"},
        {&self->find_open,
         "SELECT key, rule, leaf_hash FROM open WHERE leaf_hash = ? ORDER BY key LIMIT 1"},
        {&self->find_open_exchange, "SELECT key, rule, leaf_hash FROM open WHERE exchange = ? AND "
                                    "server = ? ORDER BY key LIMIT 1"},
        {&self->add_open, "INSERT INTO open VALUES(?, ?, ?, ?, ?)"},
        {&self->drop_open, "DELETE FROM open WHERE leaf_hash = ? AND key = ?"},
        {&self->join, "UPDATE record SET answer_entry = ?1, kind = ?2, outcome = ?3,"
                      " rule = ?4, latency_ms = ?5, answer_bytes = ?6,"
                      " withheld = ?8 WHERE key = ?7"},
        {&self->keep_state,
         "UPDATE state SET entries = ?, last_leaf_hash = ?, last_ms = ?, server = ?, first = ?"},
    };
    for (size_t i = 0; i < sizeof all / sizeof all[0]; i++)
        TRY(statement_new(self->database, all[i].sql, all[i].out));
    return DONE;
}

fault index_rows_new(struct database *database, struct index_rows **out)
{
    OWNED(index_rows) self = owned_new(sizeof *self);
    self->database = database;
    TRY(index_state_read(database, &self->state));
    TRY(prepare(self));
    *out = TAKE(self);
    return DONE;
}

void index_rows_free(struct index_rows **self)
{
    if (*self == NULL)
        return;
    struct index_rows *old = *self;
    struct statement **all[] = {
        &old->find_word, &old->add_word,  &old->count_word,         &old->add,
        &old->top_key,   &old->find_open, &old->find_open_exchange, &old->add_open,
        &old->drop_open, &old->join,      &old->keep_state};
    for (size_t i = 0; i < sizeof all / sizeof all[0]; i++)
        statement_free(all[i]);
    forget_words(old);
    free(old);
    *self = NULL;
}

fault index_rows_flush(struct index_rows *self)
{
    TRY(write_counts(self));
    statement_put_number(self->keep_state, 1, (int64_t)self->state.entries);
    statement_put_bytes(self->keep_state, 2, sha256_span(&self->state.last_leaf_hash));
    statement_put_number(self->keep_state, 3, self->state.last_ms);
    statement_put_number(self->keep_state, 4, self->state.server);
    statement_put_number(self->keep_state, 5, (int64_t)self->state.first);
    return statement_done(self->keep_state);
}

uint64_t index_rows_entries(const struct index_rows *self)
{
    return self->state.entries;
}
