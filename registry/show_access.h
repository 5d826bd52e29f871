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

/* A part of a list, in the order of ids: behind `after` ("": from the first), at most so many. */
struct show_page {
    const char *after;
    size_t most;
};

/* {"epoch", "at", the list, "next": the `after` of the following page, or null} */
typedef json_t *show_page_json(const struct directory *directory, int64_t at_ms,
                               const struct show_page *page);
show_page_json show_requests_json, show_emergencies_json, show_restrictions_json, show_grants_json;
/* What owners closed without a restriction (show_closed.h); the first page of restrictions holds
 * the first of it, as a list of its own. */
show_page_json show_closed_page_json, show_closed_page_ld;
/* As JSON-LD: restrictions as odrl:Prohibition, grants as odrl:Agreement. */
show_page_json show_restrictions_ld, show_grants_ld;

json_t *show_request_json(const struct directory *directory,
                          const struct directory_request *request, int64_t at_ms);

#endif
