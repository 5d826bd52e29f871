// SPDX-License-Identifier: MIT
/*
 * draft - acts that somebody thinks of proposing, as a file that may be handed about: without
 * number, time, intent and approval, so that nobody can carry them out with it. What they would
 * change is decided by a state in which they are supposed to stand.
 */
#ifndef BUS_DRAFT_H
#define BUS_DRAFT_H

#include "lib/bus/directory.h"

#define DRAFT_BYTES_MAX (1u << 20)
#define DRAFT_ACTS_MAX 1024

/* acts: packed chaski.Act, whoever has approved them. bytes_free() the result. BAD_REQUEST: none,
 * or too many. */
fault draft_make(const struct span *acts, size_t count, struct bytes **out);

struct draft_facts {
    size_t acts;
    int64_t from_ms; /* when the last of them that names a beginning begins; 0: none does */
};

/* From now on the state is as if they had been carried out at that time by whom it takes; it is
 * spoilt for anything but questions about it. BAD_FRAME: no draft. DIRECTORY_BAD: one of them
 * cannot stand, in words. */
fault draft_suppose(struct directory *state, struct span draft, int64_t at_ms,
                    struct draft_facts *out);

#endif
