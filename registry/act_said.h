// SPDX-License-Identifier: MIT
/*
 * act_said - an act in one line of words, for who is asked to approve it.
 *
 * Everything that the act changes stands in it: keys by the first 16 hex digits of their SHA-256,
 * certificates by theirs. Of a server, what is replaced is named first and what stood there last.
 */
#ifndef REGISTRY_ACT_SAID_H
#define REGISTRY_ACT_SAID_H

#include "lib/base/bytes.h"
#include "lib/bus/directory.h"

struct Chaski__Act; /* directory.pb-c.h */

#define ACT_SAID_ROOM 4096

/* state: what stands there now, to tell what is new from what is changed; NULL for an act of the
 * past. Cut with
 * "..." when it does not fit. */
void act_said(const struct Chaski__Act *act, const struct directory *state, char *out, size_t room);

#endif
