// SPDX-License-Identifier: MIT
#include "security-server/clerk/lookup.h"

#include "lib/base/clock.h"
#include "lib/base/text.h"
#include "lib/bus/audit_log.h"
#include "lib/bus/bus_id.h"
#include "lib/bus/limits.h"
#include "lib/bus/pruned.h"

#include "rest.pb-c.h"

#include <inttypes.h>
#include <stdlib.h>

#define PATH_BYTES 512
#define WINDOW 20000 /* entries that are walked over forwards, before the ones before them */
#define STEP 2000
#define STEP_OPENED 100 /* entries in a step that opens payloads */
#define UUID_TEXT_BYTES 36
#define OUTCOME_MS_MAX (DEADLINE_MS_MAX + 300000) /* an outcome comes within this, or never */

/* EXACT: by the exchange's id. OPENING: by what stands in payloads. OUTCOMES: of those found. */
enum phase { EXACT, OPENING, OUTCOMES, OVER };

struct lookup {
    const char *client, *message_id;
    struct key_ring *keys;
    char wal[PATH_BYTES], payloads[PATH_BYTES];
    char *server; /* whose log it is */
    bool closed;  /* a later epoch follows */
    enum phase phase;
    bool has_exchange_id;
    uint8_t exchange_id[EXCHANGE_ID_BYTES];
    uint64_t floor;       /* entries before it were pruned */
    uint64_t end;         /* of the log, for us */
    uint64_t first, next; /* of the window */
    uint64_t until;       /* its end */
    struct wal_reader *reader;
    int64_t begun_ms; /* steady */
    int64_t seen_ms;  /* time of the entry that was looked at last */
    size_t count, requests;
    struct record *record[RECORDS_FOUND_MAX];
};

/* "8-4-4-4-12" hex digits at the end, alone or behind a dash: what gateways make. */
static bool read_exchange_id(const char *id, uint8_t out[EXCHANGE_ID_BYTES])
{
    char hex[2 * EXCHANGE_ID_BYTES];
    size_t size = strlen(id), digits = 0;
    if (size < UUID_TEXT_BYTES || (size > UUID_TEXT_BYTES && id[size - UUID_TEXT_BYTES - 1] != '-'))
        return false;
    const char *at = id + size - UUID_TEXT_BYTES;
    for (size_t i = 0; i < UUID_TEXT_BYTES; i++) {
        bool dash = i == 8 || i == 13 || i == 18 || i == 23;
        if (dash != (at[i] == '-'))
            return false;
        if (!dash)
            hex[digits++] = at[i];
    }
    return !failed(text_unhex(span_of(hex, sizeof hex), out, EXCHANGE_ID_BYTES));
}

/* The last entries before `until`, as far as there are any. */
static void set_window(struct lookup *self, uint64_t until)
{
    self->until = until;
    self->first = until > self->floor + WINDOW ? until - WINDOW : self->floor;
    self->next = self->first;
}

static void begin_phase(struct lookup *self, enum phase phase)
{
    wal_reader_free(&self->reader);
    self->phase = phase;
    set_window(self, self->end);
}

fault lookup_new(const struct lookup_for *what, uint64_t until, struct lookup **out)
{
    OWNED(lookup) self = owned_new(sizeof *self);
    struct pruned pruned;
    TRY(pruned_read(what->view->folder, what->view->epoch, &pruned));
    self->floor = pruned.first;
    self->client = what->client;
    self->message_id = what->message_id;
    self->keys = what->keys;
    self->server = owned_text(what->view->server);
    self->closed = !what->view->newest;
    audit_log_path(what->view->folder, what->view->epoch, "wal", self->wal, sizeof self->wal);
    text_format(self->payloads, sizeof self->payloads, "%s", what->view->payloads);
    self->end = until;
    self->begun_ms = clock_steady_ms();
    self->has_exchange_id = read_exchange_id(what->message_id, self->exchange_id);
    begin_phase(self, self->has_exchange_id ? EXACT : OPENING);
    *out = TAKE(self);
    return DONE;
}

