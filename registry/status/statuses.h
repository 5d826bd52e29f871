// SPDX-License-Identifier: MIT
/*
 * statuses - asking outside authorities, by a child without keys; and the command, for a store that
 * is not served: then this process, which has no network, makes acts of what was revoked.
 */
#ifndef REGISTRY_STATUS_STATUSES_H
#define REGISTRY_STATUS_STATUSES_H

#include "registry/commands.h"
#include "registry/status/ask.h"

/* One round, by a child of its own that reads the store without keys, in a jail; it dies with who
 * waits here. Call it where no private key is in memory and no thread runs. Waits, at most
 * STATUS_ROUND_MS and what the last question takes. INTERNAL: the child's event says why. */
fault statuses_ask(const char *store, struct status_counts *counts);

/* to: the published folder, in which answers are laid out and, when something was revoked, the
 * directory is published at once; NULL: neither. Call it before any private key is in memory.
 * REFUSED, before anybody is asked, when the store is being served. */
fault statuses_run(const char *store, const char *to, struct said *said);

#endif
