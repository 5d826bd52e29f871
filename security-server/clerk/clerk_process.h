// SPDX-License-Identifier: MIT
/*
 * clerk_process - reads the evidence for those who ask over HTTP: files of the log, what this
 * server cosigned, and records of our own subsystems as containers. It signs nothing, writes
 * nothing but a request to hurry, and messages go on without it. Only when the settings let records
 * be fetched does it hold a key: the store key, with which payloads are opened.
 */
#ifndef CLERK_CLERK_PROCESS_H
#define CLERK_CLERK_PROCESS_H

#include "security-server/server_config.h"

/* The process's whole life. 0: asked to stop; 1: else. */
int clerk_process_run(struct server_config *config);

#endif
