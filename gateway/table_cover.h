// SPDX-License-Identifier: MIT
/*
 * table_cover - which columns of a table one caller does not see, as the own security server said
 * with the call. Who lists columns gives no others: a column that somebody added to the file is
 * hidden until the directory says something about it.
 */
#ifndef GATEWAY_TABLE_COVER_H
#define GATEWAY_TABLE_COVER_H

#include "gateway/front_line.h"
#include "lib/bus/table.h"

struct table_cover {
    size_t hidden;                       /* so many; 0: nothing is */
    const char *rule[TABLE_COLUMNS_MAX]; /* by which a column is; NULL: it is shown */
};

void table_cover_make(const struct table *table, const struct front_call *call,
                      struct table_cover *out);

/* The same where only those are known that are shown. */
void table_cover_given(const struct table *table, const char *const *given, size_t count,
                       struct table_cover *out);

/* For the field Chaski-Withheld: `name;rule="RULE"`, by commas, names percent-encoded; behind
 * TABLE_COVER_FIELD_BYTES_MAX only how many more there are: more=N. */
void table_cover_write_field(const struct table *table, const struct table_cover *self,
                             struct bytes *out);
/* [{"column":NAME,"rule":RULE},...], all of them. */
void table_cover_write_json(const struct table *table, const struct table_cover *self,
                            struct bytes *out);

#endif
