// SPDX-License-Identifier: MIT
/*
 * view_cache - our own log and its copy of the directory, as containers are made from them. The
 * directory is verified once and again when it has changed, not for each container.
 */
#ifndef CLERK_VIEW_CACHE_H
#define CLERK_VIEW_CACHE_H

#include "lib/evidence/record.h"

#include <time.h>

struct view_cache {
    struct log_view *view;
    struct standing *standing;
    unsigned epoch;        /* that was asked for */
    struct timespec stamp; /* of the directory's checkpoint when it was read */
};

/* One epoch of it (0: the newest), as it is now; a fault leaves the cache empty. DIRECTORY_BAD also
 * while the copy is being written: try again. */
fault view_cache_refresh(struct view_cache *self, const char *audit_folder, unsigned epoch);
void view_cache_clear(struct view_cache *self);

#endif
