// SPDX-License-Identifier: MIT
/*
 * vouched - who stands behind the requests whose acts an operator is about to approve: checked
 * here, and not believed of the registry.
 */
#ifndef REGISTRY_REMOTE_VOUCHED_H
#define REGISTRY_REMOTE_VOUCHED_H

#include "registry/remote/registry_http.h"

struct directory;

/* Prints, for each request that proposals of this list are of, which of its member's servers vouch
 * for it, or that none does and who says why. REFUSED when the registry shows a request whose keys
 * and addresses are not those in the act. state: as fetched and checked here. */
fault vouched_show(struct registry_http *http, const struct directory *state, json_t *list);

#endif
