// SPDX-License-Identifier: MIT
/*
 * leaf_set_private - what the rooms of leaf_set share: leaf_set_read.c scans, leaf_set_digest.c
 * sorts and hashes.
 */
#ifndef BUS_LEAF_SET_PRIVATE_H
#define BUS_LEAF_SET_PRIVATE_H

#include "lib/bus/leaf_set.h"

#define SET_PATH_BYTES 512

/* One walk over a file, in its own order. */
struct set_scan {
    const struct set_range *range;
    void (*visit)(void *owner, const struct set_entry *entry);
    void *owner;
};

/* Visits what is in the range; no file is an empty one. LOG_BROKEN, IO_FAILED. */
fault set_scan_file(const struct set_scan *scan, const char *path);
/* The set of one hour, as whoever reads it finds it. IO_FAILED: it is broken. */
fault set_path_to_read(const char *audit_folder, const char *peer, int64_t hour,
                       char path[SET_PATH_BYTES]);

#endif
