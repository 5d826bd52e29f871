// SPDX-License-Identifier: MIT
/*
 * source_query - how a source is asked: the one form that its path may have in the register, and
 * whether a request is that very query.
 *
 *   path   = [ "/" segment *( "/" segment ) ] [ "?" name "=" value *( "&" name "=" value ) ]
 *
 * Segments and values are letters, digits, signs that mean nothing in an address, and {places}; no
 * segment but the last is empty, and none is one or two dots. So nothing in it can be read in two
 * ways: no percent sign, no fragment, no second question mark.
 */
#ifndef BUS_SOURCE_QUERY_H
#define BUS_SOURCE_QUERY_H

#include "lib/base/bytes.h"

/* DIRECTORY_BAD, with the rule that it breaks; id: the source's, for the sentence. Says nothing
 * about whether the places are known. */
fault source_query_check(const char *id, const char *path);

/* Is `target`, what stands behind the service in a request, that path with each place filled in, as
 * plan_fill() writes values? At least one letter for each. */
bool source_query_fits(const char *path, struct span target);

#endif
