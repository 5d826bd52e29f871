// SPDX-License-Identifier: MIT
/*
 * transport_key - keys_folder/transport.key, which may be sealed.
 */
#ifndef TRANSPORT_KEY_H
#define TRANSPORT_KEY_H

#include "lib/net/socket.h"
#include "security-server/server_config.h"

/* BAD_KEY, BAD_PASSPHRASE with the file and what is wrong. The caller wipes it. */
fault transport_key_load(const struct server_config *config, struct curve_keys *out);

#define TRANSPORT_NEXT_FILE "transport.next.key"

/* The one after it, which is made, sealed as the others are, when there is none: `chaski keys roll
 * transport` has the directory name it. Faults as above, and IO_FAILED. */
fault transport_key_next(const struct server_config *config, struct curve_keys *out);
/* The next key's file becomes transport.key, durably. IO_FAILED. */
fault transport_key_take(const struct server_config *config);

#endif
