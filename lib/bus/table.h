// SPDX-License-Identifier: MIT
/*
 * table - a CSV file (RFC 4180) in memory: UTF-8, a header row, and if wanted a key column whose
 * values are unique. Everything is text: codes such as 05001 keep their zeros. Pure.
 *
 * Nothing is repaired. What is broken is refused with its row and column, the header being row 1.
 */
#ifndef BUS_TABLE_H
#define BUS_TABLE_H

#include "lib/base/bytes.h"
#include "lib/base/map.h"
#include "lib/bus/limits.h"

/* A place in the file's bytes. */
struct table_cell {
    uint32_t at;
    uint32_t size;
};

struct table {
    struct bytes *file; /* owned; quoted fields are unquoted in place */
    size_t columns;
    struct table_cell *column;
    size_t rows;
    size_t rows_room;
    struct table_cell *cell; /* rows * columns */
    size_t key;              /* column; == columns: none */
    struct map by_key;       /* value -> first cell of its row */
    uint32_t sum;            /* CRC-32C of the file as it came */
};

#define TABLE_NO_ROW SIZE_MAX

/*
 * Takes the file's bytes. key: a column's name, or NULL or "" for none.
 * BAD_TABLE, with row and column: not UTF-8, a control byte, a quote out of place, a row with more
 * or fewer fields than the header, a column without a name or with another's or named limit or
 * offset, an empty or repeated key (both rows are named) or one that is openapi.json, no such key
 * column, more than TABLE_ROWS_MAX rows.
 */
fault table_parse(struct bytes **file, const char *key, struct table **out);
void table_free(struct table **self);

struct span table_text(const struct table *self, struct table_cell cell);
struct span table_column(const struct table *self, size_t column);
struct span table_at(const struct table *self, size_t row, size_t column);
/* SIZE_MAX when there is none. */
size_t table_find_column(const struct table *self, struct span name);
size_t table_find_key(const struct table *self, struct span value);

struct table_filter {
    size_t column;
    struct span value; /* the whole value; capitals and small letters count as the same */
};

/* The first row from `from` on that meets all filters; TABLE_NO_ROW at the end. */
size_t table_next(const struct table *self, size_t from, const struct table_filter *filter,
                  size_t filters);

#endif
