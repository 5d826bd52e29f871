// SPDX-License-Identifier: MIT
#include "tools/audit/search_print.h"

#include "lib/base/clock.h"
#include "lib/base/text.h"
#include "tools/audit/json_text.h"
#include "lib/evidence/log_view.h"
#include "lib/evidence/printable.h"

#include <inttypes.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>

#define COLUMNS 9           /* of the text for people */
#define CELLS (COLUMNS + 1) /* ... and what was withheld, in a line of its own */

struct search_print {
    const struct search_arguments *arguments;
    const struct index *index;
    json_t *rows; /* SEARCH_JSON */
    FILE *csv;    /* SEARCH_CSV: into text, whole before any of it is shown */
    char *csv_text;
    size_t csv_bytes;
    char *(*cell)[CELLS]; /* SEARCH_TEXT: kept until the widths are known */
    size_t cells, room;
    size_t width[COLUMNS];
};

// --- the parts of a row -------------------------------------------------------------------------

static void time_text(const struct search_row *row, char out[32])
{
    clock_text(index_key_time_ms(row->key), out, 32);
}

static void exchange_text(const struct search_row *row, char out[37])
{
    out[0] = '\0';
    if (row->exchange.size == EXCHANGE_ID_BYTES)
        log_view_id_text(row->exchange.at, out);
}

static void subject_text(const struct search_row *row, char out[2 * SUBJECT_BYTES_MAX + 1])
{
    out[0] = '\0';
    if (row->subject.size <= SUBJECT_BYTES_MAX)
        text_hex(row->subject, out, 2 * SUBJECT_BYTES_MAX + 1);
}

/* "request response": what it began with, and what came of it. */
static struct span first_kind(const struct search_row *row)
{
    const uint8_t *blank = row->kind.size == 0 ? NULL : memchr(row->kind.at, ' ', row->kind.size);
    return blank == NULL ? row->kind : span_of(row->kind.at, (size_t)(blank - row->kind.at));
}

static struct span answer_kind(const struct search_row *row)
{
    size_t first = first_kind(row).size;
    if (first == row->kind.size)
        return (struct span){0};
    return span_of(row->kind.at + first + 1, row->kind.size - first - 1);
}

// --- JSON ---------------------------------------------------------------------------------------

static void put_words(json_t *object, const char *name, struct span words)
{
    json_object_set_new(object, name, words.size == 0 ? json_null() : json_text(words));
}

static void put_number(json_t *object, const char *name, int64_t number)
{
    json_object_set_new(object, name,
                        number == SEARCH_NOTHING ? json_null() : json_integer(number));
}

static void json_row(struct search_print *self, const struct search_row *row)
{
    char time[32], exchange[37], subject[2 * SUBJECT_BYTES_MAX + 1];
    json_t *object = json_object();
    time_text(row, time);
    exchange_text(row, exchange);
    subject_text(row, subject);
    put_words(object, "time", span_of_text(time));
    put_number(object, "entry", row->entry);
    put_words(object, "kind", first_kind(row));
    put_number(object, "answer_entry", row->answer_entry);
    put_words(object, "answer_kind", answer_kind(row));
    put_words(object, "outcome", row->outcome);
    put_number(object, "latency_ms", row->latency_ms);
    put_words(object, "exchange", span_of_text(exchange));
    put_words(object, "peer", row->peer);
    put_words(object, "sender", row->sender);
    put_words(object, "caller_member", row->caller_member);
    put_words(object, "receiver", row->receiver);
    put_words(object, "provider_member", row->provider_member);
    put_words(object, "service", row->service);
    put_words(object, "purpose", row->purpose);
    put_words(object, "procedure", row->procedure);
    put_words(object, "case_ref", row->case_ref);
    put_words(object, "subject", span_of_text(subject));
    put_words(object, "rule", row->rule);
    put_words(object, "withheld", row->withheld);
    put_number(object, "payload_bytes", row->payload_bytes);
    put_number(object, "answer_bytes", row->answer_bytes);
    json_array_append_new(self->rows, object);
}