void lookup_free(struct lookup **self)
{
    if (*self == NULL)
        return;
    for (size_t i = 0; i < (*self)->count; i++)
        record_free(&(*self)->record[i]);
    wal_reader_free(&(*self)->reader);
    free((*self)->server);
    free(*self);
    *self = NULL;
}

size_t lookup_count(const struct lookup *self)
{
    return self->count;
}

struct record *lookup_record(struct lookup *self, size_t which)
{
    return self->record[which];
}

// --- is it one of them ---------------------------------------------------------------------------

/* Our client's end of an exchange: it asked through this server, or was asked through it. */
static bool is_of_client(const struct lookup *self, const struct header *header)
{
    return (span_is_text(header->sender, self->client) &&
            span_is_text(header->sender_server, self->server)) ||
           (span_is_text(header->receiver, self->client) &&
            span_is_text(header->receiver_server, self->server));
}

static bool has_message_id(struct span payload, const char *message_id)
{
    bool is_it = false;
    Chaski__RestRequest *request = chaski__rest_request__unpack(NULL, payload.size, payload.at);
    if (request == NULL)
        return false;
    for (size_t i = 0; i < request->n_header; i++) {
        const Chaski__Field *field = request->header[i];
        if (text_same_word(span_of_text(field->name), span_of_text("x-road-id")))
            is_it = span_is_text(span_of(field->value.data, field->value.len), message_id);
    }
    chaski__rest_request__free_unpacked(request, NULL);
    return is_it; /* by the last one, as everywhere */
}

/* A payload that is erased, or cannot be opened, is not found by what stood in it. */
static bool says_message_id(const struct lookup *self, const struct log_entry *entry)
{
    enum payload_state state;
    OWNED(bytes) blob = NULL;
    return entry->header->payload_bytes <= RECORD_PAYLOAD_BYTES_MAX &&
           !failed(payload_store_read(self->payloads, self->keys, entry->index, &entry->leaf_hash,
                                      &state, &blob)) &&
           state == PAYLOAD_HELD && blob->size > SALT_BYTES &&
           has_message_id(span_of(blob->data + SALT_BYTES, blob->size - SALT_BYTES),
                          self->message_id);
}

/* A server that asks itself holds the same leaf twice. */
static bool is_known(const struct lookup *self, const struct sha256 *leaf_hash)
{
    for (size_t i = 0; i < self->count; i++)
        if (sha256_equal(&self->record[i]->leaf_hash, leaf_hash))
            return true;
    return false;
}

static bool is_wanted_request(const struct lookup *self, const struct log_entry *entry)
{
    if (entry->header->kind != HEADER_REQUEST || !is_of_client(self, entry->header))
        return false;
    if (self->phase == OPENING)
        return says_message_id(self, entry);
    return memcmp(entry->header->exchange_id, self->exchange_id, EXCHANGE_ID_BYTES) == 0;
}

static bool is_wanted_outcome(const struct lookup *self, const struct log_entry *entry)
{
    const struct header *header = entry->header;
    if ((header->kind != HEADER_RESPONSE && header->kind != HEADER_FAULT) || !header->has_reply_to)
        return false;
    for (size_t i = 0; i < self->requests; i++)
        if (sha256_equal(&self->record[i]->leaf_hash, &header->reply_to))
            return true;
    return false;
}

static fault take(struct lookup *self, const struct log_entry *entry)
{
    if (self->count == RECORDS_FOUND_MAX)
        return RAISE(REFUSED, "More than %d records have this id; ask by x-road-request-id.",
                     RECORDS_FOUND_MAX);
    return record_new(entry, &self->record[self->count++]);
}

