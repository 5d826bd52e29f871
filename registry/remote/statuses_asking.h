// SPDX-License-Identifier: MIT
/*
 * statuses_asking - has a registry elsewhere ask outside authorities now, and says what came of it.
 */
#ifndef REGISTRY_REMOTE_STATUSES_ASKING_H
#define REGISTRY_REMOTE_STATUSES_ASKING_H

#include "registry/commands.h"
#include "registry/remote/registry_http.h"

/* Waits for the round that it begins or joins, at most STATUS_ROUND_MS. REFUSED with what went
 * wrong in it; INCONSISTENT when the registry begins another one meanwhile. */
fault statuses_asking(struct registry_http *http, const struct arguments *arguments,
                      struct said *said);

#endif
