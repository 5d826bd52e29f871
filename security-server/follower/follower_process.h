// SPDX-License-Identifier: MIT
/*
 * follower_process - follows the directory: asks the anchor's addresses every directory_poll_ms,
 * hears what is pushed, checks signature, root and consistency, and writes what is sound into
 * <audit_folder>/followed/, from where the exchange process takes it, checking everything again. It
 * reads strangers' bytes, holds no key and is waited for by nobody.
 */
#ifndef FOLLOWER_FOLLOWER_PROCESS_H
#define FOLLOWER_FOLLOWER_PROCESS_H

#include "security-server/server_config.h"

/* The process's whole life. 0: asked to stop; 1: else. */
int follower_process_run(const struct server_config *config);

#endif
