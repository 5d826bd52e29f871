// SPDX-License-Identifier: MIT
/*
 * hurry - somebody wants a record time-stamped right away (GET /asic with `force`): the clerk
 * leaves the size that is wanted in log/<epoch>/hurry, and the scribe does not wait for its next
 * round. What is stamped is the same as ever: a checkpoint with a quorum, where there are
 * witnesses.
 */
#ifndef SCRIBE_HURRY_H
#define SCRIBE_HURRY_H

#include "lib/base/fault.h"

#include <stdbool.h>
#include <stdint.h>

struct hurry {
    uint64_t wanted; /* entries; 0: nobody hurries */
    int64_t next_ms; /* steady; a stamp that failed is tried again then */
    int64_t stamp_s, stamp_ns;
};

/* Looks whether somebody hurries, and whether what is wanted is stamped already. */
void hurry_look(struct hurry *self, const char *audit_folder, unsigned epoch);
/* Is a checkpoint of this size to be stamped now, though none was cosigned just now? */
bool hurry_is_due(struct hurry *self, uint64_t size);

#endif