static void json_end(struct search_print *self, const struct search_page *page)
{
    char after[32];
    json_t *object = json_object(), *remarks = json_array();
    for (size_t i = 0; i < self->index->remarks; i++)
        json_array_append_new(remarks, json_text(span_of_text(self->index->remark[i])));
    json_put_text(object, "log", span_of_text(self->arguments->index.folder));
    json_put_number(object, "indexed_entries", self->index->state.entries);
    json_object_set_new(object, "remarks", remarks);
    json_object_set_new(object, "rows", self->rows);
    self->rows = NULL;
    text_format(after, sizeof after, "%" PRId64, page->last_key);
    put_words(object, "after", page->more ? span_of_text(after) : (struct span){0});
    json_dumpf(object, stdout, JSON_INDENT(1));
    putchar('\n');
    json_decref(object);
}

// --- CSV ----------------------------------------------------------------------------------------

static void csv_cell(FILE *out, struct span words, bool last)
{
    OWNED(printable) shown = printable_of(words);
    putc('"', out);
    if (shown->text[0] != '\0' && strchr("=+-@", shown->text[0]) != NULL)
        putc('\'', out);
    for (const char *at = shown->text; *at != '\0'; at++) {
        if (*at == '"')
            putc('"', out);
        putc(*at, out);
    }
    fputs(last ? "\"\n" : "\",", out);
}

static void csv_number(FILE *out, int64_t number, bool last)
{
    if (number != SEARCH_NOTHING)
        fprintf(out, "%" PRId64, number);
    putc(last ? '\n' : ',', out);
}

static void csv_head(FILE *out)
{
    fputs("time,entry,kind,answer_entry,answer_kind,outcome,latency_ms,exchange,peer,sender,"
          "caller_member,receiver,provider_member,service,purpose,procedure,case_ref,subject,rule,"
          "withheld,payload_bytes,answer_bytes\n",
          out);
}

static void csv_row(FILE *out, const struct search_row *row)
{
    char time[32], exchange[37], subject[2 * SUBJECT_BYTES_MAX + 1];
    time_text(row, time);
    exchange_text(row, exchange);
    subject_text(row, subject);
    csv_cell(out, span_of_text(time), false);
    csv_number(out, row->entry, false);
    csv_cell(out, first_kind(row), false);
    csv_number(out, row->answer_entry, false);
    csv_cell(out, answer_kind(row), false);
    csv_cell(out, row->outcome, false);
    csv_number(out, row->latency_ms, false);
    csv_cell(out, span_of_text(exchange), false);
    const struct span words[] = {row->peer,     row->sender,          row->caller_member,
                                 row->receiver, row->provider_member, row->service,
                                 row->purpose,  row->procedure,       row->case_ref};
    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++)
        csv_cell(out, words[i], false);
    csv_cell(out, span_of_text(subject), false);
    csv_cell(out, row->rule, false);
    csv_cell(out, row->withheld, false);
    csv_number(out, row->payload_bytes, false);
    csv_number(out, row->answer_bytes, true);
}

// --- for people ---------------------------------------------------------------------------------

/* Characters, and not bytes: what is printable is UTF-8. */
static size_t width_of(const char *text)
{
    size_t width = 0;
    for (; *text != '\0'; text++)
        width += ((uint8_t)*text & 0xc0) != 0x80;
    return width;
}

static void keep_cells(struct search_print *self, const struct span words[CELLS])
{
    if (self->cells == self->room) {
        self->room = self->room == 0 ? 64 : 2 * self->room;
        self->cell = owned_grow(self->cell, self->room, sizeof *self->cell);
    }
    for (size_t i = 0; i < CELLS; i++) {
        OWNED(printable) shown = printable_of(words[i]);
        size_t width = width_of(shown->text);
        if (i < COLUMNS && width > self->width[i])
            self->width[i] = width;
        self->cell[self->cells][i] = TAKE(shown->text);
    }
    self->cells++;
}

/* An outcome that has a row of its own is told to who asked. */
static struct span caller_of(const struct search_row *row)
{
    struct span kind = first_kind(row);
    bool outcome = span_is_text(kind, "response") || span_is_text(kind, "fault");
    return outcome ? row->receiver : row->sender;
}

