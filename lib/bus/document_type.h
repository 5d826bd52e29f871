// SPDX-License-Identifier: MIT
/*
 * document_type - the country's table of identity documents: which types there are, what their
 * numbers are made of, and which of them share one space of numbers. A person is looked for by the
 * space and the number, so a look under a tarjeta de identidad is in the view of the cédula.
 *
 *   CC, TI, RC, NUIP    CC: the number that the Registraduría gives at birth stays for life
 *   PE, PEP             PEP: two spellings
 *   PPT, PT             PPT: two spellings
 *   NIT                 CC, when the number is one of persons (up to 8 digits, or 10 that begin
 *                       with 1): who has a cédula has it as NIT too. Else NIT: firms, and
 *                       persons to whom the DIAN gave a number of its own
 *   CD, CE, DE, PA, SC  each its own
 *
 * To be confirmed with the Registraduría and the DIAN (docs/decisions/0045).
 */
#ifndef BUS_DOCUMENT_TYPE_H
#define BUS_DOCUMENT_TYPE_H

#include "lib/base/bytes.h"

#define DOCUMENT_SPACE_ROOM 5 /* with the closing NUL */

struct document_type {
    const char *name;
    const char *space;
    bool letters;     /* in its numbers */
    bool check_digit; /* may stand behind the number and a hyphen */
};

/* Capitals or not; NULL: none. */
const struct document_type *document_type_of(struct span word);

/* Of this number, in its one form. */
const char *document_space(const struct document_type *type, const char *number);

/* Of a NIT: the weights of the DIAN (Orden Administrativa 4 de 1989), modulo 11. number: digits, 15
 * at most, else '\0'. */
char document_check_digit(const char *number);

#endif
