// SPDX-License-Identifier: MIT
/*
 * lookalike - identifiers that a person would take for each other.
 *
 * Both are drawn in a plain alphabet: without case and accents, letters of other scripts as the
 * Latin ones that they look like, 0 as o, 1, i and | as l, dashes as one, what cannot be seen left
 * out, dots and blanks at the end of a part too, and zeros at the head of a number. Our own short
 * table, in the spirit of Unicode TS 39 skeletons: it warns people and decides nothing.
 */
#ifndef BUS_LOOKALIKE_H
#define BUS_LOOKALIKE_H

#include "lib/base/bytes.h"

/* Canonical texts (percent-encoded). Also true for two that are equal. */
bool lookalike(struct span a, struct span b);

#endif
