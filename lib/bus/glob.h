// SPDX-License-Identifier: MIT
/*
 * glob - patterns for paths, as X-Road has them for endpoints (PR-REST, UG-SS): `*` is any run
 * without a slash, `**` is anything, a backslash takes away the meaning of `*` and of itself, all
 * else stands for itself, and the whole text must match. Pure; no memory is taken.
 */
#ifndef BUS_GLOB_H
#define BUS_GLOB_H

#include "lib/base/bytes.h"
#include "lib/bus/limits.h"

/* Ready for matching: a byte, or a wildcard (glob.c), each. */
struct glob {
    uint8_t tokens;
    uint16_t token[GLOB_BYTES_MAX];
};

/* BAD_REQUEST: empty, longer than GLOB_BYTES_MAX, or a backslash before anything but `*` and `\`.
 */
fault glob_compile(struct span pattern, struct glob *out);

/* Time: the text's length times the pattern's at most, whatever both are. */
bool glob_matches(const struct glob *self, struct span text);
/* The same without regard to the case of ASCII letters. */
bool glob_matches_any_case(const struct glob *self, struct span text);

#endif
