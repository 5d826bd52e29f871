// SPDX-License-Identifier: MIT
/*
 * once_only_lint - what of the procedures as they are written down is not once only: debts (what
 * the form asks for, although a source delivers it), and what keeps a procedure from being planned
 * or told from another. Of the register, and of a table of SUIT. Pure.
 */
#ifndef BUS_ONCE_ONLY_LINT_H
#define BUS_ONCE_ONLY_LINT_H

#include "lib/base/arena.h"
#include "lib/bus/once_only.h"
#include "lib/bus/table.h"

/* Their words stay: others sort by them. */
enum lint_kind {
    LINT_DEBT = 1,        /* asks citizens for what a source delivers */
    LINT_REPEATED_NUMBER, /* two procedures of one municipality have one number */
    LINT_NO_NUMBER,
    LINT_BAD_CODE,        /* of a municipality: not five digits; a zero is lost */
    LINT_NO_SATISFACTION, /* nobody has said what proves a requirement */
    LINT_OTHER_TITLE,     /* the table and the register call it otherwise */
    LINT_NOT_REGISTERED,  /* in the table, and not in the register: nothing can be said of it */
    LINT_KINDS_END
};

struct lint_finding {
    enum lint_kind kind;
    const char *id; /* of a procedure, or its number in the table */
    const char *title;
    const char *owner;       /* a consumer, or the municipality's code */
    const char *requirement; /* DEBT, NO_SATISFACTION; else "" */
    const char *source;      /* DEBT; else "" */
    const char *text;        /* a sentence */
    size_t row;              /* of the table, the header being row 1; 0: of the register */
    int64_t since_ms;        /* DEBT: from when it is one; 0: not known */
};

struct lint {
    size_t count, room;
    struct lint_finding *finding;
    size_t of_kind[LINT_KINDS_END];
    size_t procedures, rows; /* that were looked at */
    struct arena memory;
};

/* Both NULL for what is not there. The table has the columns cod_municipio_divipola, numero_suit
 * and nombre_tramite, else BAD_TABLE. lint_clear() also after a fault. */
fault lint_look(const struct directory *directory, const struct table *table, int64_t at_ms,
                struct lint *out);
void lint_clear(struct lint *self);

const char *lint_kind_word(enum lint_kind kind); /* "debt" */

#endif
