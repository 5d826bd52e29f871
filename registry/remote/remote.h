// SPDX-License-Identifier: MIT
/*
 * remote - commands that work on a registry elsewhere (--at), over its admin interface
 * (docs/registry-openapi.json).
 *
 * The directory is fetched and checked as every follower does; acts are tried on it, signed here,
 * and proposed. What is approved is read in words made here, from the bytes that are signed.
 */
#ifndef REGISTRY_REMOTE_REMOTE_H
#define REGISTRY_REMOTE_REMOTE_H

#include "registry/commands.h"

/* BAD_REQUEST without --anchor or --as; REFUSED with the registry's reason; PEER_UNREACHABLE. */
fault remote_run(const struct command *command, const struct arguments *arguments,
                 struct said *said);

#endif
