// SPDX-License-Identifier: MIT
/*
 * printable - words out of a log, made harmless for a terminal.
 *
 * Whoever writes into a log chooses its words. Printed as they are, a newline forges a row, an
 * escape sequence drives the auditor's terminal, and a change of writing direction makes a line
 * read as another. So all of that is shown as \xNN, byte by byte, and a backslash as two: nothing
 * else changes, and what is shown stands for one text only.
 */
#ifndef EVIDENCE_PRINTABLE_H
#define EVIDENCE_PRINTABLE_H

#include "lib/base/bytes.h"

#include <stdio.h>

struct printable {
    char *text;
};

/* Never NULL; printable_free() it, or OWNED(printable). */
struct printable *printable_of(struct span words);
void printable_free(struct printable **self);

/* Writes the words, escaped, on one line. */
void printable_put(FILE *out, struct span words);
/* The same for long text: its own lines stay lines, each behind `before`, so that none of them can
 * pass for one of ours. */
void printable_put_lines(FILE *out, const char *before, struct span words);

#endif
