// SPDX-License-Identifier: MIT
/*
 * show_access - requests for access and where they stand, the arbiter's decisions, emergencies,
 * restrictions and grants as everybody may read them: for `show`, for lists and for the public
 * face. What stands is judged at `at_ms`. Reasons are public; no personal data stands in the
 * directory.
 */
#ifndef REGISTRY_SHOW_ACCESS_H
#define REGISTRY_SHOW_ACCESS_H

#include "lib/bus/access.h"

#include <jansson.h>
#include <stdio.h>

void show_access(const struct directory *directory, int64_t at_ms, FILE *out);
/* {"requests": [], "decisions": [], "emergencies": [], "calendar": {} or null} */
json_t *show_access_json(const struct directory *directory, int64_t at_ms);

/* Each with "epoch" and "at" beside the list. */
json_t *show_requests_json(const struct directory *directory, int64_t at_ms);
json_t *show_request_json(const struct directory *directory,
                          const struct directory_request *request, int64_t at_ms);
json_t *show_emergencies_json(const struct directory *directory, int64_t at_ms);
json_t *show_restrictions_json(const struct directory *directory, int64_t at_ms);
json_t *show_grants_json(const struct directory *directory, int64_t at_ms);

/* The same as JSON-LD: restrictions as odrl:Prohibition, grants as odrl:Agreement. */
json_t *show_restrictions_ld(const struct directory *directory, int64_t at_ms);
json_t *show_grants_ld(const struct directory *directory, int64_t at_ms);

#endif
