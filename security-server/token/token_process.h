// SPDX-License-Identifier: MIT
/*
 * token_process - the process that signs headers by a PKCS#11 token. It holds the token's PIN while
 * it logs in, a session, and no other key; its jail (JAIL_TOKEN) lets the vendor's module open
 * files and sockets (docs/decisions/0023).
 *
 * A token that is away, or cannot be used, does not end it: every job is answered with that state,
 * and the token is opened again every TOKEN_RETRY_MS.
 */
#ifndef TOKEN_TOKEN_PROCESS_H
#define TOKEN_TOKEN_PROCESS_H

#include "security-server/server_config.h"

/* Serves until the line to the exchange closes. Returns the process's exit status. The config's
 * passphrase is freed when the sealing keys have been looked at (token_renewal.h). */
int token_process_run(struct server_config *config, int line);

#endif
