// SPDX-License-Identifier: MIT
/*
 * exchange_process - the process on the mesh: walks exchanges and keeps the evidence log. Holds no
 * signing key.
 */
#ifndef EXCHANGE_EXCHANGE_PROCESS_H
#define EXCHANGE_EXCHANGE_PROCESS_H

#include "security-server/server_config.h"

#include <sys/types.h>

/* Exit status: 0 stopped as asked; 1 something failed, a restart may help; 2 wrong configuration or
 * keys; 3 the log or the directory must not be used as they are: an operator is needed;
 * EXCHANGE_ENROLLED it has its certificate now, and is to be started anew. */
#define EXCHANGE_ENROLLED 4
int exchange_process_run(struct server_config *config, int keys_line_fd, pid_t keys_pid,
                         int token_fd);

#endif
