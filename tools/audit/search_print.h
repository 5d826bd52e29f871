// SPDX-License-Identifier: MIT
/*
 * search_print - rows of a search for people, as JSON and as CSV.
 *
 * The words are strangers': for people and in CSV they are shown as printable.h says, and a cell
 * that a spreadsheet would take for a formula begins with an apostrophe.
 */
#ifndef TOOLS_AUDIT_SEARCH_PRINT_H
#define TOOLS_AUDIT_SEARCH_PRINT_H

#include "tools/audit/search_query.h"

struct search_print;

/* Borrows both. */
struct search_print *search_print_new(const struct search_arguments *arguments,
                                      const struct index *index);
void search_print_free(struct search_print **self);
/* Takes one row. */
void search_print_row(void *self, const struct search_row *row);
/* Writes the page to stdout; what is no row of it goes to stderr, but for people and in JSON. */
void search_print_end(struct search_print *self, const struct search_page *page);

#endif
