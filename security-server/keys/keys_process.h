// SPDX-License-Identifier: MIT
/*
 * keys_process - the process that holds the private keys. After start it has one open descriptor
 * (the line to the exchange), no network and no files: see lib/base/jail.h.
 */
#ifndef KEYS_KEYS_PROCESS_H
#define KEYS_KEYS_PROCESS_H

#include "security-server/server_config.h"

/* Loads the keys, wipes the passphrase, closes the jail, says "ready" with one byte, and serves
 * until the line closes. Returns the process's exit status. */
int keys_process_run(struct server_config *config, int line);

#endif
