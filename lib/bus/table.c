// SPDX-License-Identifier: MIT
#include "lib/bus/table.h"

#include "lib/base/crc32c.h"
#include "lib/base/text.h"

#include <stdlib.h>

#define NAME_BYTES_MAX 255

struct parsing {
    struct table *table;
    struct span in; /* the file; the same bytes that are written to when unquoting */
    size_t at;
    size_t row; /* 1 is the header */
    size_t column;
};

// --- one field -----------------------------------------------------------------------------------

/* "row 12, column 3 (municipio)" */
static fault refuse(const struct parsing *p, const char *what)
{
    const struct table *table = p->table;
    if (p->row > 1 && p->column < table->columns) {
        struct span name = table_column(table, p->column);
        return RAISE(BAD_TABLE, "row %zu, column %zu (%.*s): %s", p->row, p->column + 1,
                     (int)(name.size < 80 ? name.size : 80), (const char *)name.at, what);
    }
    return RAISE(BAD_TABLE, "row %zu, column %zu: %s", p->row, p->column + 1, what);
}

static fault check_text(const struct parsing *p, struct table_cell cell)
{
    struct span text = table_text(p->table, cell);
    for (size_t i = 0; i < text.size; i++) {
        uint8_t c = text.at[i];
        if ((c < 0x20 && c != '\t' && c != '\n' && c != '\r') || c == 0x7f)
            return refuse(p, "a control byte");
    }
    if (!text_is_utf8(text))
        return refuse(p, "not UTF-8 (save the file as UTF-8 and not as Latin-1 or Windows-1252)");
    return DONE;
}

static bool at_line_end(const struct parsing *p)
{
    uint8_t c = p->in.at[p->at];
    return c == '\n' || (c == '\r' && p->at + 1 < p->in.size && p->in.at[p->at + 1] == '\n');
}

static fault take_plain(struct parsing *p, struct table_cell *out)
{
    size_t start = p->at;
    while (p->at < p->in.size && p->in.at[p->at] != ',' && !at_line_end(p)) {
        uint8_t c = p->in.at[p->at];
        if (c == '"')
            return refuse(p, "a quote inside a field that is not quoted");
        if (c == '\r')
            return refuse(p, "a carriage return that does not end a line");
        p->at++;
    }
    *out = (struct table_cell){(uint32_t)start, (uint32_t)(p->at - start)};
    return DONE;
}

/* The text is moved down over the second quote of each pair: never longer than it was. */
static fault take_quoted(struct parsing *p, struct table_cell *out)
{
    uint8_t *bytes = p->table->file->data;
    size_t start = ++p->at, to = start;
    for (;;) {
        if (p->at >= p->in.size)
            return refuse(p, "a quoted field that is never closed");
        if (bytes[p->at] == '"') {
            if (p->at + 1 >= p->in.size || bytes[p->at + 1] != '"')
                break;
            p->at++;
        }
        bytes[to++] = bytes[p->at++];
    }
    p->at++;
    if (p->at < p->in.size && p->in.at[p->at] != ',' && !at_line_end(p))
        return refuse(p, "text after the closing quote");
    *out = (struct table_cell){(uint32_t)start, (uint32_t)(to - start)};
    return DONE;
}

static fault take_field(struct parsing *p, struct table_cell *out)
{
    bool quoted = p->at < p->in.size && p->in.at[p->at] == '"';
    TRY(quoted ? take_quoted(p, out) : take_plain(p, out));
    return check_text(p, *out);
}

/* After a field: true when another one follows in this row. */
static bool take_separator(struct parsing *p)
{
    if (p->at >= p->in.size)
        return false;
    if (p->in.at[p->at] == ',') {
        p->at++;
        return true;
    }
    p->at += p->in.at[p->at] == '\r' ? 2 : 1;
    return false;
}

// --- rows ----------------------------------------------------------------------------------------

static fault check_name(const struct parsing *p, struct table_cell cell)
{
    struct table *table = p->table;
    struct span name = table_text(table, cell);
    if (name.size == 0)
        return refuse(p, "a column without a name");
    if (name.size > NAME_BYTES_MAX)
        return refuse(p, "a column name of more than 255 bytes");
    if (span_is_text(name, "limit") || span_is_text(name, "offset"))
        return RAISE(BAD_TABLE,
                     "row 1, column %zu: a column cannot be named %.*s: ?%.*s= chooses the page",
                     p->column + 1, (int)name.size, (const char *)name.at, (int)name.size,
                     (const char *)name.at);
    size_t same = table_find_column(table, name);
    if (same != SIZE_MAX)
        return RAISE(BAD_TABLE, "row 1, column %zu: \"%.*s\" is also the name of column %zu",
                     p->column + 1, (int)name.size, (const char *)name.at, same + 1);
    return DONE;
}

static fault take_header(struct parsing *p)
{
    struct table *table = p->table;
    table->column = owned_array(TABLE_COLUMNS_MAX, sizeof *table->column);
    p->row = 1;
    if (p->in.size == p->at)
        return RAISE(BAD_TABLE, "row 1, column 1: the file is empty; it needs a header row");
    do {
        struct table_cell cell;
        p->column = table->columns;
        if (table->columns == TABLE_COLUMNS_MAX)
            return refuse(p, "more columns than allowed");
        TRY(take_field(p, &cell));
        TRY(check_name(p, cell));
        table->column[table->columns++] = cell;
    } while (take_separator(p));
    return DONE;
}

static fault make_room(struct table *table)
{
    if (table->rows < table->rows_room)
        return DONE;
    size_t room = table->rows_room == 0 ? 256 : table->rows_room * 2;
    void *grown = reallocarray(table->cell, room, table->columns * sizeof *table->cell);
    if (grown == NULL)
        return RAISE(NO_MEMORY, "no room for %zu rows", room);
    table->cell = grown;
    table->rows_room = room;
    return DONE;
}

