// SPDX-License-Identifier: MIT
/*
 * withheld - columns of a table that an answer does not hold, each with the rule that keeps it from
 * its caller. Names of columns are no personal data; they stand in the answer's signed header.
 */
#ifndef BUS_WITHHELD_H
#define BUS_WITHHELD_H

#include "lib/bus/limits.h"

#include <stddef.h>

struct withheld_column {
    const char *name; /* as the directory has it, at most COLUMN_NAME_BYTES_MAX */
    const char *rule; /* policy_columns.h */
};

struct withheld {
    size_t count;
    struct withheld_column column[DIRECTORY_COLUMNS_MAX];
};

#endif
