// SPDX-License-Identifier: MIT
#include "security-server/exchange/columns_told.h"

#include "lib/base/owned.h"

#include "front.pb-c.h"

#include <stdlib.h>

struct columns_told {
    size_t withheld, given;
    Chaski__WithheldColumn column[DIRECTORY_COLUMNS_MAX];
    Chaski__WithheldColumn *columns[DIRECTORY_COLUMNS_MAX];
    char *name[DIRECTORY_COLUMNS_MAX];
};

/* protobuf-c wants writable text and only reads it. */
static char *lend(const char *text)
{
    return (char *)(uintptr_t)text;
}

static struct columns_told *tell(const struct policy_columns *columns)
{
    struct columns_told *self = owned_new(sizeof *self);
    for (size_t i = 0; i < columns->count; i++) {
        const struct policy_column *at = &columns->column[i];
        if (at->rule[0] == '\0') {
            self->name[self->given++] = lend(at->name);
            continue;
        }
        Chaski__WithheldColumn *out = &self->column[self->withheld];
        chaski__withheld_column__init(out);
        out->column = lend(at->name);
        out->rule = lend(at->rule);
        self->columns[self->withheld++] = out;
    }
    return self;
}

struct columns_told *columns_told_call(const struct policy_columns *columns, Chaski__Call *call)
{
    if (columns == NULL)
        return NULL;
    struct columns_told *self = tell(columns);
    call->n_withheld = self->withheld;
    call->withheld = self->columns;
    call->n_given = self->given;
    call->given = self->name;
    return self;
}

struct columns_told *columns_told_can(const struct policy_columns *columns,
                                      Chaski__CanAnswer *answer)
{
    struct columns_told *self = tell(columns);
    answer->n_withheld = self->withheld;
    answer->withheld = self->columns;
    return self;
}

void columns_told_free(struct columns_told **self)
{
    free(*self);
    *self = NULL;
}
