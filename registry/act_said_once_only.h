// SPDX-License-Identifier: MIT
/*
 * act_said_once_only - acts of the registers of once only, in words: for act_said.c alone.
 */
#ifndef REGISTRY_ACT_SAID_ONCE_ONLY_H
#define REGISTRY_ACT_SAID_ONCE_ONLY_H

#include "lib/bus/directory.h"

struct Chaski__Act;
struct Chaski__Removed;

/* false: it is another kind of act. `out` is plain as far as the act's texts are. */
bool act_said_once_only(const struct Chaski__Act *act, char *out, size_t room);
/* "procedure"; NULL: another kind of thing. */
const char *act_said_once_only_noun(const struct Chaski__Removed *act);

#endif
