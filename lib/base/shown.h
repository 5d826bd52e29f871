// SPDX-License-Identifier: MIT
/*
 * shown - words of others on a person's screen.
 *
 * Some characters move the cursor, hide, or change the direction of what stands around them: with
 * them a name reads as another name and a line as another line. Where words of others come in they
 * are refused; what stands somewhere already is shown with them made visible.
 */
#ifndef BASE_SHOWN_H
#define BASE_SHOWN_H

#include "lib/base/cursor.h"

#include <stdio.h>

/* Controls (C0, DEL, C1), marks and overrides of direction, separators of lines, what has no
 * width, private and unassigned planes. point: a Unicode code point. */
bool shown_misleads(uint32_t point);

/* UTF-8 with none of these: it reads as what it is. */
bool shown_as_is(struct span text);

/* Takes one character, or one byte of what is none; something must be left. False when it must not
 * be shown as it is. *point: 0xfffd for a byte of what is none. */
bool shown_take(struct cursor *at, struct span *out, uint32_t *point);

/* Writes lines, or JSON, for people: such a character as \uXXXX (two of them beyond the first
 * plane), which JSON reads as the same text; newlines stay. */
void shown_page(FILE *out, struct span text);

/* In place: each such character becomes a question mark. */
void shown_plainly(char *text);

#endif
