// SPDX-License-Identifier: MIT
/*
 * consumer - whom a competence, a restriction or a grant is about, in one word:
 *   I/C/M/SUBSYSTEM    that subsystem
 *   I/C/M              all subsystems of that member
 *   I/C                all members of that class, present and future: every municipality
 *   group:ID           the members and subsystems of that group
 */
#ifndef BUS_CONSUMER_H
#define BUS_CONSUMER_H

#include "lib/bus/directory.h"

/* Itself, its member, its class, and the groups of the first two. */
#define CONSUMER_NAMES_MAX (3 + 2 * DIRECTORY_GROUPS_OF_ONE_MAX)

struct consumer_names {
    size_t count;
    struct span name[CONSUMER_NAMES_MAX];
};

/* All words that mean this subsystem, the narrowest first; they point into `client` and the state.
 */
void consumer_names_of(const struct directory *directory, struct span client,
                       struct consumer_names *out);

/* DIRECTORY_BAD unless the word is canonical and names what is there. `what` begins the sentence.
 */
fault consumer_check(const struct directory *directory, const char *what, const char *word);

#endif
