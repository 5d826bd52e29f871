// SPDX-License-Identifier: MIT
/*
 * admin_json - proposals and requests as operators are shown them.
 */
#ifndef REGISTRY_SERVE_ADMIN_JSON_H
#define REGISTRY_SERVE_ADMIN_JSON_H

#include "registry/serve/office.h"

json_t *admin_json_proposal(const struct office *office, const struct proposal *proposal);
/* whole: with the request itself, as it came. */
json_t *admin_json_request(const struct office *office, const struct request *request, bool whole);
json_t *admin_json_state(const struct office *office, const struct directory_operator *person);
/* The round of asking outside authorities that is under way, or the last one. */
json_t *admin_json_statuses(const struct office *office);

#endif
