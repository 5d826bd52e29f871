// SPDX-License-Identifier: MIT
/*
 * scribe_process - derives what others read from the evidence: tiles and checkpoints for file
 * shares, history, time stamps. It follows the write-ahead segments of the exchange process through
 * the file system, holds no key and is waited for by nobody: without it messages go on, and an
 * alarm begins.
 */
#ifndef SCRIBE_SCRIBE_PROCESS_H
#define SCRIBE_SCRIBE_PROCESS_H

#include "security-server/server_config.h"

/* The process's whole life. 0: asked to stop; 3: the log is not what was signed; 1: else. */
int scribe_process_run(const struct server_config *config);

#endif
