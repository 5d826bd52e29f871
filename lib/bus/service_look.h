// SPDX-License-Identifier: MIT
/*
 * service_look - what somebody who changes a service may not have thought of. It is said, and
 * nothing is refused: the owner of the data decides.
 */
#ifndef BUS_SERVICE_LOOK_H
#define BUS_SERVICE_LOOK_H

#include "lib/bus/directory.h"

#define SERVICE_LOOK_ROOM 768

/* It is restricted at that time, in whole or in part and for everybody, and requests to it need not
 * say about whom they are: one line of words in `out`. False: there is nothing to say. */
bool service_look(const struct directory *state, const char *service, bool subject_required,
                  int64_t at_ms, char out[SERVICE_LOOK_ROOM]);

#endif