static void text_row(struct search_print *self, const struct search_row *row)
{
    char time[32], exchange[37], entry[24], latency[24] = "";
    time_text(row, time);
    exchange_text(row, exchange);
    text_format(entry, sizeof entry, "%" PRId64, row->entry);
    if (row->latency_ms != SEARCH_NOTHING)
        text_format(latency, sizeof latency, "%" PRId64 " ms", row->latency_ms);
    const struct span words[CELLS] = {
        span_of(time, 19),
        span_of_text(entry),
        first_kind(row),
        row->outcome,
        span_of_text(latency),
        span_of(exchange, exchange[0] == '\0' ? 0 : EXCHANGE_DIGITS_LEAST),
        caller_of(row),
        row->service,
        row->rule,
        row->withheld};
    keep_cells(self, words);
}

static void text_end(struct search_print *self, const struct search_page *page)
{
    for (size_t row = 0; row < self->cells; row++) {
        for (size_t i = 0; i < COLUMNS; i++) {
            const char *text = self->cell[row][i];
            int blanks = (int)(self->width[i] - width_of(text));
            bool number = i == 1 || i == 4;
            if (i + 1 == COLUMNS)
                printf("%s\n", text);
            else
                printf("%*s%s%*s", number ? blanks : 0, "", text, (number ? 0 : blanks) + 2, "");
        }
        if (self->cell[row][COLUMNS][0] != '\0')
            printf("  withheld: %s\n", self->cell[row][COLUMNS]);
    }
    if (page->more)
        printf("there are more: --after %" PRId64 "\n", page->last_key);
}

// --- the page -----------------------------------------------------------------------------------

struct search_print *search_print_new(const struct search_arguments *arguments,
                                      const struct index *index)
{
    static const char *const heads[COLUMNS] = {"time (UTC)", "entry",  "kind",    "outcome", "took",
                                               "exchange",   "caller", "service", "rule"};
    struct search_print *self = owned_new(sizeof *self);
    struct span words[CELLS] = {0};
    self->arguments = arguments;
    self->index = index;
    if (arguments->shape == SEARCH_JSON)
        self->rows = json_array();
    if (arguments->shape == SEARCH_CSV) {
        self->csv = open_memstream(&self->csv_text, &self->csv_bytes);
        if (self->csv == NULL)
            abort(); /* out of memory */
        csv_head(self->csv);
    }
    for (size_t i = 0; i < COLUMNS; i++)
        words[i] = span_of_text(heads[i]);
    if (arguments->shape == SEARCH_TEXT)
        keep_cells(self, words);
    return self;
}

void search_print_free(struct search_print **self)
{
    if (*self == NULL)
        return;
    for (size_t row = 0; row < (*self)->cells; row++)
        for (size_t i = 0; i < CELLS; i++)
            free((*self)->cell[row][i]);
    free((*self)->cell);
    json_decref((*self)->rows);
    if ((*self)->csv != NULL)
        fclose((*self)->csv);
    free((*self)->csv_text);
    free(*self);
    *self = NULL;
}

void search_print_row(void *owner, const struct search_row *row)
{
    struct search_print *self = owner;
    if (self->arguments->shape == SEARCH_JSON)
        json_row(self, row);
    else if (self->arguments->shape == SEARCH_TEXT)
        text_row(self, row);
    else
        csv_row(self->csv, row);
}

static void say_none(const struct search_print *self, const struct search_page *page, FILE *out)
{
    if (page->unknown != NULL)
        fprintf(out, "none found: nothing in this log has the --%s asked for\n", page->unknown);
    else
        fprintf(out, "none found among %" PRIu64 " entries\n", self->index->state.entries);
}

void search_print_end(struct search_print *self, const struct search_page *page)
{
    if (self->arguments->shape == SEARCH_JSON) {
        json_end(self, page);
    } else if (self->arguments->shape == SEARCH_CSV) {
        fflush(self->csv);
        fwrite(self->csv_text, 1, self->csv_bytes, stdout);
        if (page->more)
            fprintf(stderr, "there are more: --after %" PRId64 "\n", page->last_key);
    } else if (page->rows > 0) {
        text_end(self, page);
    }
    if (page->rows == 0)
        say_none(self, page, self->arguments->shape == SEARCH_TEXT ? stdout : stderr);
}
