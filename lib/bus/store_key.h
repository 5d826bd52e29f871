// SPDX-License-Identifier: MIT
/*
 * store_key - the key under which a node keeps its day keys: keys_folder/store.key, 64 hex digits
 * and a newline, mode 0600. Whoever copies the disk of the evidence log without it reads no
 * payload.
 */
#ifndef BUS_STORE_KEY_H
#define BUS_STORE_KEY_H

#include "lib/crypto/key_wrap.h"

#define STORE_KEY_FILE "store.key"

/* Makes one; IO_FAILED when there is a file already. */
fault store_key_make(const char *path);
/* NOT_FOUND; BAD_KEY: others can read it, or it is no store key. */
fault store_key_load(const char *path, struct key_wrap **out);

#endif
