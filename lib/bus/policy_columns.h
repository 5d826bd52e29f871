// SPDX-License-Identifier: MIT
/*
 * policy_columns - which columns of a table a caller gets who may ask it at all. Each column that a
 * service lists is decided on by the rules of policy.h as if it were a service of its own class,
 * with the restrictions and grants that are about it. A table whose service lists columns gives no
 * other: column/unlisted is the rule for what nobody said anything about.
 */
#ifndef BUS_POLICY_COLUMNS_H
#define BUS_POLICY_COLUMNS_H

#include "lib/bus/policy.h"
#include "lib/bus/withheld.h"

#define POLICY_COLUMN_UNLISTED "column/unlisted"

struct policy_column {
    char name[COLUMN_NAME_BYTES_MAX + 1];
    char rule[POLICY_RULE_ROOM]; /* by which it is withheld; "": it is given */
};

/* count 0: the service lists none, and the table is given as it is. */
struct policy_columns {
    size_t count;
    struct policy_column column[DIRECTORY_COLUMNS_MAX];
};

/* Of a question that policy_decide allows. Texts are copies. */
void policy_columns(const struct directory *directory, const struct policy_question *question,
                    struct policy_columns *out);

/* Those that are withheld; points into `self`. */
void policy_columns_withheld(const struct policy_columns *self, struct withheld *out);

#endif
