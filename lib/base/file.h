// SPDX-License-Identifier: MIT
/*
 * file - whole files, durable replacement, locks.
 */
#ifndef BASE_FILE_H
#define BASE_FILE_H

#include "lib/base/bytes.h"

#include <sys/types.h>

/* The whole file, at most `most` bytes. NOT_FOUND when there is none; IO_FAILED with the size when
 * it is larger. */
fault file_read(const char *path, size_t most, struct bytes **out);
/* Temp file, fsync, rename, fsync of the folder: a reader sees the old or the new bytes, and after
 * return the new ones survive a power cut. */
fault file_replace(const char *path, struct span bytes, mode_t mode);
fault file_make_folders(const char *path, mode_t mode); /* like mkdir -p */
/* Makes names in the folder durable. */
fault file_sync_folder(const char *path);
/* Has the disk begin to write what was written, and neither waits nor promises anything. */
void file_sync_ahead(int fd);
/* All bytes at an offset, whatever write(2) returns in between. */
fault file_write_at(int fd, struct span bytes, off_t at);
fault file_read_at(int fd, uint8_t *out, size_t size, off_t at); /* IO_FAILED when it ends early */
/* Takes the lock of this path for the life of the process; REFUSED when another holds it. */
fault file_lock(const char *path, int *fd_out);
/* Lets this process have as many files open as the system allows it, FILE_OPEN_MAX at most: what a
 * login gives, 1,024 as a rule, ends long before a country's connections do. */
#define FILE_OPEN_MAX 65536
void file_raise_limit(void);

#endif
