// SPDX-License-Identifier: MIT
/*
 * ahead_file - a file that is filled with zeros some way ahead of where it is written, so that
 * making a write durable changes no metadata. All faults are LOG_FAILED.
 */
#ifndef BUS_AHEAD_FILE_H
#define BUS_AHEAD_FILE_H

#include "lib/base/bytes.h"

#include <sys/types.h>

struct ahead_file {
    int fd; /* -1: closed */
    off_t size;
    off_t step;   /* how far ahead, in bytes: a multiple of 64 KiB */
    bool touched; /* since it was last made durable */
};

fault ahead_file_open(const char *path, off_t step, struct ahead_file *out);
/* Not made durable by that. */
void ahead_file_close(struct ahead_file *self);
/* Until it has at least `needed` bytes. */
fault ahead_file_grow(struct ahead_file *self, off_t needed);
fault ahead_file_put(struct ahead_file *self, struct span bytes, off_t at);
/* Ends the process when fdatasync fails: what was written may be lost, and nobody knows what.
 * `folder` is for the event. */
void ahead_file_sync(struct ahead_file *self, const char *folder);
/* Has the disk begin with that, and does not wait. */
void ahead_file_sync_ahead(const struct ahead_file *self);

#endif
