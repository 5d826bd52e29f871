// SPDX-License-Identifier: MIT
/*
 * permit_code - the short code of a permit, as it is printed on a form and read over a telephone:
 * nine random characters of Crockford's base32 (45 bits: nobody finds one by guessing) and a check
 * character, which finds each wrong character and each two that changed places.
 */
#ifndef BUS_PERMIT_CODE_H
#define BUS_PERMIT_CODE_H

#include "lib/bus/limits.h"

#include <stdbool.h>
#include <stdint.h>

#define PERMIT_CODE_ROOM (PERMIT_CODE_BYTES + 1)

/* Of the low 45 bits. */
void permit_code_make(uint64_t random, char out[PERMIT_CODE_ROOM]);
/* As it is written down: ten characters, capitals, and the check is right. */
bool permit_code_fits(const char *code);
/* As a person gives it: small letters, hyphens and blanks, O for 0, I and L for 1. false: no code.
 */
bool permit_code_read(const char *given, char out[PERMIT_CODE_ROOM]);

#endif
