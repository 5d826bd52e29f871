// SPDX-License-Identifier: MIT
/*
 * pair_type - the nine things that two logs of the same exchanges can show against one another.
 * Source: ref/evidence D; in plain words in docs/AUDIT.md.
 */
#ifndef BUS_PAIR_TYPE_H
#define BUS_PAIR_TYPE_H

#include "lib/bus/header.h"

/* The numbers are written into reports. */
enum pair_type {
    PAIR_REQUEST_AT_CONSUMER = 1,
    PAIR_REQUEST_AT_PROVIDER,
    PAIR_ANSWER_AT_PROVIDER,
    PAIR_ANSWER_AT_CONSUMER,
    PAIR_TWO_HEADERS,
    PAIR_TWO_SIGNATURES,
    PAIR_BAD_LEAF,
    PAIR_ORDER,
    PAIR_CLOCK,
    PAIR_TYPES_END
};

/* A leaf that only one of two logs has. own: signed by the one from whose side it is told;
 * missing_here: it is the other one that has it. */
enum pair_type pair_type_of(enum header_kind kind, bool own, bool missing_here);

/* "request only at consumer"; what it means; what to do. "" for no type. */
const char *pair_type_word(enum pair_type type);
const char *pair_type_meaning(enum pair_type type);
const char *pair_type_action(enum pair_type type);

#endif
