// SPDX-License-Identifier: MIT
/*
 * store_key - the key under which a node keeps its day keys: keys_folder/store.key, 64 hex digits
 * and a newline, mode 0600; or that, sealed. Whoever copies the disk of the evidence log without it
 * reads no payload.
 */
#ifndef BUS_STORE_KEY_H
#define BUS_STORE_KEY_H

#include "lib/crypto/key_file.h"
#include "lib/crypto/key_wrap.h"

#define STORE_KEY_FILE "store.key"

/* Makes one, sealed unless the passphrase is empty; IO_FAILED when there is a file already. */
fault store_key_make(const char *path, struct span passphrase);
/* A file that may be sealed; `opener` as in key_file.h. BAD_KEY: missing, others can read it, or it
 * is no store key; BAD_PASSPHRASE. */
fault store_key_load(const char *path, struct key_opener *opener, struct key_wrap **out);

#endif
