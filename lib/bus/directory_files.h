// SPDX-License-Identifier: MIT
/*
 * directory_files - which files of a published directory lead to its state: for who fetches them.
 *
 * From a snapshot on these are the snapshot, the tiles of hashes at its edge, and the bundles of
 * entries behind it: a quarter of the bytes of all entries, and a tenth of the time of checking
 * them. directory_load() believes none of them.
 */
#ifndef BUS_DIRECTORY_FILES_H
#define BUS_DIRECTORY_FILES_H

#include "lib/base/bytes.h"

#define DIRECTORY_FILE_NAME_BYTES 96

struct directory_file {
    char name[DIRECTORY_FILE_NAME_BYTES];    /* below the directory's folder */
    char instead[DIRECTORY_FILE_NAME_BYTES]; /* when it is no longer there: the same, filled since;
                                                "" when that cannot be */
    size_t bytes_max;
};

/* One after the other: *step = 0 first, false at the end. snapshot: of so many acts, fewer than
 * `head`; 0: all entries from the first on, without one. Checkpoint and authority.pem not counted.
 */
bool directory_files_next(uint64_t snapshot, uint64_t head, uint64_t *step,
                          struct directory_file *out);

/* What snapshot/newest says; 0: nothing that can be used. Ask for it before the checkpoint, or the
 * snapshot may be the newer one. */
uint64_t directory_files_newest(struct span body);

#endif
