// SPDX-License-Identifier: MIT
/*
 * act_texts - what people will read of an act, before the act is taken.
 */
#ifndef REGISTRY_ACT_TEXTS_H
#define REGISTRY_ACT_TEXTS_H

#include "lib/base/fault.h"

struct Chaski__Act; /* directory.pb-c.h */

/* Each text of the act, of whatever kind it is, reads as what it is (lib/base/shown.h): REFUSED
 * names the field and the character. The fold itself is not as strict, for what was taken once
 * must go on being taken. */
fault act_texts_check(const struct Chaski__Act *act);

#endif
