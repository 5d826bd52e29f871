// SPDX-License-Identifier: MIT
/*
 * import: institutions of a table become members, one act each.
 *
 *   a number that one row has       INSTANCE/CLASS/NUMBER
 *   a number that several rows have INSTANCE/CLASS/NUMBER-CODE, all of them: none is the first
 *   no number                       INSTANCE/CLASS-WITHOUT/CODE
 *
 * The code is the table's own key, so that the same table gives the same identifiers whatever its
 * order. What is registered already is left as it is; a row that cannot be a member is reported and
 * stops nobody else.
 */
#include "registry/commands.h"

#include "lib/bus/table.h"
#include "lib/base/file.h"
#include "lib/base/shown.h"
#include "lib/base/text.h"
#include "lib/bus/bus_id.h"
#include "lib/bus/directory_acts.h"

#include "directory.pb-c.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define TEXT(which) arguments_text(arguments, ARGUMENT_##which)
#define PROGRESS_ROWS 500
#define ONCE ((void *)(uintptr_t)1)
#define AGAIN ((void *)(uintptr_t)2)

enum outcome { NEW, THERE, DIFFERS, BAD_ROW, OUTCOMES };

static const char *const words[OUTCOMES] = {"new", "registered already", "registered otherwise",
                                            "not imported"};

struct import {
    struct store *store;
    const struct arguments *arguments;
    struct table *table;
    size_t name, number, code; /* columns */
    struct map numbers;        /* ONCE or AGAIN */
    struct map ids;            /* made from this table */
    struct bytes *report;
    size_t count[OUTCOMES], shared, without;
};

static void import_clear(struct import *self)
{
    map_clear(&self->numbers);
    map_clear(&self->ids);
    bytes_free(&self->report);
    table_free(&self->table);
}

static const char *or_default(const struct arguments *arguments, enum argument which,
                              const char *otherwise)
{
    const char *given = arguments_text(arguments, which);
    return given == NULL ? otherwise : given;
}

static fault find_column(const struct import *self, const char *name, size_t *out)
{
    *out = table_find_column(self->table, span_of_text(name));
    return *out != SIZE_MAX ? DONE : RAISE(REFUSED, "the table has no column '%.100s'", name);
}

static fault read_table(struct import *self)
{
    const struct arguments *arguments = self->arguments;
    OWNED(bytes) file = NULL;
    const char *code = or_default(arguments, ARGUMENT_CODE_COLUMN, "cod_institucion");
    TRY(file_read(arguments->operand, TABLE_BYTES_MAX, &file));
    if (failed(table_parse(&file, code, &self->table)))
        return RAISE(REFUSED, "%.100s: %s", arguments->operand, fault_detail());
    TRY(find_column(self, code, &self->code));
    TRY(find_column(self, or_default(arguments, ARGUMENT_NAME_COLUMN, "nombre"), &self->name));
    return find_column(self, or_default(arguments, ARGUMENT_NUMBER_COLUMN, "nit"), &self->number);
}

static void count_numbers(struct import *self)
{
    for (size_t row = 0; row < self->table->rows; row++) {
        struct span number = table_at(self->table, row, self->number);
        if (number.size > 0)
            map_set(&self->numbers, number, map_get(&self->numbers, number) == NULL ? ONCE : AGAIN);
    }
}

// --- a row --------------------------------------------------------------------------------------

/* A code is of letters and digits: nothing else is in such tables, and nothing looks alike. */
static bool is_code(struct span text)
{
    for (size_t i = 0; i < text.size; i++) {
        uint8_t c = text.at[i];
        if ((c < '0' || c > '9') && (c < 'A' || c > 'Z') && (c < 'a' || c > 'z'))
            return false;
    }
    return text.size > 0;
}

static fault make_id(struct import *self, size_t row, char out[ID_TEXT_BYTES_MAX + 1])
{
    const struct arguments *arguments = self->arguments;
    const char *instance = directory_instance(store_state(self->store));
    struct span number = table_at(self->table, row, self->number);
    struct span code = table_at(self->table, row, self->code);
    bool shared = number.size > 0 && map_get(&self->numbers, number) == AGAIN;
    if (!is_code(code) || (number.size > 0 && !is_code(number)))
        return RAISE(REFUSED, "a number or code with something else than letters and digits");
    bool fits = number.size == 0
                    ? text_format(out, ID_TEXT_BYTES_MAX + 1, "%s/%s/%.*s", instance,
                                  or_default(arguments, ARGUMENT_CLASS_WITHOUT, "SIGEP"),
                                  (int)code.size, (const char *)code.at)
                    : text_format(out, ID_TEXT_BYTES_MAX + 1, "%s/%s/%.*s%s%.*s", instance,
                                  or_default(arguments, ARGUMENT_MEMBER_CLASS, "GOV"),
                                  (int)number.size, (const char *)number.at, shared ? "-" : "",
                                  shared ? (int)code.size : 0, (const char *)code.at);
    self->shared += shared;
    self->without += number.size == 0;
    if (!fits || failed(act_id(store_state(self->store), out, ID_MEMBER)))
        return RAISE(REFUSED, "%s", fits ? fault_detail() : "an identifier that is too long");
    if (map_set(&self->ids, span_of_text(out), ONCE) != NULL)
        return RAISE(REFUSED, "%s is another row's identifier already", out);
    return DONE;
}

