// SPDX-License-Identifier: MIT
/*
 * statuses - the command: a child without keys asks, then this process, which has no network,
 * makes acts of what was revoked.
 */
#ifndef REGISTRY_STATUS_STATUSES_H
#define REGISTRY_STATUS_STATUSES_H

#include "registry/commands.h"

/* to: the published folder, in which answers are laid out and, when something was revoked, the
 * directory is published at once; NULL: neither. Call it before any private key is in memory. */
fault statuses_run(const char *store, const char *to, struct said *said);

#endif
