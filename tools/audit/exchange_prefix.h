// SPDX-License-Identifier: MIT
/*
 * exchange_prefix - an exchange as people name it: its id, or the first digits of it, of which the
 * short texts of show and search print eight. Dashes may stand anywhere.
 */
#ifndef TOOLS_AUDIT_EXCHANGE_PREFIX_H
#define TOOLS_AUDIT_EXCHANGE_PREFIX_H

#include "lib/base/fault.h"
#include "lib/bus/limits.h"

#include <stdbool.h>
#include <stdint.h>

#define EXCHANGE_DIGITS_LEAST 8 /* as many as the short text shows */

struct exchange_prefix {
    char digits[2 * EXCHANGE_ID_BYTES + 1]; /* hex, lower case; "": none was given */
};

/* BAD_REQUEST: no hex digits, or fewer than EXCHANGE_DIGITS_LEAST, or more than an id has. */
fault exchange_prefix_read(const char *text, struct exchange_prefix *out);
bool exchange_prefix_fits(const struct exchange_prefix *self,
                          const uint8_t exchange_id[EXCHANGE_ID_BYTES]);

#endif