static fault take_name(const struct import *self, size_t row, char out[WORD_BYTES_MAX + 1])
{
    struct span name = table_at(self->table, row, self->name);
    if (!text_format(out, WORD_BYTES_MAX + 1, "%.*s", (int)name.size, (const char *)name.at))
        return RAISE(REFUSED, "a name of more than %d bytes", WORD_BYTES_MAX);
    if (!shown_as_is(span_of_text(out)))
        return RAISE(REFUSED, "a name with a character that is not seen, or changes how what "
                              "stands around it is read");
    return failed(act_word("the name", out)) ? RAISE(REFUSED, "%s", fault_detail()) : DONE;
}

/* *refused: why this row is none, or ""; a fault only when the whole import cannot go on. */
static fault import_row(struct import *self, size_t row, char id[ID_TEXT_BYTES_MAX + 1],
                        enum outcome *outcome, char why[400])
{
    Chaski__MemberSet member = CHASKI__MEMBER_SET__INIT;
    Chaski__Act act = CHASKI__ACT__INIT;
    char name[WORD_BYTES_MAX + 1];
    bool public_agency = arguments_text(self->arguments, ARGUMENT_PUBLIC) != NULL;
    id[0] = why[0] = '\0';
    if (failed(make_id(self, row, id)) || failed(take_name(self, row, name))) {
        text_format(why, 400, "%s", fault_detail());
        *outcome = BAD_ROW;
        return DONE;
    }
    const struct directory_member *now =
        directory_member(store_state(self->store), span_of_text(id));
    if (now != NULL) {
        bool same = strcmp(now->name, name) == 0 && now->public_agency == public_agency;
        *outcome = same ? THERE : DIFFERS;
        text_format(why, 400, "%s", same ? "" : now->name);
        return DONE;
    }
    member.id = id;
    member.name = name;
    member.public_agency = public_agency;
    act.act_case = CHASKI__ACT__ACT_MEMBER_SET;
    act.member_set = &member;
    *outcome = NEW;
    return store_act(self->store, &act);
}

// --- the report ---------------------------------------------------------------------------------

static fault add_field(struct bytes *report, struct span text)
{
    TRY(bytes_append_text(report, ",\""));
    for (size_t i = 0; i < text.size; i++) {
        TRY(bytes_append(report, span_of(text.at + i, 1)));
        if (text.at[i] == '"')
            TRY(bytes_append_text(report, "\""));
    }
    return bytes_append_text(report, "\"");
}

static fault report_row(struct import *self, size_t row, const char *id, enum outcome outcome,
                        const char *why)
{
    char number[24];
    text_format(number, sizeof number, "%zu", row + 2); /* as an editor counts: the header is 1 */
    TRY(bytes_append_text(self->report, number));
    TRY(add_field(self->report, table_at(self->table, row, self->code)));
    TRY(add_field(self->report, table_at(self->table, row, self->number)));
    TRY(add_field(self->report, span_of_text(id)));
    TRY(add_field(self->report, span_of_text(words[outcome])));
    TRY(add_field(self->report, span_of_text(why)));
    return bytes_append_text(self->report, "\n");
}

static fault import_rows(struct import *self)
{
    bool watched = isatty(STDERR_FILENO);
    for (size_t row = 0; row < self->table->rows; row++) {
        char id[ID_TEXT_BYTES_MAX + 1], why[400];
        enum outcome outcome = BAD_ROW;
        TRY(import_row(self, row, id, &outcome, why));
        TRY(report_row(self, row, id, outcome, why));
        self->count[outcome]++;
        if (watched && (row + 1) % PROGRESS_ROWS == 0)
            fprintf(stderr, "\r%zu of %zu rows", row + 1, self->table->rows);
    }
    if (watched)
        fputc('\n', stderr);
    return DONE;
}

static fault run(struct import *self, struct said *said)
{
    const struct arguments *arguments = self->arguments;
    const char *report = TEXT(REPORT);
    TRY(read_table(self));
    count_numbers(self);
    self->report = bytes_empty(1u << 16);
    TRY(bytes_append_text(self->report, "row,code,number,id,outcome,why\n"));
    TRY(import_rows(self));
    if (report != NULL)
        store_then_write(self->store, report, &self->report);
    said_add(said,
             "%zu rows: %zu new members, %zu registered already, %zu otherwise (left as they "
             "are), %zu not imported",
             self->table->rows, self->count[NEW], self->count[THERE], self->count[DIFFERS],
             self->count[BAD_ROW]);
    said_add(said, "%zu rows share a number with others, %zu have none", self->shared,
             self->without);
    return DONE;
}

fault act_import(struct store *store, const struct arguments *arguments, struct said *said)
{
    struct import self = {.store = store, .arguments = arguments};
    fault f = run(&self, said);
    import_clear(&self);
    return f;
}
