// SPDX-License-Identifier: MIT
#include "lib/bus/once_only_lint.h"

#include "lib/base/text.h"
#include "lib/bus/directory_private.h"
#include "lib/bus/once_only_debt.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#define SENTENCE_BYTES 1024
#define MUNICIPALITY "cod_municipio_divipola"
#define NUMBER "numero_suit"
#define TITLE "nombre_tramite"

struct looking {
    const struct directory *directory;
    const struct table *table;
    size_t municipality, number, title; /* columns */
    int64_t at_ms;
    struct lint *into;
};

static const char *const kind_words[LINT_KINDS_END] = {[LINT_DEBT] = "debt",
                                                       [LINT_REPEATED_NUMBER] = "repeated-number",
                                                       [LINT_NO_NUMBER] = "no-number",
                                                       [LINT_BAD_CODE] = "bad-code",
                                                       [LINT_NO_SATISFACTION] = "no-satisfaction",
                                                       [LINT_OTHER_TITLE] = "other-title",
                                                       [LINT_NOT_REGISTERED] = "not-registered"};

const char *lint_kind_word(enum lint_kind kind)
{
    return kind > 0 && kind < LINT_KINDS_END ? kind_words[kind] : "unknown";
}

void lint_clear(struct lint *self)
{
    free(self->finding);
    arena_clear(&self->memory);
    *self = (struct lint){0};
}