static fault look_at(void *owner, uint64_t index, struct span leaf)
{
    struct lookup *self = owner;
    OWNED(header_read) read = NULL;
    struct log_entry entry = {.index = index, .leaf = leaf};
    if (failed(cades_parse(leaf, &entry.parts)) ||
        failed(header_decode(entry.parts.content, &read)))
        return DONE; /* verify tells of it */
    entry.header = header_of(read);
    self->seen_ms = entry.header->time_ms;
    if (entry.header->kind >= HEADER_STARTED)
        return DONE;
    entry.leaf_hash = merkle_leaf_hash(leaf); /* only now: few are of interest */
    bool wanted =
        self->phase == OUTCOMES ? is_wanted_outcome(self, &entry) : is_wanted_request(self, &entry);
    return wanted && !is_known(self, &entry.leaf_hash) ? take(self, &entry) : DONE;
}

// --- the walk ------------------------------------------------------------------------------------

static int64_t newest_request_ms(const struct lookup *self)
{
    int64_t newest = 0;
    for (size_t i = 0; i < self->requests; i++)
        if (header_of(self->record[i]->read)->time_ms > newest)
            newest = header_of(self->record[i]->read)->time_ms;
    return newest;
}

/* From the oldest request on, forwards. */
static void begin_outcomes(struct lookup *self)
{
    self->requests = self->count;
    self->seen_ms = 0;
    begin_phase(self, OUTCOMES);
    for (size_t i = 0; i < self->requests; i++)
        if (i == 0 || self->record[i]->index < self->first)
            self->first = self->record[i]->index;
    self->next = self->first;
}

static void end_phase(struct lookup *self)
{
    if (self->count > 0 && self->phase != OUTCOMES)
        begin_outcomes(self);
    else if (self->phase == EXACT)
        begin_phase(self, OPENING); /* an X-Road-Id may look like anything */
    else
        self->phase = OVER;
}

/* The window is walked over: is there one before it, and is it of interest? */
static void end_window(struct lookup *self)
{
    wal_reader_free(&self->reader);
    bool found = self->phase == EXACT && self->count > 0; /* an exchange's id is of one exchange */
    if (self->phase == OUTCOMES || self->first <= self->floor || found) {
        end_phase(self);
        return;
    }
    set_window(self, self->first);
}

static fault walk(struct lookup *self)
{
    uint64_t most = self->phase == OPENING ? STEP_OPENED : STEP;
    uint64_t to = self->until - self->next > most ? self->next + most : self->until;
    fault f = DONE;
    if (self->reader == NULL)
        f = wal_reader_open(self->wal, self->next, &self->reader);
    if (!failed(f))
        f = wal_reader_show(self->reader, to, look_at, self);
    /* the end of an epoch that was closed may be lost, promised or not; the beginning of any may
     * have been pruned just now */
    bool lost = f.code == NOT_FOUND || (self->closed && f.code == LOG_BROKEN);
    self->next = lost ? self->until : to;
    return lost ? DONE : f;
}

static bool has_outcome(const struct lookup *self, const struct sha256 *request)
{
    for (size_t i = self->requests; i < self->count; i++)
        if (sha256_equal(&header_of(self->record[i]->read)->reply_to, request))
            return true;
    return false;
}

/* All requests are answered, or what is still to come is too late to be an outcome. */
static bool are_outcomes_there(const struct lookup *self)
{
    if (self->seen_ms > newest_request_ms(self) + OUTCOME_MS_MAX)
        return true;
    for (size_t i = 0; i < self->requests; i++)
        if (!has_outcome(self, &self->record[i]->leaf_hash))
            return false;
    return true;
}

fault lookup_step(struct lookup *self, bool *done)
{
    *done = false;
    if (clock_steady_ms() - self->begun_ms > RECORD_LOOKUP_MS)
        return RAISE(OVERLOADED,
                     "Not found within %d s; ask by x-road-request-id, which is found "
                     "faster than X-Road-Id.",
                     RECORD_LOOKUP_MS / 1000);
    if (self->next < self->until)
        TRY(walk(self));
    if (self->phase == OUTCOMES && are_outcomes_there(self))
        self->phase = OVER;
    else if (self->next >= self->until)
        end_window(self);
    *done = self->phase == OVER;
    return DONE;
}
