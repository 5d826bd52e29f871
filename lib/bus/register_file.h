// SPDX-License-Identifier: MIT
/*
 * register_file - the registers of once_only.h as people write them: one JSON document, whose parts
 * become acts in the order in which they lean on one another. What it looks like:
 * docs/ONCE-ONLY.md.
 */
#ifndef BUS_REGISTER_FILE_H
#define BUS_REGISTER_FILE_H

#include "lib/bus/directory.h"

struct Chaski__Act; /* directory.pb-c.h */

/* Given each act without context, number and time; what it points to is lent until it returns.
 * `what` names it for people: "procedure T-1". */
typedef fault register_file_take(void *owner, struct Chaski__Act *act, const char *what);

/* text: at most REGISTER_FILE_BYTES_MAX. state: who stands there already keeps its beginning.
 * BAD_REQUEST with the place ("procedures[3]: title is missing"), or the fault of `take`. */
fault register_file_read(struct span text, const struct directory *state, int64_t now_ms,
                         register_file_take *take, void *owner);

#endif