static fault take_row(struct parsing *p)
{
    struct table *table = p->table;
    p->row++;
    p->column = 0;
    if (table->rows == TABLE_ROWS_MAX)
        return refuse(p, "more rows than allowed");
    TRY(make_room(table));
    struct table_cell *cell = &table->cell[table->rows * table->columns];
    size_t fields = 0;
    bool more;
    do {
        struct table_cell one;
        p->column = fields;
        TRY(take_field(p, &one));
        if (fields < table->columns)
            cell[fields] = one;
        fields++;
        more = take_separator(p);
    } while (more);
    if (fields != table->columns)
        return RAISE(BAD_TABLE, "row %zu, column %zu: %zu fields where the header has %zu", p->row,
                     fields < table->columns ? fields + 1 : table->columns + 1, fields,
                     table->columns);
    table->rows++;
    return DONE;
}

static fault index_rows(struct table *table)
{
    for (size_t row = 0; row < table->rows; row++) {
        struct table_cell *first = &table->cell[row * table->columns];
        struct span value = table_at(table, row, table->key);
        struct span name = table_column(table, table->key);
        if (value.size == 0)
            return RAISE(BAD_TABLE, "row %zu, column %zu (%.*s): the key is empty", row + 2,
                         table->key + 1, (int)name.size, (const char *)name.at);
        if (span_is_text(value, "openapi.json"))
            return RAISE(BAD_TABLE,
                         "row %zu, column %zu (%.*s): a key cannot be openapi.json: that is where "
                         "the description is",
                         row + 2, table->key + 1, (int)name.size, (const char *)name.at);
        const struct table_cell *before = map_set(&table->by_key, value, first);
        if (before != NULL)
            return RAISE(BAD_TABLE, "row %zu, column %zu (%.*s): this key also stands in row %zu",
                         row + 2, table->key + 1, (int)name.size, (const char *)name.at,
                         (size_t)(before - table->cell) / table->columns + 2);
    }
    return DONE;
}

static fault choose_key(struct table *table, const char *key)
{
    table->key = table->columns;
    if (key == NULL || key[0] == '\0')
        return DONE;
    size_t column = table_find_column(table, span_of_text(key));
    if (column == SIZE_MAX)
        return RAISE(BAD_TABLE, "row 1, column 1: there is no column \"%s\" to be the key", key);
    table->key = column;
    return index_rows(table);
}

fault table_parse(struct bytes **file, const char *key, struct table **out)
{
    OWNED(table) table = owned_new(sizeof *table);
    table->file = TAKE(*file);
    if (table->file->size > TABLE_BYTES_MAX)
        return RAISE(BAD_TABLE, "%zu bytes; at most %u are allowed", table->file->size,
                     TABLE_BYTES_MAX);
    struct parsing p = {.table = table, .in = bytes_span(table->file)};
    table->sum = crc32c(0, p.in);
    if (p.in.size >= 3 && memcmp(p.in.at, "\xef\xbb\xbf", 3) == 0)
        p.at = 3; /* spreadsheets put a byte-order mark there; it is not part of a name */
    TRY(take_header(&p));
    while (p.at < p.in.size)
        TRY(take_row(&p));
    TRY(choose_key(table, key));
    *out = TAKE(table);
    return DONE;
}

void table_free(struct table **self)
{
    if (*self == NULL)
        return;
    map_clear(&(*self)->by_key);
    bytes_free(&(*self)->file);
    free((*self)->column);
    free((*self)->cell);
    free(*self);
    *self = NULL;
}

// --- looking -------------------------------------------------------------------------------------

struct span table_text(const struct table *self, struct table_cell cell)
{
    return span_of(self->file->data + cell.at, cell.size);
}

struct span table_column(const struct table *self, size_t column)
{
    return table_text(self, self->column[column]);
}

struct span table_at(const struct table *self, size_t row, size_t column)
{
    return table_text(self, self->cell[row * self->columns + column]);
}

size_t table_find_column(const struct table *self, struct span name)
{
    for (size_t i = 0; i < self->columns; i++)
        if (span_equal(table_column(self, i), name))
            return i;
    return SIZE_MAX;
}

size_t table_find_key(const struct table *self, struct span value)
{
    const struct table_cell *first = map_get(&self->by_key, value);
    return first == NULL ? TABLE_NO_ROW : (size_t)(first - self->cell) / self->columns;
}

/* ASCII letters, and in UTF-8 those of Latin-1 (U+00C0 to U+00DE): what Spanish needs. */
static uint8_t folded(struct span text, size_t at)
{
    uint8_t c = text.at[at];
    if (c >= 'A' && c <= 'Z')
        return c | 0x20;
    if (at > 0 && text.at[at - 1] == 0xc3 && c >= 0x80 && c <= 0x9e && c != 0x97)
        return c | 0x20;
    return c;
}

static bool same_text(struct span a, struct span b)
{
    if (a.size != b.size)
        return false;
    for (size_t i = 0; i < a.size; i++)
        if (folded(a, i) != folded(b, i))
            return false;
    return true;
}

static bool meets(const struct table *self, size_t row, const struct table_filter *filter,
                  size_t filters)
{
    for (size_t i = 0; i < filters; i++)
        if (!same_text(table_at(self, row, filter[i].column), filter[i].value))
            return false;
    return true;
}

size_t table_next(const struct table *self, size_t from, const struct table_filter *filter,
                  size_t filters)
{
    for (size_t row = from; row < self->rows; row++)
        if (meets(self, row, filter, filters))
            return row;
    return TABLE_NO_ROW;
}
