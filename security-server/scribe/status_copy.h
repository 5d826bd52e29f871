// SPDX-License-Identifier: MIT
/*
 * status_copy - takes what outside authorities said of certificates from the published directory
 * into this log's own copy of it: evidence for records that their certificates signed.
 *
 *   <directory_folder>/status/index     names, one a line: see docs/AUDIT-FORMAT.md
 *   <audit_folder>/directory/status/    the same files
 *
 * Nothing in them is believed here: they are signed, and whoever exports a record checks them.
 */
#ifndef SCRIBE_STATUS_COPY_H
#define SCRIBE_STATUS_COPY_H

#include "lib/base/fault.h"

#include <time.h>

struct status_copy {
    struct timespec stamp; /* of the index that was worked off */
    bool said;             /* a standing fault is said once */
};

/* Copies at most STATUS_COPIES_A_TURN files that are new. Does nothing as long as the index is the
 * one that was worked off. Waits for the disk. */
void status_copy_look(struct status_copy *self, const char *directory_folder,
                      const char *audit_folder);

#endif
