// SPDX-License-Identifier: MIT
/*
 * requesting - agencies' requests at a registry elsewhere: read, prepared and refused.
 */
#ifndef REGISTRY_REMOTE_REQUESTING_H
#define REGISTRY_REMOTE_REQUESTING_H

#include "registry/commands.h"
#include "registry/remote/registry_http.h"

fault requesting_list(struct registry_http *http, const struct arguments *arguments,
                      struct said *said);
/* verb: show, prepare or refuse. */
fault requesting_one(struct registry_http *http, const char *verb,
                     const struct arguments *arguments, struct said *said);

#endif
