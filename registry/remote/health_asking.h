// SPDX-License-Identifier: MIT
/*
 * health_asking - how a registry elsewhere stands (GET /admin/v1/state).
 */
#ifndef REGISTRY_REMOTE_HEALTH_ASKING_H
#define REGISTRY_REMOTE_HEALTH_ASKING_H

#include "registry/commands.h"
#include "registry/remote/registry_http.h"

/* As health_of_store. */
fault health_asking(struct registry_http *http, struct said *said);

#endif