static struct lint_finding *add(struct looking *self, enum lint_kind kind, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
static struct lint_finding *add(struct looking *self, enum lint_kind kind, const char *format, ...)
{
    struct lint *into = self->into;
    char sentence[SENTENCE_BYTES];
    va_list args;
    va_start(args, format);
    vsnprintf(sentence, sizeof sentence, format, args);
    va_end(args);
    if (into->count == into->room)
        into->finding =
            owned_grow(into->finding, into->room = 2 * into->room + 16, sizeof *into->finding);
    struct lint_finding *finding = &into->finding[into->count++];
    *finding = (struct lint_finding){.kind = kind,
                                     .id = "",
                                     .title = "",
                                     .owner = "",
                                     .requirement = "",
                                     .source = "",
                                     .text = arena_text(&into->memory, sentence)};
    into->of_kind[kind]++;
    return finding;
}

static const char *keep(struct looking *self, struct span text)
{
    char *copy = arena_make(&self->into->memory, text.size + 1);
    if (text.size > 0)
        memcpy(copy, text.at, text.size);
    return copy;
}

// --- the register -------------------------------------------------------------------------------

static void of_procedure(struct lint_finding *finding, const struct directory_procedure *procedure)
{
    finding->id = procedure->id;
    finding->title = procedure->title;
    finding->owner = procedure->owner;
}

static bool overlaps(const struct directory_procedure *one, const struct directory_procedure *other)
{
    if (one->territories == 0 || other->territories == 0)
        return true;
    for (size_t i = 0; i < one->territories; i++)
        for (size_t k = 0; k < other->territories; k++)
            if (strcmp(one->territory[i], other->territory[k]) == 0)
                return true;
    return false;
}

static void look_at_number(struct looking *self, const struct directory_procedure *procedure)
{
    size_t step = 0;
    if (procedure->number[0] == '\0')
        of_procedure(add(self, LINT_NO_NUMBER, "procedure %s (%s) has no SUIT number",
                         procedure->id, procedure->title),
                     procedure);
    else
        for (const struct directory_procedure *at;
             (at = directory_next_procedure(self->directory, &step)) != NULL;)
            if (at != procedure && strcmp(at->number, procedure->number) == 0 &&
                strcmp(at->owner, procedure->owner) == 0 && overlaps(at, procedure)) {
                of_procedure(add(self, LINT_REPEATED_NUMBER,
                                 "procedure %s (%s) has the number %s of %s (%s)", procedure->id,
                                 procedure->title, procedure->number, at->id, at->title),
                             procedure);
                return;
            }
}

static bool is_satisfied_somewhere(const struct directory *directory,
                                   const struct directory_procedure *procedure, const char *id)
{
    char country[TERRITORY_BYTES_MAX + 1];
    text_format(country, sizeof country, "%.2s", directory_instance(directory));
    for (size_t i = 0; i < procedure->territories; i++)
        if (once_only_evidence_for(directory, id, procedure->territory[i]) != NULL)
            return true;
    return once_only_evidence_for(directory, id, country) != NULL ||
           (procedure->territories == 0 &&
            rights_of(&directory->once_only.below, span_of_text(id), span_of_text(country))->count >
                0);
}

static void look_at_need(struct looking *self, const struct directory_procedure *procedure,
                         const struct directory_need *need)
{
    const struct directory_requirement *requirement = need->requirement;
    struct once_only_debt debt;
    if (need->ask_citizen &&
        once_only_debt(self->directory, procedure, requirement, self->at_ms, &debt)) {
        struct lint_finding *finding = add(
            self, LINT_DEBT, "procedure %s (%s) asks for %s (%s) although source %s serves it: %s",
            procedure->id, procedure->number[0] == '\0' ? "no number" : procedure->number,
            requirement->id, requirement->name, debt.source->id, debt.source->service);
        of_procedure(finding, procedure);
        finding->requirement = requirement->id;
        finding->source = debt.source->id;
        finding->since_ms = debt.since_ms;
    }
    if (!is_satisfied_somewhere(self->directory, procedure, requirement->id)) {
        struct lint_finding *finding =
            add(self, LINT_NO_SATISFACTION,
                "procedure %s needs %s (%s), and nobody has said what proves it", procedure->id,
                requirement->id, requirement->name);
        of_procedure(finding, procedure);
        finding->requirement = requirement->id;
    }
}

static void look_at_register(struct looking *self)
{
    size_t step = 0;
    for (const struct directory_procedure *at;
         (at = directory_next_procedure(self->directory, &step)) != NULL;) {
        self->into->procedures++;
        look_at_number(self, at);
        for (size_t i = 0; i < at->needs; i++)
            look_at_need(self, at, &at->need[i]);
    }
}

// --- a table of SUIT ----------------------------------------------------------------------------

static struct span cell(const struct looking *self, size_t row, size_t column)
{
    return table_at(self->table, row, column);
}

static void of_row(struct looking *self, struct lint_finding *finding, size_t row)
{
    finding->id = keep(self, cell(self, row, self->number));
    finding->title = keep(self, cell(self, row, self->title));
    finding->owner = keep(self, cell(self, row, self->municipality));
    finding->row = row + 2; /* the header is row 1 */
}

static fault find_columns(struct looking *self)
{
    struct {
        const char *name;
        size_t *column;
    } columns[] = {
        {MUNICIPALITY, &self->municipality}, {NUMBER, &self->number}, {TITLE, &self->title}};
    for (size_t i = 0; i < sizeof columns / sizeof columns[0]; i++) {
        *columns[i].column = table_find_column(self->table, span_of_text(columns[i].name));
        if (*columns[i].column == SIZE_MAX)
            return RAISE(BAD_TABLE, "there is no column %s", columns[i].name);
    }
    return DONE;
}

static bool is_municipality(struct span code)
{
    uint64_t number = 0;
    return code.size == 5 && !failed(text_number(code, 99999, &number));
}

/* Municipality and number, which together should name one procedure: how often they stand there. */
static void count_numbers(struct looking *self, struct map *counts)
{
    char key[600];
    for (size_t row = 0; row < self->table->rows; row++) {
        struct span place = cell(self, row, self->municipality);
        struct span number = cell(self, row, self->number);
        text_format(key, sizeof key, "%.*s %.*s", (int)place.size, (const char *)place.at,
                    (int)number.size, (const char *)number.at);
        size_t before = (size_t)(uintptr_t)map_get(counts, span_of_text(key));
        map_set(counts, span_of_text(key), (void *)(uintptr_t)(before + 1));
    }
}

static size_t times(const struct map *counts, struct span place, struct span number)
{
    char key[600];
    text_format(key, sizeof key, "%.*s %.*s", (int)place.size, (const char *)place.at,
                (int)number.size, (const char *)number.at);
    return (size_t)(uintptr_t)map_get(counts, span_of_text(key));
}

static bool is_asked_in(const struct looking *self, const struct directory_procedure *procedure,
                        struct span municipality)
{
    char code[TERRITORY_BYTES_MAX + 1], around[3][TERRITORY_BYTES_MAX + 1];
    if (procedure->territories == 0)
        return true;
    if (!text_format(code, sizeof code, "%.*s", (int)municipality.size,
                     (const char *)municipality.at))
        return false;
    size_t count = territory_around(self->directory, code, around);
    for (size_t i = 0; i < procedure->territories; i++)
        for (size_t k = 0; k < count; k++)
            if (strcmp(procedure->territory[i], around[k]) == 0)
                return true;
    return false;
}

/* By its number, there; where a number stands twice, by its title too. NULL: none. */
static const struct directory_procedure *registered(const struct looking *self, size_t row)
{
    const struct directory_procedure *found = NULL;
    size_t step = 0;
    struct span number = cell(self, row, self->number);
    for (const struct directory_procedure *at;
         self->directory != NULL && number.size > 0 &&
         (at = directory_next_procedure(self->directory, &step)) != NULL;) {
        if (!span_is_text(number, at->number) ||
            !is_asked_in(self, at, cell(self, row, self->municipality)))
            continue;
        bool same = text_same_word(cell(self, row, self->title), span_of_text(at->title));
        if (same || found == NULL)
            found = at;
        if (same)
            return found;
    }
    return found;
}

static void look_at_registration(struct looking *self, size_t row)
{
    const struct directory_procedure *procedure = registered(self, row);
    struct span title = cell(self, row, self->title);
    if (procedure == NULL)
        of_row(self,
               add(self, LINT_NOT_REGISTERED,
                   "%.*s is in no register: what it asks for is not known", (int)title.size,
                   (const char *)title.at),
               row);
    else if (!text_same_word(title, span_of_text(procedure->title)))
        of_row(self,
               add(self, LINT_OTHER_TITLE, "the register calls it %s (%s)", procedure->title,
                   procedure->id),
               row);
}

static void look_at_row(struct looking *self, const struct map *counts, size_t row)
{
    struct span place = cell(self, row, self->municipality);
    struct span number = cell(self, row, self->number);
    struct span title = cell(self, row, self->title);
    if (!is_municipality(place))
        of_row(self,
               add(self, LINT_BAD_CODE,
                   "the municipality of %.*s is no code of five digits: is a zero lost?",
                   (int)title.size, (const char *)title.at),
               row);
    if (number.size == 0)
        of_row(self,
               add(self, LINT_NO_NUMBER, "%.*s has no number", (int)title.size,
                   (const char *)title.at),
               row);
    else if (times(counts, place, number) > 1)
        of_row(self,
               add(self, LINT_REPEATED_NUMBER, "%.*s has a number that %.*s gives to another too",
                   (int)title.size, (const char *)title.at, (int)place.size,
                   (const char *)place.at),
               row);
    look_at_registration(self, row);
}

static fault look_at_table(struct looking *self)
{
    struct map counts = {0};
    TRY(find_columns(self));
    count_numbers(self, &counts);
    for (size_t row = 0; row < self->table->rows; row++)
        look_at_row(self, &counts, row);
    self->into->rows = self->table->rows;
    map_clear(&counts);
    return DONE;
}

// --- both ---------------------------------------------------------------------------------------

/* Debts first, the oldest of them first; then as the kinds stand. */
static int compare(const void *left, const void *right)
{
    const struct lint_finding *a = left, *b = right;
    if (a->kind != b->kind)
        return a->kind < b->kind ? -1 : 1;
    if (a->since_ms != b->since_ms)
        return a->since_ms < b->since_ms ? -1 : 1;
    if (a->row != b->row)
        return a->row < b->row ? -1 : 1;
    int order = strcmp(a->id, b->id);
    return order != 0 ? order : strcmp(a->requirement, b->requirement);
}

fault lint_look(const struct directory *directory, const struct table *table, int64_t at_ms,
                struct lint *out)
{
    struct looking looking = {.directory = directory, .table = table, .at_ms = at_ms, .into = out};
    *out = (struct lint){0};
    if (directory != NULL)
        look_at_register(&looking);
    if (table != NULL)
        TRY(look_at_table(&looking));
    if (out->count > 1)
        qsort(out->finding, out->count, sizeof *out->finding, compare);
    return DONE;
}
