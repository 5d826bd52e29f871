// SPDX-License-Identifier: MIT
/*
 * sealing - may this exchange be kept from the view of the person that it is about? By an act of
 * the directory that names the caller, the purpose, and for how long at most. A pure function of
 * the directory and the time, equal on both sides.
 */
#ifndef BUS_SEALING_H
#define BUS_SEALING_H

#include "lib/bus/directory.h"

struct sealing_question {
    struct span client;  /* I/C/M/S */
    struct span purpose; /* of the exchange */
    struct span sealing; /* id of the act */
    int64_t until_ms;    /* the unseal date */
    int64_t at_ms;       /* of the request */
};

/* SEALING_REFUSED says what is missing. */
fault sealing_check(const struct directory *directory, const struct sealing_question *question);

#endif
