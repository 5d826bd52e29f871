// SPDX-License-Identifier: MIT
/*
 * key_file - the content of a private key's file, sealed or not.
 */
#ifndef CRYPTO_KEY_FILE_H
#define CRYPTO_KEY_FILE_H

#include "lib/base/secret.h"

#define KEY_FILE_BYTES_MAX 8192

/* What is given to open sealed files with, and how many of each kind were opened. */
struct key_opener {
    struct span passphrase; /* empty: none is given */
    size_t sealed, unsealed;
};

/* The content as it is unsealed. BAD_KEY when the file is missing, a symbolic link, not a regular
 * file, too large, or open to group or others; BAD_PASSPHRASE when it is sealed and does not open.
 * `opener` may be NULL: no passphrase is given. */
fault key_file_read(const char *path, struct key_opener *opener, struct secret **out);
/* The content as it stands in the file, without opening it. BAD_KEY as above. */
fault key_file_read_as_is(const char *path, struct secret **out);

/* Writes a new one, mode 0600, and syncs it (not its folder): sealed, when the passphrase is not
 * empty, and opened again before anything of it is on the disk. IO_FAILED: it cannot be written, or
 * there is a file already, which stays; BAD_PASSPHRASE: a short one. Waits for the disk. */
fault key_file_make(const char *path, struct span content, struct span passphrase);

#endif
