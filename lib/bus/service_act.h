// SPDX-License-Identifier: MIT
/*
 * service_act - a service as the act that sets it: for snapshots, and for commands that change one
 * thing of it and leave the rest as it is. What may be is decided by the fold.
 */
#ifndef BUS_SERVICE_ACT_H
#define BUS_SERVICE_ACT_H

#include "lib/base/arena.h"
#include "lib/bus/directory.h"

struct Chaski__ServiceSet; /* directory.pb-c.h */

/* The service as it stands. Lists lie in `memory`, texts are the state's. */
void service_act_of(struct arena *memory, const struct directory_service *from,
                    struct Chaski__ServiceSet *out);

/*
 * Sets the endpoints anew, from words ID:METHOD:PATTERN[:CLASS]; class is open or shared, and
 * without one shared. A single word "none" takes them all away. None given: they stay.
 * BAD_REQUEST: not such a word.
 */
fault service_act_endpoints(struct arena *memory, const char *const *word, size_t words,
                            struct Chaski__ServiceSet *out);

/* "required" or "optional"; NULL: it stays. False: another word. */
bool service_act_subject(const char *word, struct Chaski__ServiceSet *out);

/* As the endpoints, the columns, from words NAME or NAME:CLASS. */
fault service_act_columns(struct arena *memory, const char *const *word, size_t words,
                          struct Chaski__ServiceSet *out);

#endif
