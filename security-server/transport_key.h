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

#endif
